/** The losses of classes and numbers: how far an output is from its target. */
import { ShapeError, unknownName } from "../../core/errors.ts";
import { listOf, nonNegative, number, positive, share } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { showShape, size } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  abs,
  add,
  cast,
  clip,
  constant,
  gather,
  gatherElements,
  greater,
  log,
  logSoftmax,
  mul,
  neg,
  reduceSum,
  reshape,
  softplus,
  square,
  sub,
  where,
} from "../../ops/index.ts";
import { ctc } from "./ctc.ts";
import { defineLoss, type Loss, type LossOfTerms } from "./loss.ts";
import { countedLabels, labelsFor, probabilitiesLike, targetsLike } from "./targets.ts";
import type { LossTerms } from "./terms.ts";

/** Options of `categoricalCrossEntropy`, which `crossEntropy` takes too. */
export interface CrossEntropyOptions {
  /** Share of the target's probability that is spread evenly over all classes (Szegedy et al. 2016, sec. 7); default 0. */
  readonly labelSmoothing?: number;
  /** One weight a class, to balance rare ones; default 1 each. */
  readonly classWeights?: readonly number[];
}

/** Options of `crossEntropy`. */
export interface SparseCrossEntropyOptions extends CrossEntropyOptions {
  /** Rows with this label do not count, such as padding; default: all count. */
  readonly ignoreIndex?: number;
}

const crossEntropyTypes: OptionTypes<CrossEntropyOptions> = {
  labelSmoothing: share,
  classWeights: listOf(nonNegative, "numbers from 0"),
};
const checkCrossEntropy = optionsOf<SparseCrossEntropyOptions>("crossEntropy", {
  ...crossEntropyTypes,
  ignoreIndex: number,
});
const checkCategorical = optionsOf("categoricalCrossEntropy", crossEntropyTypes);

/** The class weights as a constant [C]. */
function weightsOf(where: string, logits: Value, weights: readonly number[]): Value {
  const classes = logits.shape.at(-1) ?? 0;
  if (weights.length !== classes)
    throw new ShapeError(
      `${where}: there are ${weights.length} classWeights, output ${showShape(logits.shape)} has ${classes} classes; pass one weight a class`,
    );
  return cast(constant(tensor(weights)), logits.dtype);
}

/**
 * Cross-entropy of softmax(logits) against integer labels, as PyTorch's: logits [N, C] or [N, T, C], labels [N] or
 * [N, T]. With class weights the mean is weighted by each sample's weight; rows with the label `ignoreIndex` do not count. Throws
 * ShapeError and DTypeError, and DataError for a label that is no class.
 * @example
 * const loss = crossEntropy({ labelSmoothing: 0.1 });
 */
export function crossEntropy(options: SparseCrossEntropyOptions = {}): LossOfTerms {
  const { labelSmoothing = 0, classWeights, ignoreIndex } = checkCrossEntropy(options);
  const terms = (output: Value, target: Value): LossTerms => {
    const given = labelsFor("crossEntropy", output, target, ignoreIndex);
    const classes = output.shape.at(-1) ?? 1;
    const rows = size(given.shape);
    const column = reshape(given, [rows, 1]);
    const counted = ignoreIndex === undefined ? undefined : countedLabels(column, ignoreIndex, output.dtype);
    const labels = counted?.labels ?? column;
    const logProbabilities = logSoftmax(reshape(output, [rows, classes]));
    const chosen = gatherElements(logProbabilities, labels, 1); // [rows, 1]
    const weights = classWeights && weightsOf("crossEntropy", output, classWeights);
    const weight = weights && gather(weights, labels);
    const own = weight && counted ? mul(weight, counted.counts) : (weight ?? counted?.counts);
    // -Σ wᵢ log pᵢ / Σ wᵢ
    const likelihood = own ? mul(chosen, own) : chosen;
    const shaped = (values: Value) => reshape(values, given.shape);
    const weighed = own && shaped(own);
    if (labelSmoothing === 0) return { terms: neg(shaped(likelihood)), weights: weighed };
    const spread = reduceSum(weights ? mul(logProbabilities, weights) : logProbabilities, 1, { keepDims: true });
    const everyClass = mul(counted ? mul(spread, counted.counts) : spread, labelSmoothing / classes);
    return { terms: neg(shaped(add(mul(likelihood, 1 - labelSmoothing), everyClass))), weights: weighed };
  };
  return defineLoss(terms, { ignoreIndex });
}

/**
 * Cross-entropy of softmax(logits) against probabilities (or one-hot rows) of the same shape [N, C] or [N, T, C].
 * As in PyTorch, class weights scale the terms but not the count that the sum is divided by. Throws ShapeError.
 */
