/** Metrics of classes: accuracy, precision and its kin, the confusion matrix, perplexity. */
import { isFloat } from "../../core/dtype.ts";
import { DataError, ShapeError } from "../../core/errors.ts";
import { count, oneOf } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { countedLabels, labelsFor, requireFloatOutput, targetsLike } from "../../nn/losses/targets.ts";
import { requireCount } from "../../nn/options.ts";
import {
  add,
  argMax,
  cast,
  checkFed,
  concat,
  equal,
  full,
  gatherElements,
  greater,
  logSoftmax,
  mul,
  neg,
  placeOf,
  reduceSum,
  reshape,
  scatterRows,
  topK,
} from "../../ops/index.ts";
import {
  type Counting,
  type IgnoreOptions,
  ignoreTypes,
  type Metric,
  meanStatistics,
  ratio,
  rowWeights,
} from "./metric.ts";

interface Decisions {
  /** Predicted and true classes, int64 [rows]; 0 for those that do not count. */
  readonly predicted: Value;
  readonly actual: Value;
  /** What each row counts for, float32 [rows]; default 1. */
  readonly weights: Value | undefined;
  readonly rows: number;
}

/** Labels of rows, int64 of the shape of the rows, and what each counts for. */
function countedRows(where: string, output: Value, target: Value, { weight, ignoreIndex }: Counting) {
  const given = labelsFor(where, output, target, ignoreIndex);
  const samples = rowWeights(where, given.shape, weight);
  if (ignoreIndex === undefined) return { labels: cast(given, "int64"), weights: samples };
  const { labels, counts } = countedLabels(cast(given, "int64"), ignoreIndex, "float32");
  return { labels, weights: samples ? mul(samples, counts) : counts };
}

/**
 * Predicted and true classes. Logits [..., C] go with integer labels [...] or one-hot rows [..., C]; one logit a sample,
 * [N] or [N, 1], decides between the classes 0 and 1 by its sign. Numbers that are no classes are refused when they are fed.
 */
function decide(where: string, output: Value, target: Value, counting: Counting): Decisions {
  requireFloatOutput(where, output);
  if (output.rank < 2 || output.shape.at(-1) === 1) {
    const rows = size(output.shape);
    const truth = targetsLike(where, output, target);
    checkFed(target, `${where} of two classes`, (fed, name) => requireBinary(where, fed, name));
    const classOf = (x: Value, threshold: number) => reshape(cast(greater(x, threshold), "int64"), [rows]);
    const weights = rowWeights(where, output.shape, counting.weight);
    return {
      predicted: classOf(output, 0),
      actual: classOf(truth, 0.5),
      weights: weights && reshape(weights, [rows]),
      rows,
    };
  }
  const rows = size(output.shape.slice(0, -1));
  const flat = (values: Value) => reshape(values, [rows]);
  const predicted = flat(argMax(output));
  if (isFloat(target.dtype) && sameShape(target.shape, output.shape)) {
    checkFed(target, `${where} of distributions`, (fed, name) => requireDistributions(where, fed, name));
    const weights = rowWeights(where, output.shape.slice(0, -1), counting.weight);
    return { predicted, actual: flat(argMax(target)), weights: weights && flat(weights), rows };
  }
  const { labels, weights } = countedRows(where, output, target, counting);
  return { predicted, actual: flat(labels), weights: weights && flat(weights), rows };
}

/** Throws DataError unless all targets are 0 or 1. */
function requireBinary(where: string, targets: Tensor, name: string): void {
  const at = Array.prototype.findIndex.call(targets.data, (value) => Number(value) !== 0 && Number(value) !== 1);
  if (at >= 0)
    throw new DataError(
      `${name}: the target of ${placeOf(targets, at)} is ${targets.data[at]}, and ${where} of one output a sample needs the classes 0 and 1; measure numbers by meanAbsoluteErrorMetric(), rootMeanSquaredError() or r2()`,
    );
}

