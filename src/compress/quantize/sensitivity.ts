/** Which layers quantization hurts, and a model that keeps those in float32 until it is within a given loss. */
import { OptionError } from "../../core/errors.ts";
import { functionOf, having, nonNegative, objectOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import type { AnyModule } from "../../nn/index.ts";
import type { EvaluateOptions } from "../../train/evaluate.ts";
import { FileSession } from "../graph/file-session.ts";
import { encodeWeighted } from "../graph/weighted-graph.ts";
import { differenceOf, resultsOf } from "../measure/compare-models.ts";
import type { QuantizedModel } from "./quantized-model.ts";
import { type CalibratedModel, calibratedModel, type StaticOptions, staticTypes } from "./static.ts";

/** What quantizing one layer alone changes. */
export interface LayerSensitivity {
  /** Path of the layer. */
  readonly name: string;
  /** Elements of its weight. */
  readonly elements: number;
  /** ‖y - ŷ‖ / ‖y‖ of the model's outputs. */
  readonly difference: number;
}

/** Every layer quantized alone, the one that changes the outputs most first. */
async function sensitivityOf(model: CalibratedModel, data: Dataset<Batch>): Promise<readonly LayerSensitivity[]> {
  const { traced, layers } = model;
  const float = await FileSession.open(encodeWeighted(traced), traced);
  try {
    const found: LayerSensitivity[] = [];
    for (const name of layers) {
      const others = layers.filter((other) => other !== name);
      const quantized = model.quantized(others.map(exactly));
      const session = await FileSession.open(quantized.bytes, traced);
      try {
        const { relative } = await differenceOf([float, session], data);
        const elements = quantized.layers.reduce((sum, own) => sum + own.elements, 0);
        found.push({ name, elements, difference: relative });
      } finally {
        await session.release();
      }
    }
    return found.sort((a, b) => b.difference - a.difference);
  } finally {
    await float.release();
  }
}

/** A pattern that matches one path and nothing below it. */
const exactly = (name: string): RegExp => new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);

/**
 * The layers of a model by how much quantizing each alone, as `quantizeStatic` does, changes the outputs. Throws as `quantizeStatic`.
 * @param data batches like those of training: calibration, and the samples on which outputs are compared
 * @example const [worst] = await quantizationSensitivity(model, train.batch(32), { inputs });
 */
export const quantizationSensitivity = async (
  model: AnyModule,
  data: Dataset<Batch>,
  options: StaticOptions = {},
): Promise<readonly LayerSensitivity[]> =>
  sensitivityOf(await calibratedModel(model, data, checkSensitivity(options)), data);

/** Options of `quantizeWithin`. */
export interface WithinOptions extends StaticOptions {
  /** What is measured: held apart from training and from the test. */
  readonly validation: Dataset<Batch>;
  /** Loss and metrics of the task. */
  readonly measured: EvaluateOptions<Batch>;
  /** What counts of the results, where more is better: `({ accuracy }) => accuracy`. */
  readonly score: (results: Readonly<Record<string, number>>) => number | undefined;
  /** How much of the score may be lost: 0.005 of accuracy is half a point. */
  readonly allowed: number;
}

const checkSensitivity = optionsOf("quantizationSensitivity", staticTypes);
const checkWithin = optionsOf<WithinOptions>("quantizeWithin", {
  ...staticTypes,
  validation: required(having<Dataset<Batch>>("epoch", "a dataset")),
  measured: required(objectOf<EvaluateOptions<Batch>>("a loss, with metrics")),
  score: required(functionOf("(results) => the number that counts")),
  allowed: required(nonNegative),
});

/** What `quantizeWithin` gives. */
export interface QuantizedWithin extends QuantizedModel {
  /** The layers by how much each alone changes the outputs. */
  readonly sensitivity: readonly LayerSensitivity[];
  /** Of the float32 model and of this one, on the validation data. */
  readonly scores: { readonly before: number; readonly after: number };
  /** Whether no more is lost than allowed; otherwise even the last layer alone loses more, and this is that. */
  readonly isWithin: boolean;
}

/**
 * As `quantizeStatic`, with as few layers kept in float32 as a given loss of the score needs: those that change the outputs most when they alone are
 * quantized are kept first, and how many is found by halving, with a measurement on `validation` each. Throws as `quantizeStatic`, and OptionError for
 * a score that is no number.
 * @example
 * const { bytes, kept } = await quantizeWithin(model, train, {
 *   validation, measured: { loss: crossEntropy(), metrics: [accuracy()] }, score: ({ accuracy }) => accuracy, allowed: 0.005,
 * });
 */
export async function quantizeWithin(
  model: AnyModule,
  data: Dataset<Batch>,
  options: WithinOptions,
): Promise<QuantizedWithin> {
  const { validation, measured, score, allowed, ...own } = checkWithin(options);
  const calibrated = await calibratedModel(model, data, own);
  const sensitivity = await sensitivityOf(calibrated, data);
  const { traced } = calibrated;
  const scoreOf = async (bytes: Uint8Array): Promise<number> => {
    const session = await FileSession.open(bytes, traced);
    try {
      const results = await resultsOf(session, traced, validation, measured);
      const found = score(results);
      if (typeof found !== "number" || Number.isNaN(found))
        throw new OptionError(
          `quantizeWithin: the score is ${found}; the results are ${Object.keys(results).join(", ")}: return one of them`,
        );
      return found;
    } finally {
      await session.release();
    }
  };
  const before = await scoreOf(encodeWeighted(traced));
  /** With so many of the most sensitive layers in float32. */
  const attempt = async (kept: number) => {
    const quantized = calibrated.quantized(sensitivity.slice(0, kept).map(({ name }) => exactly(name)));
    const after = await scoreOf(quantized.bytes);
    return { quantized, after, isWithin: before - after <= allowed };
  };
  let best = await attempt(0);
  if (!best.isWithin) {
    // Not within: low; within, or not tried: high.
    let [low, high] = [0, sensitivity.length - 1];
    best = await attempt(high);
    while (best.isWithin && high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const tried = await attempt(middle);
      if (tried.isWithin) [best, high] = [tried, middle];
      else low = middle;
    }
  }
  const { quantized, after, isWithin } = best;
  return { ...quantized, sensitivity, scores: { before, after }, isWithin };
}
