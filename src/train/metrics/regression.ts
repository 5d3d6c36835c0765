/** Metrics of numbers: errors, and how much of the targets' variance is explained. */
import type { Value } from "../../graph/ir.ts";
import { targetsLike } from "../../nn/losses/targets.ts";
import { abs, cast, full, mul, reduceSum, square, sub } from "../../ops/index.ts";
import { type Metric, meanStatistics, ratio, rowWeights, statistics } from "./metric.ts";

/** A mean over all elements of a function of the difference output - target. */
const errorMetric = (
  name: string,
  penalty: (difference: Value) => Value,
  result: Metric["result"] = ratio,
): Metric => ({
  name,
  size: 2,
  update(output, target, counting) {
    const difference = sub(output, targetsLike(name, output, target));
    return meanStatistics(penalty(difference), rowWeights(name, output.shape, counting?.weight));
  },
  result,
  direction: "down",
});

/** Mean |output - target| over all elements, in the units of the target; its name in results is `meanAbsoluteError`. */
export const meanAbsoluteErrorMetric = (): Metric => errorMetric("meanAbsoluteError", abs);

/** Square root of the mean (output - target)² over all elements, in the units of the target. */
export const rootMeanSquaredError = (): Metric =>
  errorMetric("rootMeanSquaredError", square, (totals) => Math.sqrt(ratio(totals)));

/** A float64 sum as two float32 that add up to it, so that it leaves the graph with 48 significant bits. */
function highAndLow(sum: Value): [Value, Value] {
  const high = cast(sum, "float32");
  return [high, cast(sub(sum, cast(high, "float64")), "float32")];
}

/** Coefficient of determination 1 - Σ (t - output)² / Σ (t - mean t)² over all elements; 1 is perfect, the mean gives 0. */
export const r2 = (): Metric => ({
  name: "r2",
  size: 6,
  update(output, target, counting) {
    const t = cast(targetsLike("r2", output, target), "float64");
    const weights = cast(rowWeights("r2", output.shape, counting?.weight) ?? full(output.shape, 1), "float64");
    const total = (values: Value) => reduceSum(mul(values, weights));
    const residual = total(square(sub(t, cast(output, "float64"))));
    return statistics(residual, ...highAndLow(total(t)), ...highAndLow(total(square(t))), reduceSum(weights));
  },
  result([residual = 0, high = 0, low = 0, squareHigh = 0, squareLow = 0, count = 0]) {
    const sum = high + low;
    return 1 - residual / (squareHigh + squareLow - (sum * sum) / count);
  },
  direction: "up",
});