/** Throws DataError unless each row is at least 0 and sums to 1, but for the rounding of float32. */
function requireDistributions(where: string, targets: Tensor, name: string): void {
  const classes = targets.shape.at(-1) ?? 1;
  const { data } = targets;
  for (let row = 0; row * classes < data.length; row++) {
    let sum = 0;
    let least = 0;
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      sum += Number(data[i]);
      least = Math.min(least, Number(data[i]));
    }
    if (least < 0 || !(Math.abs(sum - 1) < 1e-3))
      throw new DataError(
        `${name}: the numbers of row ${row} sum to ${sum}, and ${where} needs one-hot rows or probabilities, which sum to 1; measure numbers by meanAbsoluteErrorMetric(), rootMeanSquaredError() or r2()`,
      );
  }
}

const checkAccuracy = optionsOf("accuracy", ignoreTypes);
const checkTopK = optionsOf("topKAccuracy", ignoreTypes);
const checkConfusion = optionsOf("confusionMatrix", ignoreTypes);
const checkPerplexity = optionsOf("perplexity", ignoreTypes);

/** The ignored label of a metric's own options, or that of the loss. */
const counted = ({ ignoreIndex }: IgnoreOptions, counting: Counting = {}): Counting => ({
  ...counting,
  ignoreIndex: ignoreIndex ?? counting.ignoreIndex,
});

/**
 * Share of the samples whose class is right. Logits [..., C] go with integer labels [...] or one-hot rows [..., C]; one
 * logit a sample, [N] or [N, 1], decides between the classes 0 and 1 by its sign. Rows with the ignored label do not
 * count.
 * @example
 * await fit(model, data, { loss: crossEntropy(), optimizer: adam(), epochs: 3, metrics: [accuracy()] });
 */
export function accuracy(options: IgnoreOptions = {}): Metric {
  checkAccuracy(options);
  return {
    name: "accuracy",
    size: 2,
    update(output, target, counting) {
      const { predicted, actual, weights } = decide("accuracy", output, target, counted(options, counting));
      return meanStatistics(cast(equal(predicted, actual), "float32"), weights);
    },
    result: ratio,
    direction: "up",
  };
}

/**
 * Share of the samples whose class is among the `k` largest logits [..., C]; labels are integers [...]. Throws
 * OptionError unless k is a whole number from 1.
 */
export function topKAccuracy(k: number, options: IgnoreOptions = {}): Metric {
  requireCount("topKAccuracy", "k", k);
  checkTopK(options);
  const name = `top${k}Accuracy`;
  return {
    name,
    size: 2,
    update(output, target, counting) {
      const { labels, weights } = countedRows(name, output, target, counted(options, counting));
      const matches = equal(topK(output, k).indices, reshape(labels, [...labels.shape, 1])); // [..., k]
      // One of the k at most is the label.
      return meanStatistics(reduceSum(cast(matches, "float32"), labels.rank), weights);
    },
    result: ratio,
    direction: "up",
  };
}

/** Throws ShapeError unless the output distinguishes `classes` classes (one logit: two). */
function requireClasses(where: string, output: Value, classes: number): void {
  const has = output.rank < 2 || output.shape.at(-1) === 1 ? 2 : output.shape.at(-1);
  if (has !== classes)
    throw new ShapeError(
      `${where}: output ${showShape(output.shape)} has ${has} classes, expected ${classes}; pass classes: ${has}`,
    );
}

/**
 * Counts of samples by true and predicted class, from whose statistics `confusionOf` makes the matrix; operands as
 * those of `accuracy`. The result is the accuracy.
 */
export function confusionMatrix(classes: number, options: IgnoreOptions = {}): Metric {
  requireCount("confusionMatrix", "classes", classes);
  checkConfusion(options);
  return {
    name: "confusionMatrix",
    size: classes * classes,
    update(output, target, counting) {
      requireFloatOutput("confusionMatrix", output);
      requireClasses("confusionMatrix", output, classes);
      const found = decide("confusionMatrix", output, target, counted(options, counting));
      const cells = add(mul(found.actual, classes), found.predicted);
      return scatterRows([classes * classes], cells, found.weights ?? full([found.rows], 1));
    },
    result(counts) {
      const right = confusionOf(counts).reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
      return right / counts.reduce((sum, count) => sum + count, 0);
    },
    direction: "up",
  };
}

/** The confusion matrix of confusionMatrix's statistics: `[true class][predicted class]`. */
export function confusionOf(statistics: ArrayLike<number>): number[][] {
  const classes = Math.round(Math.sqrt(statistics.length));
  return Array.from({ length: classes }, (_, row) =>
    Array.from({ length: classes }, (_, column) => statistics[row * classes + column] ?? 0),
  );
}

