/**
 * How gradients fare on their way through 32 hidden layers: they vanish with sigmoids, explode with large weights, and keep
 * their size with ReLU (He et al. 2015), normalization and shortcuts (docs/depth.md).
 */
import {
  accuracy,
  crossEntropy,
  defineExperiment,
  keyOf,
  limited,
  linePlot,
  models,
  type Outcome,
  scaleBytes,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";

const depth = 32;
const width = 64;
const series: Readonly<Record<string, Omit<models.DeepMlpOptions, "depth" | "width">>> = {
  sigmoid: { activation: "sigmoid" },
  "sigmoid, normalized": { activation: "sigmoid", normalize: true },
  "sigmoid, residual": { activation: "sigmoid", residual: true },
  "sigmoid, both": { activation: "sigmoid", normalize: true, residual: true },
  ReLU: {},
  "ReLU, twice the weights": { gain: 2 },
  "ReLU, normalized": { normalize: true },
  "ReLU, both": { normalize: true, residual: true },
};

export default defineExperiment({
  name: "depth-gradients",
  summary: "Gradients by layer through 32 hidden layers: with sigmoid and ReLU, normalization and shortcuts",
  defaults: { epochs: 3, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0, repeats: 3, threads: 1 },
  axis: "hidden layers",
  next: ["sardonyx train depth-mnist         what depth buys at one budget of parameters"],
  async load({ batchSize }, limit, onDownload) {
    const found = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(found.train, limit), limited(found.test, limit)];
    const scale = scaleBytes();
    return {
      variants: Object.entries(series).map(([name, options]) => ({
        series: name,
        at: depth,
        build: () => new models.DeepMlp({ depth, width, ...options }),
      })),
      train: (seed) => train.shuffle(keyOf(seed)).batch(batchSize).map(scale),
      test: test.batch(500, { dropLast: false }).map(scale),
      loss: crossEntropy(),
      metrics: [accuracy()],
      inputs: { dtype: "float32", shape: [1, 1, 28, 28] },
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
    };
  },
  figures: (outcomes) => ({
    "first-batch.svg": byLayer(outcomes, "Gradients in the first batch, by layer", ({ gradients }) => gradients[0]),
    "last-epoch.svg": byLayer(outcomes, "Gradients as the last epoch begins, by layer", ({ gradients }) =>
      gradients.at(-1),
    ),
  }),
});

/** The geometric mean over the seeds: the norms are orders of magnitude apart. */
const byLayer = (
  outcomes: readonly Outcome[],
  title: string,
  normsOf: (outcome: Outcome) => Readonly<Record<string, number>> | undefined,
) =>
  linePlot(
    Object.keys(series).map((name) => {
      const runs = outcomes.filter((own) => own.series === name).map((own) => Object.values(normsOf(own) ?? {}));
      const layers = runs[0]?.length ?? 0;
      const mean = (layer: number) =>
        Math.exp(runs.reduce((sum, norms) => sum + Math.log(norms[layer] ?? Number.NaN), 0) / runs.length);
      return { name, points: Array.from({ length: layers }, (_, layer) => [layer + 1, mean(layer)] as const) };
    }),
    {
      title,
      x: { label: "layer, from the input to the output", domain: [1, depth + 1] },
      y: { label: "norm of the weight's gradient", scale: "log" },
      height: 400,
    },
  );
