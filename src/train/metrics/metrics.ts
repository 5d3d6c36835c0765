/** Metrics: measures of a model's output that add up over batches; inside the graph only sums are taken. */
import { isFloat } from "../../core/dtype.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { requireCount } from "../../nn/options.ts";
import { countedLabels, labelsFor, requireFloatOutput, targetsLike } from "../../nn/losses/targets.ts";
import {
  abs,
  add,
  argMax,
  cast,
  concat,
  equal,
  full,
  gatherElements,
  greater,
  logSoftmax,
  mul,
  neg,
  reduceSum,
  reshape,
  scatterRows,
  square,
  sub,
  topK,
} from "../../ops/index.ts";

export interface Metric {
  /** Name in results and logs. */
  readonly name: string;
  /** Numbers among its statistics. */
  readonly size: number;
  /** Statistics of a batch, float32 [size]; those of several batches are added (in float64, outside the graph). */
  update(output: Value, target: Value): Value;
  /** The metric from added statistics; NaN when nothing was measured. */
  result(statistics: Float64Array): number;
  /** Whether higher ("up") or lower ("down") is better. */
  readonly direction: "up" | "down";
}

/** Scalars of any dtype as one float32 vector. */
const statistics = (...sums: readonly (Value | number)[]): Value =>
  concat(sums.map((sum) => (typeof sum === "number" ? full([1], sum) : reshape(cast(sum, "float32"), [1]))));

const ratio = (statistics: Float64Array): number => (statistics[0] ?? 0) / (statistics[1] ?? 0);

interface Decisions {
  /** Predicted and true classes, int64 [rows]. */
  readonly predicted: Value;
  readonly actual: Value;
  readonly rows: number;
}

/**
 * Predicted and true classes. Logits [..., C] go with integer labels [...] or one-hot rows [..., C]; one logit a sample,
 * [N] or [N, 1], decides between the classes 0 and 1 by its sign, as does a target by being above 1/2.
 */
function decide(where: string, output: Value, target: Value): Decisions {
  requireFloatOutput(where, output);
  if (output.rank < 2 || output.shape.at(-1) === 1) {
    const rows = size(output.shape);
    const truth = targetsLike(where, output, target);
    const classOf = (x: Value, threshold: number) => reshape(cast(greater(x, threshold), "int64"), [rows]);
    return { predicted: classOf(output, 0), actual: classOf(truth, 0.5), rows };
  }
  const rows = size(output.shape.slice(0, -1));
  const oneHot = isFloat(target.dtype) && sameShape(target.shape, output.shape);
  const actual = oneHot ? argMax(target) : cast(labelsFor(where, output, target), "int64");
  return { predicted: reshape(argMax(output), [rows]), actual: reshape(actual, [rows]), rows };
}

/** Labels that do not count. */
export interface IgnoreOptions {
  /** A label that stands for none, such as padding; default: all count. */
  readonly ignore?: number;
}

/**
 * Share of the samples whose class is right.
 * @example
 * await fit(model, data, { loss: crossEntropy(), optimizer: adam(), epochs: 3, metrics: [accuracy()] });
 */
export const accuracy = ({ ignore }: IgnoreOptions = {}): Metric => ({
  name: "accuracy",
  size: 2,
  update(output, target) {
    const { predicted, actual, rows } = decide("accuracy", output, target);
    const hits = cast(equal(predicted, actual), "float32");
    if (ignore === undefined) return statistics(reduceSum(hits), rows);
    const { counts } = countedLabels(actual, ignore, "float32");
    return statistics(reduceSum(mul(hits, counts)), reduceSum(counts));
  },
  result: ratio,
  direction: "up",
});

