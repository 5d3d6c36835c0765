/** From numbers that were seen to the range that is worth rounding: all of it, or without what is far out and rare. */
import type { Range } from "./grid.ts";

/** How a range is chosen of what calibration saw. */
export const rangeMethods = ["minmax", "percentile", "mse", "entropy"] as const;
/** Name of a way to choose a range, see `rangeMethods`. */
export type RangeMethod = (typeof rangeMethods)[number];

/** How many numbers fell into each of equal parts of a range. */
export class Histogram {
  readonly range: Range;
  readonly counts = new Float64Array(bins);

  constructor(range: Range) {
    this.range = range;
  }

  /** Width of a part. */
  get width(): number {
    return (this.range.high - this.range.low) / bins;
  }

  add(numbers: ArrayLike<number>): void {
    const { low, high } = this.range;
    const scale = high > low ? bins / (high - low) : 0;
    for (let i = 0; i < numbers.length; i++) {
      const at = Math.floor(((numbers[i] as number) - low) * scale);
      const bin = Math.min(bins - 1, Math.max(0, at));
      this.counts[bin] = (this.counts[bin] as number) + 1;
    }
  }

  /** The middle of a part. */
  middle(bin: number): number {
    return this.range.low + (bin + 0.5) * this.width;
  }
}

const bins = 8192;

/** Numbers that lie within the range of `percentile`, in percent. */
const kept = 99.99;

/**
 * The range for a histogram by a method other than "minmax".
 *
 * - `percentile`: without a share of 0.01 %, half of it at each end where both ends are away from 0.
 * - `mse`: of the ranges that are shrunk towards 0, that of the least mean squared error after rounding to 256 numbers.
 * - `entropy`: that whose rounded distribution has the least Kullback-Leibler divergence (Migacz 2017), searched alike.
 */
export function rangeOf(histogram: Histogram, method: Exclude<RangeMethod, "minmax">): Range {
  const { low, high } = histogram.range;
  if (high <= low) return { low, high };
  if (method === "percentile") return percentileRange(histogram);
  const loss = method === "mse" ? squaredError : divergence;
  let best: Range = { low, high };
  let least = Number.POSITIVE_INFINITY;
  // A one-sided range is shrunk at its far end only: the other is 0 or near it.
  for (let step = 0; step < 64; step++) {
    const share = 1 - step / 72;
    const range = { low: low * share, high: high * share };
    const error = loss(histogram, range);
    if (error < least) [best, least] = [range, error];
  }
  return best;
}

function percentileRange(histogram: Histogram): Range {
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  const { low, high } = histogram.range;
  const twoSided = low < 0 && high > 0;
  const left = twoSided || low < 0 ? (total * (1 - kept / 100)) / (twoSided ? 2 : 1) : 0;
  const right = twoSided || high > 0 ? (total * (1 - kept / 100)) / (twoSided ? 2 : 1) : 0;
  let [first, last] = [0, bins - 1];
  for (
    let sum = histogram.counts[first] as number;
    sum <= left && first < last;
    sum += histogram.counts[first] as number
  )
    first++;
  for (
    let sum = histogram.counts[last] as number;
    sum <= right && last > first;
    sum += histogram.counts[last] as number
  )
    last--;
  const from = histogram.range.low + first * histogram.width;
  const to = histogram.range.low + (last + 1) * histogram.width;
  return { low: Math.max(low, from), high: Math.min(high, to) };
}

/** Sum of squared differences between numbers and what rounding to 256 within a range makes of them. */
function squaredError(histogram: Histogram, { low, high }: Range): number {
  const step = (Math.max(high, 0) - Math.min(low, 0)) / 255;
  let sum = 0;
  for (const [bin, count] of histogram.counts.entries()) {
    if (count === 0) continue;
    const x = histogram.middle(bin);
    const beyond = x - Math.min(high, Math.max(low, x));
    // A number within is off by up to half a step: step² / 12 on average.
    sum += count * (beyond === 0 ? (step * step) / 12 : beyond * beyond);
  }
  return sum;
}

/** The counts with as many numbers at 0 as beside it: those of ReLU stand for 0 exactly, whatever the range. */
function withoutZeros({ counts, range }: Histogram): Float64Array {
  const result = counts.slice();
  const zero = Math.floor((-range.low / (range.high - range.low)) * bins);
  if (zero >= 0 && zero < bins)
    result[zero] = Math.min(counts[zero] as number, counts[zero + 1] ?? counts[zero - 1] ?? 0);
  return result;
}

/** Divergence of the distribution from the same with its tails at the ends of the range and its parts joined to 255. */
function divergence(histogram: Histogram, { low, high }: Range): number {
  const counts = withoutZeros(histogram);
  const clipped = new Float64Array(bins);
  let [first, last] = [bins, -1];
  for (const [bin, count] of counts.entries()) {
    const at = Math.min(high, Math.max(low, histogram.middle(bin)));
    const place = Math.min(bins - 1, Math.max(0, Math.floor((at - histogram.range.low) / histogram.width)));
    clipped[place] = (clipped[place] as number) + count;
    if (count > 0) [first, last] = [Math.min(first, place), Math.max(last, place)];
  }
  const within = last - first + 1;
  const groups = Math.min(255, within);
  let [total, sum] = [0, 0];
  for (const count of clipped) total += count;
  let reference = 0;
  // Q has no tails: it is made of what lay within, and P has them at its ends.
  const q = new Float64Array(bins);
  for (let group = 0; group < groups; group++) {
    const from = first + Math.floor((group * within) / groups);
    const to = first + Math.floor(((group + 1) * within) / groups);
    let [count, filled] = [0, 0];
    for (let bin = from; bin < to; bin++) {
      count += counts[bin] as number;
      if ((counts[bin] as number) > 0) filled++;
    }
    for (let bin = from; bin < to; bin++) if ((counts[bin] as number) > 0) q[bin] = count / filled;
    reference += count;
  }
  for (let bin = first; bin <= last; bin++) {
    const p = (clipped[bin] as number) / total;
    if (p === 0) continue;
    const other = reference > 0 ? (q[bin] as number) / reference : 0;
    sum += p * Math.log(p / Math.max(other, 1e-12));
  }
  return sum;
}
