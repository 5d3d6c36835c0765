/** The sum of the discrete losses of many steps, by FFT under a tilt, and the delta that belongs to each epsilon. */
import FFT from "fft.js";
import { type DiscreteLoss, type Summand, tiltedSum } from "./discrete-loss.ts";
import type { Window } from "./tilt.ts";

/**
 * The distribution of a sum of losses within a window: probabilities of `low + i · spacing`. What they lack in any tail from t on,
 * and what rounding and the ends of the window add to it, is at most exp(logSlack - tilt · t).
 */
export interface ComposedLoss {
  readonly low: number;
  readonly spacing: number;
  readonly probabilities: Float64Array;
  readonly tilt: number;
  readonly logSlack: number;
}

/** The tilted probabilities of one loss on a circle of `size` places, as complex numbers, transformed. */
function spectrumOf(fft: FFT, { loss }: Summand, tilt: number): Float64Array {
  const { first, spacing, shift, probabilities } = loss;
  const { logMoment } = tiltedSum([{ loss, steps: 1 }], tilt);
  const circle = new Float64Array(fft.size);
  for (let i = 0; i < probabilities.length; i++) {
    const place = (((first + i) % fft.size) + fft.size) % fft.size;
    const weight = Math.exp(tilt * ((first + i) * spacing + shift) - logMoment);
    circle[place] = (circle[place] as number) + (probabilities[i] as number) * weight;
  }
  const spectrum = new Float64Array(2 * fft.size);
  fft.realTransform(spectrum, circle);
  return spectrum;
}

/** Multiplies the first half of a spectrum by the `steps`-th power of another, both as complex numbers; the rest is its conjugate. */
function multiplyByPower(product: Float64Array, spectrum: Float64Array, steps: number): void {
  for (let i = 0; i <= product.length / 2; i += 2) {
    const [real, imaginary] = [spectrum[i] as number, spectrum[i + 1] as number];
    const size = Math.exp((steps / 2) * Math.log(real * real + imaginary * imaginary));
    const angle = steps * Math.atan2(imaginary, real);
    const [factorReal, factorImaginary] = [size * Math.cos(angle), size * Math.sin(angle)];
    const [ownReal, ownImaginary] = [product[i] as number, product[i + 1] as number];
    product[i] = ownReal * factorReal - ownImaginary * factorImaginary;
    product[i + 1] = ownReal * factorImaginary + ownImaginary * factorReal;
  }
}

/**
 * Composes discrete losses that have one spacing.
 * @param size places of the window, a power of 2
 */
export function composed(summands: readonly Summand[], spacing: number, window: Window, size: number): ComposedLoss {
  const { tilt, reach } = window;
  const shift = summands.reduce((sum, { loss, steps }) => sum + steps * loss.shift, 0);
  const firstPlace = Math.floor((window.low - shift) / spacing);
  const [low, high] = [firstPlace * spacing + shift, (firstPlace + size) * spacing + shift];

  const fft = new FFT(size);
  const product = new Float64Array(2 * size);
  for (let i = 0; i < product.length; i += 2) product[i] = 1;
  for (const summand of summands) multiplyByPower(product, spectrumOf(fft, summand, tilt), summand.steps);
  fft.completeSpectrum(product);
  const circle = new Float64Array(2 * size);
  fft.inverseTransform(circle, product);

  const logMoment = (by: number) => tiltedSum(summands, tilt + by).logMoment;
  const whole = logMoment(0);
  const probabilities = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const place = (((firstPlace + i) % size) + size) % size;
    // Rounding leaves some slightly below 0; cutting them off would bias the sums. Where the factor overflows nothing but rounding is left.
    const factor = Math.exp(Math.min(700, whole - tilt * (low + i * spacing)));
    probabilities[i] = (circle[2 * place] as number) * factor;
  }
  // Chernoff bounds of the tilted sum outside of the window, which the circle puts inside.
  const outside =
    Math.exp(logMoment(reach.above) - whole - reach.above * high) +
    Math.exp(logMoment(-reach.below) - whole + reach.below * low);
  const slack = outside + roundingOf(summands, tilt, fft.size);
  return { low, spacing, probabilities, tilt, logSlack: whole + Math.log(slack) };
}

