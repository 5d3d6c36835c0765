/** Fashion-MNIST from few images of each class: pretrained, from random weights, and by simple means. */
import { join } from "node:path";
import { root } from "../prepare.mjs";

const library = await import(join(root, "dist/src/index.js"));
const { loadFashionMnist } = await import(join(root, "dist/src/node.js"));
const { mobileNet, onLayer, trainLast } = await import(join(root, "dist/recipes/shared/mobilenet.js"));
const { smallConvolution } = await import(join(root, "dist/recipes/shared/clothing.js"));
const { accuracy, adam, cosine, crossEntropy, dense, evaluate, featuresOf, fit, flatten, fromTensors } = library;
const { gatherRows, jit, keyOf, ops, sampleShots, scaleBytes, sequential } = library;

const compile = { threads: 1 };
const layer = "block_6_expand_relu";
const folder = join(root, "test/published/node_modules/nsfwjs");
/** Images to choose settings by, the last of the training set; and the first of the test. */
const [validationCount, testCount] = [1000, 4000];
/** Whose draw settings are chosen by, and those that are measured. */
const [chooser, seeds] = [100, [0, 1, 2, 3, 4]];

/** What is tried of each method. */
const grids = {
  frozen: () => [3e-4, 1e-3, 3e-3].map((rate) => ({ rate, epochs: 30 })),
  unfrozen: (shots) => [1e-4, 3e-4].map((rate) => ({ rate, epochs: shots < 1000 ? 10 : 3 })),
  // With 1,000 images a class at the rate that was best with 100: a run takes minutes.
  random: (shots) =>
    (shots < 1000 ? [1e-3, 3e-3] : [3e-3]).map((rate) => ({ rate, epochs: { 20: 20, 100: 8, 1000: 2 }[shots] })),
  small: (shots) => [1e-3, 3e-3].map((rate) => ({ rate, epochs: { 20: 60, 100: 30, 1000: 8 }[shots] })),
  linear: () => [1e-3, 3e-3, 1e-2].map((rate) => ({ rate, epochs: 30 })),
  nearest: () => [{}],
};

