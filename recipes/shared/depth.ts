/** What depth does at one budget of parameters: perceptrons of 1 to 32 hidden layers, plain and with shortcuts. */
import {
  accuracy,
  averages,
  cosine,
  crossEntropy,
  defineExperiment,
  type Experiment,
  keyOf,
  limited,
  linePlot,
  models,
  type OnDownload,
  type Outcome,
  scaleBytes,
} from "../../src/index.ts";
import type { ImageClassification } from "../../src/node.ts";

/** Parameters that each network comes as close to as a whole width allows. */
const budget = 100_000;
const depths = [1, 2, 4, 8, 16, 32];
const series = [
  { name: "plain", normalize: false, residual: false },
  { name: "plain, normalized", normalize: true, residual: false },
  { name: "residual", normalize: false, residual: true },
  { name: "residual, normalized", normalize: true, residual: true },
];

export interface DepthOptions {
  readonly name: string;
  /** Of the data, for the summary. */
  readonly data: string;
  readonly next: readonly string[];
  load(options: { readonly onProgress?: OnDownload }): Promise<ImageClassification>;
}

/** The experiment on a data set of images, 28x28. */
export const depthExperiment = ({ name, data, next, load }: DepthOptions): Experiment =>
  defineExperiment({
    name,
    summary: `${data}: networks of 1 to 32 hidden layers with 100,000 parameters each, plain and residual`,
    defaults: { epochs: 5, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0, repeats: 3, threads: 1 },
    axis: "hidden layers",
    next,
    async load({ epochs, batchSize, learningRate }, limit, onDownload) {
      const found = await load({ ...(onDownload && { onProgress: onDownload }) });
      const [train, test] = [limited(found.train, limit), limited(found.test, limit)];
      const scale = scaleBytes();
      const batches = (seed: number) => train.shuffle(keyOf(seed)).batch(batchSize).map(scale);
      return {
        variants: depths.flatMap((depth) =>
          series.map(({ name: own, ...options }) => ({
            series: own,
            at: depth,
            build: () => {
              const width = models.widthFor(budget, { inputs: 28 * 28, depth, ...options });
              return new models.DeepMlp({ depth, width, ...options });
            },
          })),
        ),
        train: batches,
        test: test.batch(500, { dropLast: false }).map(scale),
        loss: crossEntropy(),
        metrics: [accuracy()],
        schedule: cosine({ rate: learningRate, steps: epochs * (batches(0).length ?? 1) }),
        inputs: { dtype: "float32", shape: [1, 1, 28, 28] },
        samples: { train: train.length ?? 0, test: test.length ?? 0 },
      };
    },
    figures: (outcomes) => ({
      "error.svg": byDepth(outcomes, `${data}: test error at 100,000 parameters`, "test error, %", "log", testError),
      "loss.svg": byDepth(outcomes, `${data}: training loss in the last epoch`, "training loss", "log", trainingLoss),
      "time.svg": byDepth(outcomes, `${data}: time to train`, "seconds an epoch", "linear", epochSeconds),
    }),
  });

const testError = ({ test }: Outcome) => 100 * (1 - (test["accuracy"] ?? Number.NaN));
const trainingLoss = ({ history }: Outcome) => history.at(-1)?.["loss"] ?? Number.NaN;
const epochSeconds = ({ seconds, history }: Outcome) => seconds / history.length;

function byDepth(
  outcomes: readonly Outcome[],
  title: string,
  label: string,
  scale: "linear" | "log",
  measure: (outcome: Outcome) => number,
): string {
  const measured = averages(outcomes, measure);
  const lines = series.map(({ name }) => ({
    name,
    points: measured.filter((own) => own.series === name).map(({ at, mean }) => [at, mean] as const),
  }));
  const x = { label: "hidden layers", scale: "log", domain: [1, 32], ticks: depths } as const;
  return linePlot(lines, { title, x, y: { label, scale } });
}
