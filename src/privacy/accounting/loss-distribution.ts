/**
 * The accountant of privacy-loss distributions: the losses of all steps, discretized and added up by FFT, with bounds of every error
 * (Gopi, Lee, Wutschitz 2021, "Numerical composition of differential privacy"; "PRV" for privacy random variables).
 *
 * Of the loss Y of a step, tails of probability τ are put at the ends of a range, and the rest is rounded to a grid of spacing h so that
 * the mean stays. The rounding errors Z of k steps are then independent, of mean 0, each within an interval of length h, so that by
 * Hoeffding's inequality Pr[|ΣZ| > η] ≤ 2 exp(-2η² / (kh²)). With probability 1 - δ₁ - δ₂, δ₁ = 2kτ and δ₂ that bound, the exact sum
 * and the computed one are within η of each other, so that δ(ε) ≤ computed δ(ε - η) + δ₁ + δ₂, and likewise from below. What the
 * FFT rounds and wraps is bounded beside it (`composition.ts`).
 */
import { greatest, least } from "../../core/lists.ts";
import { type ComposedLoss, composed, deltaAt, epsilonAt } from "./composition.ts";
import { discreteLoss, lossRange, type Summand } from "./discrete-loss.ts";
import { fewestPhases, type PrivacyPhase } from "./history.ts";
import { renyiDelta, renyiEpsilon } from "./renyi.ts";
import { type Direction, greatestLoss } from "./sampled-gaussian.ts";
import { windowAt } from "./tilt.ts";

/** A value with bounds: the exact one lies between `lower` and `upper`, and `estimate` is near it. */
export interface PrivacyBounds {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
}

/** The least delta that is computed; a smaller one is given as this. */
export const leastDelta = 1e-30;
/** Most places of a grid, a power of 2; a finer grid would not fit. */
const mostPlaces = 2 ** 20;
/** Cells of a step's losses that show where to compute their sum. */
const roughCells = 2000;
/** Windows at most that are looked at before the one that counts. */
const mostLooks = 50;
/** The share of delta that truncation, and that rounding, may be off by. */
const deltaShare = 5e-4;
/** The error of epsilon that is aimed at: this share of it up to 1, above as of 1, at least the smallest. */
const epsilonShare = 0.01;
const smallestError = 1e-4;

/** The sum of all losses in one direction, with what it is off by. */
interface Curve {
  readonly loss: ComposedLoss;
  /** η: how far off losses may be. */
  readonly epsilonError: number;
  /** δ₁ + δ₂: the probability that one is farther off. */
  readonly deltaError: number;
  /** Standard deviation of losses near the place that was asked for. */
  readonly deviation: number;
}

/** What a curve is computed for. */
interface Accuracy {
  /** The epsilon near which it is exact. */
  readonly center: number;
  /** The delta beside which its errors are small, or what it lacks to 1. */
  readonly delta: number;
  /** The η that is aimed at. */
  readonly epsilonError: number;
  /** Places of the grid at most. */
  readonly places: number;
}

