/**
 * What depth does to learning: plain and residual networks of 32 layers, looked at by `explain` (docs/depth.md). Prints a table, and writes a page
 * and a figure of each network into a folder: node --import tsx scripts/measure-learning.ts runs/learning
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  accuracy,
  adam,
  collect,
  cosine,
  crossEntropy,
  evaluate,
  explain,
  fit,
  keyOf,
  limited,
  models,
  scaleBytes,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";

const [folder = "runs/learning"] = process.argv.slice(2);
const [depth, epochs, digits, seeds] = [32, 5, 10_000, [0, 1, 2]];
const kinds = {
  plain: {},
  "plain, normalized": { normalize: true },
  residual: { residual: true },
  "residual, normalized": { residual: true, normalize: true },
} as const;

const found = await loadMnist();
const scale = scaleBytes();
const train = limited(found.train, digits);
const test = found.test.batch(500, { dropLast: false }).map(scale);
// What is looked at: training data for gradients and the landscape, test data for features.
const seen = limited(found.train, 1000).batch(1000).map(scale);
const unseen = limited(found.test, 1000).batch(250).map(scale);
const firstBatch = scale(await collect(limited(found.test, 250)));
const loss = crossEntropy();

/** What is measured of one network from one seed. */
async function measure(name: keyof typeof kinds, seed: number) {
  const options = { depth, ...kinds[name] };
  const width = models.widthFor(100_000, { inputs: 28 * 28, ...options });
  const model = new models.DeepMlp({ ...options, width });
  const watch = explain.watchLayers(seen);
  const batches = train.shuffle(keyOf(seed)).batch(128).map(scale);
  const schedule = cosine({ rate: 0.001, steps: epochs * (batches.length ?? 1) });
  const compile = { threads: 1 };
  await fit(model, batches, {
    loss,
    optimizer: adam({ learningRate: schedule }),
    epochs,
    callbacks: [watch],
    training: { seed, compile },
  });
  const { results } = await evaluate(model, test, { loss, metrics: [accuracy()], compile });
  const layers = "activations";
  const ranks = await explain.featureRank(model, firstBatch, { layers });
  const similarity = await explain.layerSimilarity(model, model, unseen, { layers });
  const landscape = await explain.lossLandscape(model, seen, { loss, steps: 11, key: keyOf(seed), compile });
  if (seed === 0) {
    const title = `${name}: ${depth} hidden layers of ${width} units`;
    const page = explain.learningPage({ title, history: watch.history, ranks, similarity, landscape });
    const file = join(folder, name.replace(", ", "-"));
    writeFileSync(`${file}.html`, page);
    writeFileSync(`${file}-landscape.svg`, explain.landscapeFigure(landscape));
  }
  const gradientOf = (moment: explain.LayerMoment | undefined, path: string) =>
    moment?.layers.find((own) => own.path === path)?.weights?.gradient ?? Number.NaN;
  const fall = (moment: explain.LayerMoment | undefined) =>
    gradientOf(moment, "layers.0") / gradientOf(moment, `layers.${depth - 1}`);
  const hidden = watch.history.at(-1)?.layers.filter(({ path }) => path.startsWith(layers)) ?? [];
  const neighbours = Array.from({ length: depth - 1 }, (_, i) => similarity.values[i * depth + i + 1] ?? Number.NaN);
  const ends = similarity.values[depth - 1] ?? Number.NaN;
  const edge = Array.from(landscape.losses).filter((_, i) => {
    const [row, column] = [Math.floor(i / 11), i % 11];
    return row % 10 === 0 || column % 10 === 0;
  });
  return {
    "test accuracy, %": 100 * (results["accuracy"] ?? Number.NaN),
    "gradient of layer 1 / layer 32, untrained": fall(watch.history[0]),
    "the same, trained": fall(watch.history.at(-1)),
    "dead units, %": (100 * hidden.reduce((sum, { dead }) => sum + dead, 0)) / hidden.length,
    "effective rank, layer 1": ranks[0]?.effective ?? Number.NaN,
    "effective rank, layer 16": ranks[15]?.effective ?? Number.NaN,
    "effective rank, layer 32": ranks[31]?.effective ?? Number.NaN,
    "CKA of neighbours": neighbours.reduce((sum, value) => sum + value, 0) / neighbours.length,
    "CKA of layers 1 and 32": ends,
    "training loss": landscape.loss,
    "loss at the edge of the landscape": median(edge),
    "concave, %": 100 * landscape.concave,
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Three digits of the least and the greatest over the seeds. */
const range = (values: readonly number[]): string => {
  const show = (value: number) => String(Number(value.toPrecision(3)));
  const [low, high] = [show(Math.min(...values)), show(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
};

mkdirSync(folder, { recursive: true });
const columns = [];
for (const name of Object.keys(kinds) as (keyof typeof kinds)[]) {
  const runs = [];
  for (const seed of seeds) runs.push(await measure(name, seed));
  columns.push(runs);
}
console.log(`| Over ${seeds.length} seeds, from the least to the greatest | ${Object.keys(kinds).join(" | ")} |`);
console.log(`| --- | ${columns.map(() => "---:").join(" | ")} |`);
for (const figure of Object.keys(columns[0]?.[0] ?? {}) as (keyof Awaited<ReturnType<typeof measure>>)[])
  console.log(`| ${figure} | ${columns.map((runs) => range(runs.map((own) => own[figure]))).join(" | ")} |`);
