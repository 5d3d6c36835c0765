/** The privacy loss of one step on a grid, its mean preserved (Gopi, Lee, Wutschitz 2021, algorithm 2). */
import type { SampledGaussian } from "./history.ts";
import { type Direction, type LossTails, lossTails, meanLoss } from "./sampled-gaussian.ts";

/** Probabilities of losses (first + i) · spacing + shift. */
export interface DiscreteLoss {
  readonly first: number;
  readonly spacing: number;
  /** What makes the mean that of the loss itself; at most half the spacing. */
  readonly shift: number;
  readonly probabilities: Float64Array;
}

/** Steps of one kind. */
export interface Summand {
  readonly loss: DiscreteLoss;
  readonly steps: number;
}

/** Of a distribution whose probabilities are multiplied by exp(tilt · loss) and normalized. */
interface Tilted {
  /** log E exp(tilt · loss), what it is normalized by. */
  readonly logMoment: number;
  readonly mean: number;
  readonly variance: number;
}

/** The sum of losses of independent steps, tilted. */
export function tiltedSum(summands: readonly Summand[], tilt: number): Tilted {
  const sum = { logMoment: 0, mean: 0, variance: 0 };
  for (const { loss, steps } of summands) {
    const own = tilted(loss, tilt);
    sum.logMoment += steps * own.logMoment;
    sum.mean += steps * own.mean;
    sum.variance += steps * own.variance;
  }
  return sum;
}

function tilted({ first, spacing, shift, probabilities }: DiscreteLoss, tilt: number): Tilted {
  const at = (i: number) => (first + i) * spacing + shift;
  const isLikely = (own: number) => own > 0;
  const most = Math.max(tilt * at(probabilities.findIndex(isLikely)), tilt * at(probabilities.findLastIndex(isLikely)));
  let [total, sum, squares] = [0, 0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    const loss = at(i);
    const weight = (probabilities[i] as number) * Math.exp(tilt * loss - most);
    total += weight;
    sum += weight * loss;
    squares += weight * loss * loss;
  }
  const mean = sum / total;
  return { logMoment: Math.log(total) + most, mean, variance: Math.max(0, squares / total - mean * mean) };
}

/** The range outside which a loss is with a probability of `rare` at most on each side. */
export function lossRange(mechanism: SampledGaussian, direction: Direction, rare: number): readonly [number, number] {
  const { lower, upper } = lossTails(mechanism, direction);
  const mean = meanLoss(mechanism, direction);
  /** The nearest place in a direction where the tail is rare, within a thousandth of its distance. */
  const end = (sign: 1 | -1, tail: (t: number) => number) => {
    let [near, far] = [0, 1e-6];
    while (tail(mean + sign * far) > rare) [near, far] = [far, 2 * far];
    while (far - near > 1e-3 * far) {
      const middle = (near + far) / 2;
      if (tail(mean + sign * middle) > rare) near = middle;
      else far = middle;
    }
    return mean + sign * far;
  };
  return [end(-1, lower), end(1, upper)];
}

/** Probabilities of the cells around first · spacing to last · spacing, tails within the outermost ones. */
function cellProbabilities(tails: LossTails, first: number, last: number, spacing: number, mean: number): Float64Array {
  const probabilities = new Float64Array(last - first + 1);
  // Differences of the smaller tail: below the mean of what is below, above it of what is above.
  let [before, isBelow] = [0, true];
  for (let i = first; i <= last; i++) {
    const edge = (i + 0.5) * spacing;
    if (i < last && edge < mean) {
      const below = tails.lower(edge);
      probabilities[i - first] = below - before;
      before = below;
      continue;
    }
    const above = i === last ? 0 : tails.upper(edge);
    probabilities[i - first] = isBelow ? 1 - before - above : before - above;
    [before, isBelow] = [above, false];
  }
  return probabilities;
}

/**
 * The loss of one step, rounded to multiples of the spacing and shifted, so that its mean is kept. What is outside of the range is put
 * at its ends.
 */
export function discreteLoss(
  mechanism: SampledGaussian,
  direction: Direction,
  spacing: number,
  [least, most]: readonly [number, number],
): DiscreteLoss {
  const mean = meanLoss(mechanism, direction);
  const [first, last] = [Math.floor(least / spacing), Math.ceil(most / spacing)];
  const probabilities = cellProbabilities(lossTails(mechanism, direction), first, last, spacing, mean);
  let rounded = 0;
  for (let i = 0; i < probabilities.length; i++) rounded += (probabilities[i] as number) * (first + i) * spacing;
  return { first, spacing, shift: mean - rounded, probabilities };
}
