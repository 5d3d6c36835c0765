/**
 * The privacy loss of one step of the Poisson-subsampled Gaussian mechanism: its distribution, and its exponential moments.
 *
 * With a sample, the output along its gradient is of P = (1-q) N(0, σ²) + q N(1, σ²); without it, of Q = N(0, σ²), in units of
 * the clipping norm (Mironov, Talwar, Zhang 2019, "Rényi differential privacy of the sampled Gaussian mechanism", theorem 4).
 * The loss at x is ℓ(x) = log P(x)/Q(x) = log(1 - q + q exp(u)), u = (2x - 1) / (2σ²). Where a sample is removed, the loss is
 * ℓ(x) with x of P; where one is added, -ℓ(x) with x of Q. Each pair dominates its own direction, also after composition
 * (Zhu, Dong, Wang 2022, "Optimal accounting of differential privacy via characteristic function"), so that the worse of the
 * two results counts.
 */
import { greatest } from "../../core/lists.ts";
import type { SampledGaussian } from "./history.ts";
import { upperTail } from "./normal.ts";

/** Whether the other data set lacks the sample, or has it besides. */
export type Direction = "remove" | "add";

/** The probabilities of a privacy loss. */
export interface LossTails {
  /** Pr[loss ≤ t], with small values relatively accurate. */
  readonly lower: (t: number) => number;
  /** Pr[loss > t], with small values relatively accurate. */
  readonly upper: (t: number) => number;
}

/** exp of more is near the end of float64. */
const largestExponent = 700;

/** ℓ at u = (2x - 1) / (2σ²). */
function lossAt(u: number, q: number): number {
  if (q === 1) return u;
  return u > largestExponent ? u + Math.log(q) : Math.log1p(q * Math.expm1(u));
}

/** What the loss of one step never exceeds: -log(1 - q) where a sample is added, infinity where one is removed. */
export const greatestLoss = ({ sampleRate }: SampledGaussian, direction: Direction): number =>
  direction === "add" ? -Math.log1p(-sampleRate) : Number.POSITIVE_INFINITY;

/** The x at which ℓ(x) = t; -Infinity for t up to the least loss, log(1 - q). */
function outputAt(t: number, { sampleRate: q, noiseMultiplier: sigma }: SampledGaussian): number {
  const u = () => {
    if (q === 1) return t;
    // exp(u) = 1 + (exp(t) - 1) / q, for large t without its overflow.
    if (t > 30) return t - Math.log(q) + Math.log1p((q - 1) * Math.exp(-t));
    return Math.log1p(Math.max(-1, Math.expm1(t) / q));
  };
  return sigma ** 2 * u() + 0.5;
}

/** The distribution of the loss of one step. */
export function lossTails(mechanism: SampledGaussian, direction: Direction): LossTails {
  const { noiseMultiplier: sigma, sampleRate: q } = mechanism;
  if (direction === "add") {
    // -ℓ(x) > t where ℓ(x) < -t.
    const z = (t: number) => outputAt(-t, mechanism) / sigma;
    return { lower: (t) => upperTail(z(t)), upper: (t) => upperTail(-z(t)) };
  }
  const mixture = (x: number, sign: number) =>
    (1 - q) * upperTail((sign * x) / sigma) + q * upperTail((sign * (x - 1)) / sigma);
  return { lower: (t) => mixture(outputAt(t, mechanism), -1), upper: (t) => mixture(outputAt(t, mechanism), 1) };
}

/** A point of the quadrature. */
interface Output {
  readonly loss: number;
  /** log exp(-x² / (2σ²)). */
  readonly logWeight: number;
}

/**
 * The points of the trapezoidal rule for integrals of Q(x) (P(x)/Q(x))^α times something smooth, and their distance. It converges
 * exponentially (Trefethen, Weideman 2014, "The exponentially convergent trapezoidal rule"): its error falls with the distance from the
 * real line within which the integrand is analytic, here πσ². Below a noise of 0.05 what lies at that place is nothing.
 * @param order α, from 0
 */
function outputsOf(order: number, { noiseMultiplier: sigma, sampleRate: q }: SampledGaussian) {
  // The peaks lie between 0 and α: where x = αw(x), w(x) in (0, 1) the probability that the sample was drawn, given x.
  const reach = 10 * sigma;
  const spacing = sigma < 0.05 ? 0.5 * sigma : Math.min(0.5 * sigma, 0.35 * sigma ** 2);
  const outputs = Array.from({ length: Math.ceil((order + 2 * reach) / spacing) }, (_, i): Output => {
    const x = i * spacing - reach;
    return { loss: lossAt((2 * x - 1) / (2 * sigma ** 2), q), logWeight: -(x * x) / (2 * sigma ** 2) };
  });
  return { outputs, density: spacing / (sigma * Math.sqrt(2 * Math.PI)) };
}

/** The mean of the loss of one step: D(P‖Q) where the sample is removed, D(Q‖P) where it is added. */
export function meanLoss(mechanism: SampledGaussian, direction: Direction): number {
  if (mechanism.sampleRate === 1) return 1 / (2 * mechanism.noiseMultiplier ** 2);
  const { outputs, density } = outputsOf(1, mechanism);
  // Under Q the mean of exp(loss) - 1 is 0; with it no term is negative, so that small means are accurate too.
  const sum = outputs.reduce((own, { loss, logWeight }) => {
    const [without, drawn] = [Math.exp(logWeight), Math.exp(logWeight + loss)];
    const excess = Math.abs(loss) < 1 ? without * Math.expm1(loss) : drawn - without;
    return own + (direction === "remove" ? drawn * loss - excess : excess - without * loss);
  }, 0);
  return density * sum;
}

/**
 * log E_Q (P/Q)^α. Accurate to some 1e-10 of itself, also where it is tiny: since E_Q P/Q = 1, what is summed is
 * (P/Q)^α - 1 - α (P/Q - 1), which is never negative.
 * @param order α, from 1
 */
export function logMoment(order: number, mechanism: SampledGaussian): number {
  if (mechanism.sampleRate === 1) return (order * (order - 1)) / (2 * mechanism.noiseMultiplier ** 2);
  const { outputs, density } = outputsOf(order, mechanism);
  const most = greatest(outputs.map(({ loss, logWeight }) => logWeight + Math.max(0, order * loss)));
  const sum = outputs.reduce((own, { loss, logWeight }) => {
    const weight = Math.exp(logWeight - most);
    if (Math.abs(order * loss) < 1) return own + weight * (Math.expm1(order * loss) - order * Math.expm1(loss));
    const [tilted, once] = [Math.exp(logWeight - most + order * loss), Math.exp(logWeight - most + loss)];
    return own + tilted - weight - order * (once - weight);
  }, 0);
  const logExcess = Math.log(sum * density) + most;
  return logExcess > largestExponent ? logExcess : Math.log1p(Math.exp(logExcess));
}
