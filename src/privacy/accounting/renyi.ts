/** The Rényi accountant: divergences of all orders add up over steps, and the best order bounds epsilon or delta. */
import type { PrivacyPhase, SampledGaussian } from "./history.ts";
import { logMoment } from "./sampled-gaussian.ts";

/** What the best order gives. */
export interface RenyiBound {
  /** The epsilon or the delta. */
  readonly value: number;
  /** The order that gives it. */
  readonly order: number;
  /** Whether it is the least or the largest of the orders, beyond which a better one may lie. */
  readonly isExtreme: boolean;
}

/**
 * Orders in which divergences are taken: those of Opacus and of dp-accounting, 1.1 to 10.9 and 11 to 63; smaller ones for large epsilons;
 * and beyond 64 larger ones by quarters of an octave up to 2²⁴, for a small epsilon with much noise.
 */
export const renyiOrders: readonly number[] = [
  ...[1.001, 1.002, 1.005, 1.01, 1.02, 1.05],
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  ...Array.from({ length: 73 }, (_, i) => 64 * 2 ** (i / 4)),
];

/**
 * The Rényi divergence of one step, D_α(P‖Q) of the two outputs that differ in a sample; it bounds D_α(Q‖P) too (Mironov, Talwar, Zhang
 * 2019, theorem 5). Without sampling it is α / (2σ²). Infinity without noise.
 * @param order α, above 1
 */
export function renyiDivergence(mechanism: SampledGaussian, order: number): number {
  if (mechanism.noiseMultiplier === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, logMoment(order, mechanism) / (order - 1));
}

/** The logarithm of a delta that is small enough for everybody. */
const smallestLogDelta = -100;

/** What a conversion may lower a divergence by, from α = 2: log(1 - 1/α) - log(α) / (α - 1) is above -1.4. */
const conversionGain = 1.4;

/** The least of `convert(order, divergence)`; larger orders are left out once `isEnough(divergence, least)`. */
function best(
  history: readonly PrivacyPhase[],
  convert: (order: number, divergence: number) => number,
  isEnough: (divergence: number, least: number) => boolean,
): RenyiBound {
  let [value, at] = [Number.POSITIVE_INFINITY, 0];
  for (const [i, order] of renyiOrders.entries()) {
    const divergence = history.reduce((sum, phase) => sum + phase.steps * renyiDivergence(phase, order), 0);
    const own = convert(order, divergence);
    if (own < value) [value, at] = [own, i];
    // Divergences grow with their order.
    if (order >= 2 && isEnough(divergence - conversionGain, value)) break;
  }
  const isExtreme = at === 0 || at === renyiOrders.length - 1;
  return { value, order: renyiOrders[at] as number, isExtreme };
}

/**
 * The least epsilon at a delta: ε = D_α + log((α - 1) / α) - (log δ + log α) / (α - 1) (Balle et al. 2020, "Hypothesis testing
 * interpretations and Rényi differential privacy", theorem 21), at least 0. Infinity without noise.
 */
export function renyiEpsilon(history: readonly PrivacyPhase[], delta: number): RenyiBound {
  const bound = best(
    history,
    (order, divergence) => divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1),
    (divergence, least) => divergence > Math.max(0, least),
  );
  return bound.value > 0 ? bound : { ...bound, value: 0, isExtreme: false };
}

/**
 * The least delta at an epsilon, at most 1: log δ = (α - 1) (D_α - ε + log((α - 1) / α)) - log α, the conversion of `renyiEpsilon`
 * solved for delta (Canonne, Kamath, Steinke 2020, "The discrete Gaussian for differential privacy", proposition 12).
 */
export function renyiDelta(history: readonly PrivacyPhase[], epsilon: number): RenyiBound {
  const bound = best(
    history,
    (order, divergence) => (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order),
    (divergence, least) => divergence > epsilon || least < smallestLogDelta,
  );
  return bound.value < 0 ? { ...bound, value: Math.exp(bound.value) } : { ...bound, value: 1, isExtreme: false };
}