/**
 * What cells of a loss are off by in sum, in units of 2⁻⁵³, tilted: they are differences of tails, which z deviations from the mean are off
 * by some 2 + z² units, at most 2 - 2 log tail.
 */
function roundingOfCells(
  { first, spacing, shift, probabilities }: DiscreteLoss,
  tilt: number,
  logMoment: number,
): number {
  let sum = 0;
  for (const isUpper of [false, true]) {
    let tail = 0;
    for (let n = 0; n < probabilities.length && tail < 0.5; n++) {
      const i = isUpper ? probabilities.length - 1 - n : n;
      tail += probabilities[i] as number;
      const weight = Math.exp(tilt * ((first + i) * spacing + shift) - logMoment);
      if (tail > 0) sum += 2 * tail * (2 - 2 * Math.log(tail)) * weight;
    }
  }
  return sum;
}

/**
 * A bound of what rounding adds to the tilted probabilities, in sum. An FFT is off by 7u log₂ n of its norm at most, u = 2⁻⁵³ (Higham 2002,
 * "Accuracy and stability of numerical algorithms", theorem 24.2), a power multiplies that by its steps, and a sum over n places
 * is at most √n times the norm. A step's cells are off beside that.
 */
function roundingOf(summands: readonly Summand[], tilt: number, size: number): number {
  const ofTransform = Math.sqrt(size) * (7 * Math.log2(size) + 14);
  const units = summands.reduce((sum, { loss, steps }) => {
    const { logMoment } = tiltedSum([{ loss, steps: 1 }], tilt);
    return sum + steps * (ofTransform + roundingOfCells(loss, tilt, logMoment));
  }, ofTransform);
  return 2 ** -53 * units;
}

/** Which value is asked for: 1 an upper bound, -1 a lower one, 0 the value itself. */
type Side = 1 | 0 | -1;

/** What may be missing in the tail from t on, or be too much of it. */
const slackAt = ({ logSlack, tilt }: ComposedLoss, t: number, side: Side): number =>
  side === 0 ? 0 : side * Math.exp(logSlack - tilt * t);

/** δ(ε) = Σ p (1 - exp(ε - t)) over losses t above ε in the window, in [0, 1], or a bound of it. */
export function deltaAt(loss: ComposedLoss, epsilon: number, side: Side): number {
  const { low, spacing, probabilities } = loss;
  let delta = slackAt(loss, epsilon, side);
  for (let i = Math.max(0, Math.ceil((epsilon - low) / spacing)); i < probabilities.length; i++)
    delta -= (probabilities[i] as number) * Math.expm1(epsilon - low - i * spacing);
  return Math.min(1, Math.max(0, delta));
}

/**
 * The epsilon at which δ(ε) is delta, or a bound of it. Where it is below the window, the window's lower end, as a lower bound -Infinity;
 * where it is above, Infinity.
 */
export function epsilonAt(loss: ComposedLoss, delta: number, side: Side): number {
  const { low, spacing, probabilities } = loss;
  // Of losses above t: their probability, and that multiplied by exp(t - loss). δ(t) is the difference.
  let [above, discounted] = [0, 0];
  const ratio = Math.exp(-spacing);
  for (let i = probabilities.length - 1; i >= 0; i--) {
    const t = low + i * spacing;
    const allowed = delta - slackAt(loss, t, side);
    if (i < probabilities.length - 1) {
      const next = probabilities[i + 1] as number;
      [above, discounted] = [above + next, (discounted + next) * ratio];
    }
    if (above - discounted < allowed) continue;
    if (i === probabilities.length - 1) return Number.POSITIVE_INFINITY;
    // Up to the next place no loss is passed: δ(ε) = above - discounted · exp(ε - t).
    return t + Math.min(spacing, Math.max(0, Math.log(Math.max(1, (above - allowed) / discounted))));
  }
  return side < 0 ? Number.NEGATIVE_INFINITY : low;
}