/** Composes a history of sampled and at most one unsampled phase. */
function curveOf(history: readonly PrivacyPhase[], direction: Direction, accuracy: Accuracy): Curve {
  const { center, delta, epsilonError, places } = accuracy;
  const steps = history.reduce((sum, phase) => sum + phase.steps, 0);
  const failure = deltaShare * delta;
  // η = h √(k/2 log(2/δ₂)).
  const errorOfSpacing = Math.sqrt((steps / 2) * Math.log(2 / failure));
  const aimed = epsilonError / errorOfSpacing;
  const rare = failure / (2 * steps);
  const ranges = history.map((phase) => lossRange(phase, direction, rare));
  const summands = (spacingOf: (width: number) => number): Summand[] =>
    history.map((phase, i) => {
      const range = ranges[i] as readonly [number, number];
      return { loss: discreteLoss(phase, direction, spacingOf(range[1] - range[0]), range), steps: phase.steps };
    });
  const window = windowAt(
    { center, delta, margin: epsilonError },
    summands((width) => Math.max(width / roughCells, aimed)),
  );
  const widest = greatest(ranges.map(([from, to]) => to - from));
  const spacing = Math.max(aimed, (window.high - window.low) / (places - 2), widest / places);
  const size = 2 ** Math.max(6, Math.ceil(Math.log2((window.high - window.low) / spacing + 2)));
  // The mean that is kept is of the loss without its range. Beyond its ends losses rise by 1/σ² an x at most, and x is beyond by σ in the
  // mean at most, so that the means of k steps differ by 2kτ/σ = δ₁/σ.
  const meanError = failure / least(history.map(({ noiseMultiplier }) => noiseMultiplier));
  return {
    loss: composed(
      summands(() => spacing),
      spacing,
      window,
      size,
    ),
    epsilonError: spacing * errorOfSpacing + meanError,
    deltaError: 2 * failure,
    deviation: window.deviation,
  };
}

/** Whether both directions are alike, as they are without sampling. */
const isSymmetric = (history: readonly PrivacyPhase[]): boolean => history.every(({ sampleRate }) => sampleRate === 1);

/** Places of a grid for a first look: fine enough for the losses of a step, up to some ten million steps. */
function fewPlaces(history: readonly PrivacyPhase[]): number {
  const steps = history.reduce((sum, phase) => sum + phase.steps, 0);
  return 2 ** Math.min(16, Math.max(12, Math.ceil(Math.log2(16 * Math.sqrt(steps)))));
}

/** The error of epsilon to aim at. */
const errorFor = (epsilon: number): number => Math.max(smallestError, epsilonShare * Math.min(1, epsilon));

/** What the sum of all losses never exceeds. */
const greatestSum = (history: readonly PrivacyPhase[], direction: Direction): number =>
  history.reduce((sum, phase) => sum + phase.steps * greatestLoss(phase, direction), 0);

const nothing: PrivacyBounds = { lower: 0, estimate: 0, upper: 0 };

/** Where epsilon is, near enough, from 0 to a bound: by looks at windows, of which each has it or shows on which side it is. */
function lookFor(direction: Direction, history: readonly PrivacyPhase[], delta: number, bound: number): number {
  const places = fewPlaces(history);
  let [from, to] = [0, bound];
  let center = bound;
  for (let look = 0; look < mostLooks && to - from > smallestError; look++) {
    const { loss, deviation } = curveOf(history, direction, {
      center,
      delta: Math.min(delta, 1 - delta),
      epsilonError: errorFor(center),
      places,
    });
    const seen = epsilonAt(loss, delta, 0);
    const isSeen = seen > loss.low && seen < Number.POSITIVE_INFINITY;
    if (isSeen && Math.abs(seen - center) <= deviation) return Math.min(bound, Math.max(0, seen));
    [from, to] = seen < center ? [from, center] : [center, to];
    center = isSeen ? Math.min(to, Math.max(from, seen)) : (from + to) / 2;
  }
  return to;
}

/**
 * Epsilon at a delta in one direction, at most a bound. Where it is below a rival, it need only be exact enough to show that.
 */
function epsilonIn(
  direction: Direction,
  history: readonly PrivacyPhase[],
  delta: number,
  { bound, rival }: { readonly bound: number; readonly rival: number },
): PrivacyBounds {
  const greatest = greatestSum(history, direction);
  // Near the greatest sum no tilt has its mean.
  const center = lookFor(direction, history, delta, Math.min(bound, 0.9 * greatest));
  const aimed = Math.max(errorFor(center), (rival - center) / 3);
  const accuracy = { center, delta: Math.min(delta, 1 - delta), epsilonError: aimed, places: mostPlaces };
  const { loss, epsilonError, deltaError } = curveOf(history, direction, accuracy);
  const bounds = {
    lower: Math.max(0, epsilonAt(loss, delta + deltaError, -1) - epsilonError),
    estimate: Math.min(greatest, Math.max(0, epsilonAt(loss, delta, 0))),
    upper: Math.min(greatest, Math.max(0, epsilonAt(loss, delta - deltaError, 1) + epsilonError)),
  };
  return orKnown(bounds, loss, bound);
}