/** Share of the samples whose class is among the `k` largest logits; labels are integers. */
export function topKAccuracy(k: number): Metric {
  requireCount("topKAccuracy", "k", k);
  const name = `top${k}Accuracy`;
  return {
    name,
    size: 2,
    update(output, target) {
      const labels = labelsFor(name, output, target);
      const hits = equal(topK(output, k).indices, cast(reshape(labels, [...labels.shape, 1]), "int64"));
      return statistics(reduceSum(cast(hits, "float32")), size(labels.shape));
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

/** Counts of samples by true and predicted class, from which confusionOf makes the matrix. The result is the accuracy. */
export function confusionMatrix(classes: number): Metric {
  requireCount("confusionMatrix", "classes", classes);
  return {
    name: "confusionMatrix",
    size: classes * classes,
    update(output, target) {
      requireClasses("confusionMatrix", output, classes);
      const { predicted, actual, rows } = decide("confusionMatrix", output, target);
      return scatterRows([classes * classes], add(mul(actual, classes), predicted), full([rows], 1));
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

export interface AverageOptions {
  readonly classes: number;
  /**
   * How classes are averaged: `macro`, evenly over the classes that occurred or were predicted (default); `weighted`, by
   * how often each occurred; `micro`, over samples, which equals accuracy.
   */
  readonly average?: "macro" | "micro" | "weighted";
}

/** Of one class: samples of it that were found, samples predicted as it, samples of it. */
type ClassScore = (hits: number, predicted: number, actual: number) => number;

/** A score by class, averaged; a class whose score is 0/0 counts as 0. */
function averaged(name: string, score: ClassScore, { classes, average = "macro" }: AverageOptions): Metric {
  requireCount(name, "classes", classes);
  if (!["macro", "micro", "weighted"].includes(average))
    throw new OptionError(`${name}: average is "${average}"; pass "macro", "micro" or "weighted"`);
  const safe: ClassScore = (...counts) => score(...counts) || 0;
  return {
    name,
    size: 3 * classes,
    update(output, target) {
      requireClasses(name, output, classes);
      const { predicted, actual, rows } = decide(name, output, target);
      const places = concat([actual, add(predicted, classes), add(actual, 2 * classes)]);
      const hits = cast(equal(predicted, actual), "float32");
      return scatterRows([3 * classes], places, concat([hits, full([2 * rows], 1)]));
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

/** Of the samples predicted as a class, the share that belongs to it. */
export const precision = (options: AverageOptions): Metric =>
  averaged("precision", (hits, predicted) => hits / predicted, options);
/** Of the samples of a class, the share that was found. */
export const recall = (options: AverageOptions): Metric =>
  averaged("recall", (hits, _, actual) => hits / actual, options);
/** Harmonic mean of precision and recall, 2 hits / (predicted + actual). */
export const f1 = (options: AverageOptions): Metric =>
  averaged("f1", (hits, predicted, actual) => (2 * hits) / (predicted + actual), options);

/** e to the mean cross-entropy of logits [..., C] and integer labels [...]. */
export const perplexity = ({ ignore }: IgnoreOptions = {}): Metric => ({
  name: "perplexity",
  size: 2,
  update(output, target) {
    const given = labelsFor("perplexity", output, target);
    const column = reshape(given, [...given.shape, 1]);
    const counted = ignore === undefined ? undefined : countedLabels(column, ignore, "float32");
    const chosen = gatherElements(logSoftmax(output), counted?.labels ?? column, output.rank - 1);
    if (!counted) return statistics(neg(reduceSum(chosen)), size(given.shape));
    return statistics(neg(reduceSum(mul(chosen, counted.counts))), reduceSum(counted.counts));
  },
  result: (totals) => Math.exp(ratio(totals)),
  direction: "down",
});

/** Mean |output - target| over all elements. */
export const meanAbsoluteErrorMetric = (): Metric => ({
  name: "meanAbsoluteError",
  size: 2,
  update: (output, target) =>
    statistics(reduceSum(abs(sub(output, targetsLike("meanAbsoluteError", output, target)))), size(output.shape)),
  result: ratio,
  direction: "down",
});

/** Square root of the mean (output - target)² over all elements. */
export const rootMeanSquaredError = (): Metric => ({
  name: "rootMeanSquaredError",
  size: 2,
  update: (output, target) =>
    statistics(reduceSum(square(sub(output, targetsLike("rootMeanSquaredError", output, target)))), size(output.shape)),
  result: (totals) => Math.sqrt(ratio(totals)),
  direction: "down",
});

/** A float64 sum as two float32 that add up to it, so that it leaves the graph with 48 significant bits. */
function highAndLow(sum: Value): [Value, Value] {
  const high = cast(sum, "float32");
  return [high, cast(sub(sum, cast(high, "float64")), "float32")];
}

/** Coefficient of determination 1 - Σ (t - output)² / Σ (t - mean t)² over all elements; 1 is perfect, the mean gives 0. */
export const r2 = (): Metric => ({
  name: "r2",
  size: 6,
  update(output, target) {
    const t = cast(targetsLike("r2", output, target), "float64");
    const residual = reduceSum(square(sub(t, cast(output, "float64"))));
    return statistics(residual, ...highAndLow(reduceSum(t)), ...highAndLow(reduceSum(square(t))), size(output.shape));
  },
  result([residual = 0, high = 0, low = 0, squareHigh = 0, squareLow = 0, count = 0]) {
    const sum = high + low;
    return 1 - residual / (squareHigh + squareLow - (sum * sum) / count);
  },
  direction: "up",
});
