/** Samples as the rows of numbers that simple baselines read, and what those reach. */
import { foldIn, keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset, Labelled } from "../../data/pipeline/dataset.ts";
import type { BaselineResult, TablePart } from "../../train/baselines/baseline.ts";
import { type CompareBaselinesOptions, compareTableBaselines } from "../../train/baselines/compare.ts";
import { compareLabelBaselines } from "./label-baselines.ts";
import type { PartName } from "./part-samples.ts";
import type { SampleTarget } from "./sample-target.ts";

/** Samples that baselines learn from at most: more takes minutes. */
const mostSamples = 10_000;

/** Features of samples and what they are labelled with. */
export interface FeatureRows {
  /** [N, features] */
  readonly x: Tensor<"float32">;
  /** As the target has it. */
  readonly y: Tensor;
}

/** From what a sample is, its `x` and whatever it has beside, to the numbers that baselines read. */
export type SampleFeatures = (x: Tensor, sample: Labelled) => Float32Array | Promise<Float32Array>;

/** Samples in parts, and what is predicted of them. */
export interface SampleSplit {
  readonly target: SampleTarget;
  /** Samples with x of one shape and y as the target has it, by what they are for. */
  readonly parts: Readonly<Record<PartName, Dataset<Labelled>>>;
}

/** Baselines that are linear in what they read. */
const linear = ["logistic regression", "ridge regression"];

/** Features of so many samples of a part, drawn at random. */
async function rowsOf(part: Dataset<Labelled>, features: SampleFeatures, seed: number) {
  const [rows, labels]: [Float32Array[], Tensor[]] = [[], []];
  const drawn = part.shuffle(foldIn(keyOf(seed), "baselines")).take(Math.min(mostSamples, part.length ?? mostSamples));
  for await (const sample of drawn.epoch(0)) {
    rows.push(await features(sample.x, sample));
    labels.push(sample.y);
  }
  const width = rows[0]?.length ?? 0;
  const x = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) x.set(row, i * width);
  const each = labels[0]?.data.length ?? 1;
  const values = labels.flatMap((label) => label.toNumbers());
  const y =
    labels[0]?.dtype === "int32"
      ? new Tensor("int32", [rows.length], Int32Array.from(values))
      : new Tensor("float32", [rows.length, each], Float32Array.from(values));
  return { x: new Tensor("float32", [rows.length, width], x), y };
}

/**
 * What simple baselines reach on features of samples: those of tables; of labels the most frequent ones, and a linear model and neighbours
 * for each. Their settings are chosen on the validation part.
 */
export async function baselinesOfSamples(
  { target, parts }: SampleSplit,
  features: SampleFeatures,
  options: CompareBaselinesOptions,
): Promise<readonly BaselineResult[]> {
  const { seed = 0 } = options;
  const [train, validation, test] = [
    await rowsOf(parts.train, features, seed),
    await rowsOf(parts.validation, features, seed),
    await rowsOf(parts.test, features, seed),
  ];
  if (target.kind === "labels") return compareLabelBaselines({ train, validation, test }, options);
  const partOf = ({ x, y }: FeatureRows): TablePart => ({
    x,
    labels:
      target.kind === "classes"
        ? { kind: "classes", y: y as Tensor<"int32">, classes: target.classes.length }
        : { kind: "numbers", y: y.reshape([y.shape[0] ?? 0]) as Tensor<"float32"> },
  });
  return compareTableBaselines({ train: partOf(train), validation: partOf(validation), test: partOf(test) }, options);
}

/** A linear model on the features [1, features] of a pretrained one, which `features` makes of batches of one sample. */
export async function linearOnFeatures(
  samples: SampleSplit,
  features: (batch: Labelled) => Promise<Tensor>,
  options: CompareBaselinesOptions,
): Promise<readonly BaselineResult[]> {
  const rows = async (_: Tensor, sample: Batch) => {
    const batch = Object.entries(sample).map(([name, own]) => [name, own.reshape([1, ...own.shape])]);
    return Float32Array.from((await features(Object.fromEntries(batch))).toNumbers());
  };
  const results = await baselinesOfSamples(samples, rows, { only: linear, ...options });
  return results
    .filter(({ name }) => linear.includes(name))
    .map((own) => ({ ...own, name: `${own.name} on the base's features` }));
}