/** Options of `precision`, `recall` and `f1`. */
export interface AverageOptions extends IgnoreOptions {
  /** Number of classes. */
  readonly classes: number;
  /**
   * How classes are averaged: `macro`, evenly over the classes that occurred or were predicted (default); `weighted`, by
   * how often each occurred; `micro`, over samples, which equals accuracy.
   */
  readonly average?: "macro" | "micro" | "weighted";
}

const averageTypes: OptionTypes<AverageOptions> = {
  ...ignoreTypes,
  classes: required(count()),
  average: oneOf("macro", "micro", "weighted"),
};
const checkPrecision = optionsOf("precision", averageTypes);
const checkRecall = optionsOf("recall", averageTypes);
const checkF1 = optionsOf("f1", averageTypes);

/** Of one class: samples of it that were found, samples predicted as it, samples of it. */
type ClassScore = (hits: number, predicted: number, actual: number) => number;

/** A score by class, averaged; a class whose score is 0/0 counts as 0. */
function averaged(name: string, score: ClassScore, options: AverageOptions): Metric {
  const { classes, average = "macro" } = options;
  const safe: ClassScore = (...counts) => score(...counts) || 0;
  return {
    name,
    size: 3 * classes,
    update(output, target, counting) {
      requireFloatOutput(name, output);
      requireClasses(name, output, classes);
      const { predicted, actual, rows, weights } = decide(name, output, target, counted(options, counting));
      const each = weights ?? full([rows], 1);
      const places = concat([actual, add(predicted, classes), add(actual, 2 * classes)]);
      const hits = cast(equal(predicted, actual), "float32");
      return scatterRows([3 * classes], places, concat([weights ? mul(hits, weights) : hits, each, each]));
    },
    result(counts) {
      const [hits, predicted, actual] = [0, 1, 2].map((i) => counts.slice(i * classes, (i + 1) * classes)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
      if (total(actual) === 0) return Number.NaN;
      if (average === "micro") return safe(total(hits), total(predicted), total(actual));
      const scores = hits.map((hit, i) => safe(hit, predicted[i] ?? 0, actual[i] ?? 0));
      if (average === "weighted") return total(scores.map((own, i) => own * (actual[i] ?? 0))) / total(actual);
      const seen = scores.filter((_, i) => (predicted[i] ?? 0) + (actual[i] ?? 0) > 0);
      return total(seen) / seen.length;
    },
    direction: "up",
  };
}

/**
 * Of the samples predicted as a class, the share that belongs to it, averaged over classes; operands as those of
 * `accuracy`.
 */
export const precision = (options: AverageOptions): Metric =>
  averaged("precision", (hits, predicted) => hits / predicted, checkPrecision(options));
/** Of the samples of a class, the share that was found, averaged over classes; operands as those of `accuracy`. */
export const recall = (options: AverageOptions): Metric =>
  averaged("recall", (hits, _, actual) => hits / actual, checkRecall(options));
/**
 * Harmonic mean of precision and recall, 2 hits / (predicted + actual), averaged over classes; operands as those of
 * `accuracy`.
 * @example metrics: [f1({ classes: 10, average: "weighted" })]
 */
export const f1 = (options: AverageOptions): Metric =>
  averaged("f1", (hits, predicted, actual) => (2 * hits) / (predicted + actual), checkF1(options));

/**
 * e to the mean cross-entropy of logits [..., C] and integer labels [...]: 1 is perfect, C is guessing. Rows with the
 * ignored label do not count.
 */
export function perplexity(options: IgnoreOptions = {}): Metric {
  checkPerplexity(options);
  return {
    name: "perplexity",
    size: 2,
    update(output, target, counting) {
      const { labels, weights } = countedRows("perplexity", output, target, counted(options, counting));
      const chosen = gatherElements(logSoftmax(output), reshape(labels, [...labels.shape, 1]), output.rank - 1);
      return meanStatistics(neg(reshape(chosen, labels.shape)), weights);
    },
    result: (totals) => Math.exp(ratio(totals)),
    direction: "down",
  };
}