export async function measureImages(wanted, kept, keep) {
  const methods = Object.keys(grids).filter((name) => wanted.length === 0 || wanted.includes(name));
  const numbers = wanted.map(Number).filter(Number.isFinite);
  const all = [20, 100, 1000].filter((shots) => numbers.length === 0 || numbers.includes(shots));
  const data = await loadFashionMnist();
  const { x, y } = data.train.tensors;
  const total = y.shape[0];
  const range = (from, to) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
  const [pool, held, tested] = [
    range(0, total - validationCount),
    range(total - validationCount, total),
    range(0, testCount),
  ];
  const poolLabels = gatherRows(y, pool);
  const drawn = (seed, shots) => sampleShots(poolLabels, shots, keyOf(seed)).support;
  const images = (source, rows) => fromTensors({ x: gatherRows(source.x, rows), y: gatherRows(source.y, rows) });
  const scale = scaleBytes();

  /** What the frozen layer gives: of validation, test, and every training image that any draw has. */
  async function frozenFeatures() {
    const model = onLayer(await mobileNet(folder), layer);
    const cut = sequential(model.layers.slice(0, -1));
    const most = Math.max(...all);
    const needed = Uint32Array.from(new Set([chooser, ...seeds].flatMap((seed) => [...drawn(seed, most)])));
    const compute = async (source, rows) =>
      (await featuresOf(cut, images(source, rows).batch(100, { dropLast: false }).map(scale), { compile })).features;
    const began = performance.now();
    const found = {
      place: new Map(Array.from(needed, (row, i) => [row, i])),
      train: await compute({ x, y }, needed),
      validation: await compute({ x, y }, held),
      test: await compute(data.test.tensors, tested),
    };
    console.log(`features of ${needed.length} images: ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return found;
  }
  const usesFeatures = methods.some((name) => name === "frozen" || name === "unfrozen");
  const features = usesFeatures ? await frozenFeatures() : undefined;

  const pixels = (seed, shots) => ({
    train: images({ x, y }, drawn(seed, shots)),
    validation: images({ x, y }, held),
    test: images(data.test.tensors, tested),
    change: scale,
  });
  const onFeatures = (seed, shots) => {
    const rows = drawn(seed, shots);
    const at = Uint32Array.from(rows, (row) => features.place.get(row));
    return {
      train: fromTensors({ x: gatherRows(features.train, at), y: gatherRows(y, rows) }),
      validation: fromTensors({ x: features.validation, y: gatherRows(y, held) }),
      test: fromTensors({ x: features.test, y: gatherRows(data.test.tensors.y, tested) }),
      change: (batch) => batch,
    };
  };

  /** Trains, and gives the accuracy on a part of the data. */
  async function trained(model, sets, part, { seed, rate, epochs }) {
    const batches = sets.train.shuffle(keyOf(seed)).batch(32).map(sets.change);
    const optimizer = adam({ learningRate: cosine({ rate, steps: epochs * batches.length }) });
    await fit(model, batches, { loss: crossEntropy(), optimizer, epochs, training: { compile, seed } });
    const parts = sets[part].batch(250, { dropLast: false }).map(sets.change);
    return (await evaluate(model, parts, { loss: crossEntropy(), metrics: [accuracy()], compile })).results.accuracy;
  }

  /** The share of images whose nearest neighbour has their class. */
  async function byNearest(sets, part) {
    const { x: known, y: labels } = sets.train.tensors;
    const nearest = jit((a, b) => {
      const [rows, others] = [a, b].map((own) =>
        ops.reshape(ops.div(ops.cast(own, "float32"), 255), [own.shape[0], 784]),
      );
      const lengths = ops.reshape(ops.reduceSum(ops.mul(others, others), [1]), [1, others.shape[0]]);
      return ops.argMax(ops.sub(ops.mul(ops.matmul(rows, ops.transpose(others, [1, 0])), 2), lengths));
    }, compile);
    let right = 0;
    for await (const { x: asked, y: truth } of sets[part].batch(200).epoch(0)) {
      const found = (await nearest(asked, known)).toNumbers();
      const truths = truth.toNumbers();
      right += found.filter((place, i) => labels.data[place] === truths[i]).length;
    }
    return right / sets[part].length;
  }

  /** The settings of the best trial on validation data. */
  const bestOf = (tried) => tried.reduce((a, b) => (b.validation > a.validation ? b : a));
  const chosen = Object.fromEntries(
    Object.entries(kept?.frozen ?? {}).map(([shots, { tried }]) => [shots, bestOf(tried)]),
  );
  const run = {
    frozen: (seed, shots, part, setting) => trained(dense(10), onFeatures(seed, shots), part, { seed, ...setting }),
    async unfrozen(seed, shots, part, setting) {
      // The head as it was trained on the frozen layers; then the last blocks with it.
      const head = dense(10);
      const before = chosen[shots] ?? grids.frozen()[1];
      await trained(head, onFeatures(seed, shots), "validation", { seed, ...before });
      const model = onLayer(await mobileNet(folder), layer);
      model.trace({ dtype: "float32", shape: [1, 1, 28, 28] });
      for (const name of ["weight", "bias"]) model.layers.at(-1).own.get(name).value = head.own.get(name).value;
      trainLast(model, 2);
      return trained(model, pixels(seed, shots), part, { seed, ...setting });
    },
    random: async (seed, shots, part, setting) =>
      trained(onLayer(await mobileNet(folder, seed), layer), pixels(seed, shots), part, { seed, ...setting }),
    small: (seed, shots, part, setting) => trained(smallConvolution(), pixels(seed, shots), part, { seed, ...setting }),
    linear: (seed, shots, part, setting) =>
      trained(sequential([flatten(), dense(10)]), pixels(seed, shots), part, { seed, ...setting }),
    nearest: (seed, shots, part) => byNearest(pixels(seed, shots), part),
  };

  for (const shots of all)
    for (const method of methods) {
      const began = performance.now();
      const tried = [];
      const grid = grids[method](shots);
      for (const setting of grid)
        tried.push({
          ...setting,
          validation: grid.length > 1 ? await run[method](chooser, shots, "validation", setting) : 0,
        });
      const best = bestOf(tried);
      if (method === "frozen") chosen[shots] = best;
      const accuracies = [];
      for (const seed of seeds) accuracies.push(await run[method](seed, shots, "test", best));
      const seconds = Math.round((performance.now() - began) / 1000);
      keep(method, shots, { accuracies, ...(grid.length > 1 && { tried }), seconds });
    }
}
