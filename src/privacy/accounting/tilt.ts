/**
 * Where a composed privacy loss is computed: the exponential tilt that makes losses near an epsilon the usual ones, and the window
 * around them beyond which the tilted distribution has next to nothing.
 *
 * A tail of 1e-12 drowns in the rounding of an FFT. Multiplied by exp(θ · loss) and normalized, the same losses lie in the middle of a
 * distribution, and what is rounded is small beside the tail itself (exponential tilting, or Esscher's transform).
 */
import { greatest } from "../../core/lists.ts";
import { type Summand, tiltedSum } from "./discrete-loss.ts";

/** A tilt and a window of the sum of all losses. */
export interface Window {
  /** θ, from 0. */
  readonly tilt: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation of the tilted sum. */
  readonly deviation: number;
  /** Tilts to lower and to raise by, for a Chernoff bound of what is below `low` and above `high`. */
  readonly reach: { readonly below: number; readonly above: number };
}

/** The share of delta that may come from beyond an end of the window. */
const outside = 1e-4;

/** The tilt from 0 to `most` at which the sum has this mean, which grows with the tilt. */
function tiltOfMean(mean: number, most: number, meanAt: (tilt: number) => number): number {
  if (meanAt(0) >= mean) return 0;
  let [low, high] = [0, Math.min(1, most)];
  while (high < most && meanAt(high) < mean) [low, high] = [high, Math.min(2 * high, most)];
  for (let i = 0; i < 40 && high - low > 1e-3 * high; i++) {
    const middle = (low + high) / 2;
    if (meanAt(middle) < mean) low = middle;
    else high = middle;
  }
  return high;
}

/** The least of a function that falls and then rises, over x, x/2, x/4, … */
function leastByHalving(from: number, valueAt: (x: number) => number): { readonly at: number; readonly value: number } {
  let least = { at: from, value: valueAt(from) };
  for (let at = from / 2; at > 0; at /= 2) {
    const value = valueAt(at);
    if (value > least.value) break;
    if (value < least.value) least = { at, value };
  }
  return least;
}

/** What a window is for. */
interface Aim {
  /** The epsilon near which losses count. */
  readonly center: number;
  /** The delta there, near enough. */
  readonly delta: number;
  /** The window holds what is as near to `center`. */
  readonly margin: number;
}

/** The tilt and the window for an aim; of the steps' losses a coarse grid is enough. */
export function windowAt({ center, delta, margin }: Aim, summands: readonly Summand[]): Window {
  // A step's losses differ by a factor of exp(700) at most.
  const most = 700 / greatest(summands.map(({ loss }) => loss.spacing * loss.probabilities.length));
  const tilt = tiltOfMean(center, most, (own) => tiltedSum(summands, own).mean);
  const { logMoment, mean, variance } = tiltedSum(summands, tilt);
  const deviation = Math.sqrt(variance);
  // The tail from the center is at most exp(K(θ) - θ center); beyond the ends of the window lies exp(-rareness) of that.
  const rareness = Math.min(36, Math.max(8, logMoment - tilt * center - Math.log(outside * delta)));
  // Chernoff: Pr[S > t] ≤ exp(K(θ + λ) - K(θ) - λt), and as much below with -λ, where K is the sum's log-moment.
  const bound = (by: number) => (tiltedSum(summands, tilt + by).logMoment - logMoment + rareness) / Math.abs(by);
  const from = 16 / (deviation + margin);
  const [above, below] = [leastByHalving(from, bound), leastByHalving(from, (by) => bound(-by))];
  return {
    tilt,
    low: Math.min(-below.value, center, mean) - margin,
    high: Math.max(above.value, center, mean) + margin,
    deviation,
    reach: { below: below.at, above: above.at },
  };
}
