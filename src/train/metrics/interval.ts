/** How sure a mean of a few runs is: Student's interval (Student 1908). */
import { DataError } from "../../core/errors.ts";

/** 0.975-quantiles of Student's distribution of 1, 2, … degrees of freedom; beyond them that of the normal is near enough. */
const quantiles = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];

/** A mean with its confidence interval. */
export interface Interval {
  /** Mean of the values. */
  readonly mean: number;
  /** Ends of the interval that holds the true mean in 95 of 100 cases, where values are normal and independent. */
  readonly low: number;
  readonly high: number;
}

/** The mean of values with its 95 % confidence interval: mean ± t s / √n. Throws DataError for fewer than two. */
export function confidenceInterval(values: readonly number[]): Interval {
  const count = values.length;
  if (count < 2) throw new DataError(`confidenceInterval: got ${count} values; an interval needs two at least`);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = (quantiles[count - 2] ?? 1.96) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half };
}
