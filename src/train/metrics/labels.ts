/** Metrics of labels, of which a sample has any number: log odds above 0 are predicted. */
import type { Value } from "../../graph/ir.ts";
import { cast, concat, equal, greater, mul, reduceMin, reduceSum, reshape } from "../../ops/index.ts";
import type { Metric } from "./metric.ts";

/** The sum of all elements, [1]. */
const total = (x: Value): Value => reshape(reduceSum(x), [1]);
const predictedOf = (output: Value): Value => cast(greater(output, 0), "float32");

/**
 * Of labels y [N, labels] of 0 and 1 beside log odds of the same shape: 2 hits / (predicted + actual) over all samples and labels
 * (micro-averaged F1); 1 where there are neither.
 * @example metrics: [labelF1(), exactLabels()]
 */
export const labelF1 = (): Metric => ({
  name: "labelF1",
  size: 3,
  update(output, target) {
    const predicted = predictedOf(output);
    return concat([total(mul(predicted, target)), total(predicted), total(target)]);
  },
  result: ([hits = 0, predicted = 0, actual = 0]) => (predicted + actual === 0 ? 1 : (2 * hits) / (predicted + actual)),
  direction: "up",
});

/** The share of samples whose labels are all predicted, and no others; operands as those of `labelF1`. */
export const exactLabels = (): Metric => ({
  name: "exactLabels",
  size: 2,
  update(output, target) {
    const right = reduceMin(cast(equal(predictedOf(output), target), "float32"), 1);
    return concat([total(right), total(cast(equal(right, right), "float32"))]);
  },
  result: ([right = 0, samples = 0]) => right / samples,
  direction: "up",
});