export function categoricalCrossEntropy(options: CrossEntropyOptions = {}): LossOfTerms {
  const { labelSmoothing = 0, classWeights } = checkCategorical(options);
  return defineLoss((output, target) => {
    if (target.rank === output.rank - 1)
      throw new ShapeError(
        `categoricalCrossEntropy: targets are ${showShape(target.shape)}, expected probabilities ${showShape(output.shape)}; use crossEntropy() for integer labels`,
      );
    const probabilities = probabilitiesLike("categoricalCrossEntropy", output, target);
    const classes = output.shape.at(-1) ?? 1;
    const smooth =
      labelSmoothing === 0 ? probabilities : add(mul(probabilities, 1 - labelSmoothing), labelSmoothing / classes);
    const weighted = classWeights ? mul(smooth, weightsOf("categoricalCrossEntropy", output, classWeights)) : smooth;
    return { terms: neg(reduceSum(mul(logSoftmax(output), weighted), output.rank - 1)) };
  });
}

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions {
  /** Weight of the positive targets, to balance rare ones; default 1. */
  readonly positiveWeight?: number;
}

const checkBinary = optionsOf<BinaryCrossEntropyOptions>("binaryCrossEntropy", { positiveWeight: positive });

/**
 * Cross-entropy of sigmoid(logits) against targets in [0, 1] of the same shape; never overflows.
 * softplus(x) - t x, or (1 - t) x + (1 + (p - 1) t) softplus(-x) with a positive weight p.
 */
export function binaryCrossEntropy(options: BinaryCrossEntropyOptions = {}): LossOfTerms {
  const { positiveWeight = 1 } = checkBinary(options);
  return defineLoss((output, target) => {
    const t = probabilitiesLike("binaryCrossEntropy", output, target);
    if (positiveWeight === 1) return { terms: sub(softplus(output), mul(t, output)) };
    const weight = add(1, mul(t, positiveWeight - 1));
    return { terms: add(mul(sub(1, t), output), mul(weight, softplus(neg(output)))) };
  });
}

/** The mean over all elements of a function of the difference output - target, where [N] may stand for [N, 1]. */
const meanOfDifference = (where: string, penalty: (difference: Value) => Value): LossOfTerms =>
  defineLoss((output, target) => ({ terms: penalty(sub(output, targetsLike(where, output, target))) }));

/**
 * Mean of (output - target)² over all elements; targets have the output's shape, [N] standing for [N, 1]. Throws
 * ShapeError for targets of another.
 */
export const meanSquaredError = (): LossOfTerms => meanOfDifference("meanSquaredError", square);

/**
 * Mean of |output - target| over all elements; targets have the output's shape, [N] standing for [N, 1]. Throws
 * ShapeError for targets of another.
 */
export const meanAbsoluteError = (): LossOfTerms => meanOfDifference("meanAbsoluteError", abs);

/** Options of `huber`. */
export interface HuberOptions {
  /** Where the square turns into a line; default 1. */
  readonly delta?: number;
}

const checkHuber = optionsOf<HuberOptions>("huber", { delta: positive });

/**
 * Mean of d²/2 where |d| ≤ δ and of δ (|d| - δ/2) beyond, d = output - target (Huber 1964): a squared error that
 * outliers move less. Targets have the output's shape. Throws OptionError unless delta is positive, ShapeError for
 * targets of another shape.
 */
export function huber(options: HuberOptions = {}): LossOfTerms {
  const { delta = 1 } = checkHuber(options);
  return meanOfDifference("huber", (d) => {
    // With c = d clamped to [-δ, δ], both branches are c (d - c/2).
    const clamped = clip(d, -delta, delta);
    return mul(clamped, sub(d, mul(clamped, 0.5)));
  });
}

/**
 * Kullback-Leibler divergence of the output from the target: Σ t (log t - output) / N, for an output of
 * log-probabilities and targets of probabilities; the sum over everything but the batch (PyTorch's "batchmean").
 */
export const klDivergence = (): LossOfTerms =>
  defineLoss((output, target) => {
    const t = probabilitiesLike("klDivergence", output, target);
    const logarithm = log(where(greater(t, 0), t, 1)); // 0 log 0 = 0
    const axes = output.shape.map((_, axis) => axis).slice(1);
    return { terms: reduceSum(mul(t, sub(logarithm, output)), axes) };
  });

/** Losses by name, each a function that makes it with its default options; see `lossOf`. */
export const losses = {
  crossEntropy,
  categoricalCrossEntropy,
  binaryCrossEntropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
  klDivergence,
  ctc,
} as const satisfies Record<string, () => Loss>;

/** Name of a loss, such as `"crossEntropy"`: a key of `losses`. */
export type LossName = keyof typeof losses;

/** The loss of a name with its default options. Throws OptionError with the nearest name. */
export function lossOf(name: LossName): LossOfTerms {
  if (!Object.hasOwn(losses, name)) throw unknownName("loss", name, Object.keys(losses));
  return losses[name]();
}