/** Delta at an epsilon in one direction, given an upper bound of it. */
function deltaIn(
  direction: Direction,
  history: readonly PrivacyPhase[],
  epsilon: number,
  bound: number,
): PrivacyBounds {
  if (epsilon >= greatestSum(history, direction)) return nothing;
  const accuracy = { center: epsilon, epsilonError: errorFor(epsilon) };
  const look = curveOf(history, direction, { ...accuracy, delta: bound, places: fewPlaces(history) });
  const delta = Math.min(bound, Math.max(leastDelta, deltaAt(look.loss, epsilon, 0)));
  const { loss, epsilonError, deltaError } = curveOf(history, direction, { ...accuracy, delta, places: mostPlaces });
  const bounds = {
    lower: Math.max(0, deltaAt(loss, epsilon + epsilonError, -1) - deltaError),
    estimate: deltaAt(loss, epsilon, 0),
    upper: Math.min(1, deltaAt(loss, epsilon - epsilonError, 1) + deltaError),
  };
  return orKnown(bounds, loss, bound);
}

/** Bounds of which float64 may hold none, for losses of billions: then what is known besides is left. */
const orKnown = (own: PrivacyBounds, { logSlack }: ComposedLoss, bound: number): PrivacyBounds =>
  [logSlack, own.lower, own.estimate, own.upper].some(Number.isNaN) ? { lower: 0, estimate: bound, upper: bound } : own;

/** The worse of what the directions give, at most `bound`. */
function worst(results: readonly PrivacyBounds[], bound: number): PrivacyBounds {
  const most = (name: keyof PrivacyBounds) => Math.min(bound, Math.max(0, ...results.map((own) => own[name])));
  return { lower: most("lower"), estimate: most("estimate"), upper: most("upper") };
}

/**
 * Epsilon at a delta from `leastDelta`. Its error is aimed to be 1% up to an epsilon of 1, 0.01 above it, 0.0001 at least; many steps or a
 * large epsilon make it larger. At most the Rényi accountant's, which is an upper bound too. Infinity without noise.
 */
export function lossEpsilon(history: readonly PrivacyPhase[], delta: number): PrivacyBounds {
  const { value: bound } = renyiEpsilon(history, delta);
  if (bound === 0 || bound === Number.POSITIVE_INFINITY) return { lower: bound, estimate: bound, upper: bound };
  const phases = fewestPhases(history);
  const removed = epsilonIn("remove", phases, delta, { bound, rival: 0 });
  if (isSymmetric(phases)) return worst([removed], bound);
  const added = epsilonIn("add", phases, delta, { bound, rival: Math.min(bound, removed.estimate) });
  return worst([removed, added], bound);
}

/** Delta at an epsilon from 0; errors as in `lossEpsilon`. What is less than `leastDelta` is given as that. */
export function lossDelta(history: readonly PrivacyPhase[], epsilon: number): PrivacyBounds {
  const { value: bound } = renyiDelta(history, epsilon);
  if (bound <= leastDelta) return { lower: 0, estimate: bound, upper: leastDelta };
  if (history.some(({ noiseMultiplier }) => noiseMultiplier === 0)) return { lower: 1, estimate: 1, upper: 1 };
  const phases = fewestPhases(history);
  const directions: readonly Direction[] = isSymmetric(phases) ? ["remove"] : ["remove", "add"];
  return worst(
    directions.map((direction) => deltaIn(direction, phases, epsilon, bound)),
    bound,
  );
}
