/**
 * Gaussian differential privacy: a Gaussian mechanism without sampling is known by one number, μ, and its epsilon and delta exactly;
 * many sampled steps are like one of these, by the central limit theorem.
 */
import type { PrivacyPhase } from "./history.ts";
import { scaledErfc, upperTail } from "./normal.ts";

/**
 * The delta of the Gaussian mechanism at an epsilon, exactly: δ = Φ(μ/2 - ε/μ) - exp(ε) Φ(-μ/2 - ε/μ) (Balle, Wang 2018, "Improving
 * the Gaussian mechanism for differential privacy", theorem 8).
 * @param mu sensitivity / standard deviation of the noise; of steps of noise multipliers σᵢ √(Σ 1/σᵢ²)
 * @param epsilon from 0
 */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0) return 0;
  if (mu === Number.POSITIVE_INFINITY) return 1;
  const [below, above] = [epsilon / mu - mu / 2, epsilon / mu + mu / 2];
  // exp(ε) Φ(-above) = exp(-below²/2) scaledErfc(above/√2) / 2, since above² - below² = 2ε.
  const common = 0.5 * Math.exp(-(below * below) / 2);
  const second = common * scaledErfc(above * Math.SQRT1_2);
  const first = below > 0 ? common * scaledErfc(below * Math.SQRT1_2) : upperTail(below);
  return Math.max(0, first - second);
}

/**
 * The epsilon of the Gaussian mechanism at a delta, exactly: that whose `gaussianDelta` is delta, by bisection, rounded up; 0 where
 * less than delta is spent without any epsilon. Infinity for an infinite μ.
 * @param mu sensitivity / standard deviation of the noise; of steps of noise multipliers σᵢ √(Σ 1/σᵢ²)
 * @param delta in (0, 1)
 */
export function gaussianEpsilon(mu: number, delta: number): number {
  if (mu === Number.POSITIVE_INFINITY) return mu;
  if (gaussianDelta(mu, 0) <= delta) return 0;
  let [low, high] = [0, (mu * mu) / 2 + mu * Math.sqrt(-2 * Math.log(delta))];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (gaussianDelta(mu, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The μ of a history: exact for steps that take every sample, where μ² = Σ 1/σ²; of sampled ones the limit for many steps,
 * μ² = Σ q² (exp(1/σ²) - 1) (Bu, Dong, Long, Su 2020, "Deep learning with Gaussian differential privacy", corollary 5.4), which is an
 * approximation from either side: no guarantee. Infinity where noise is so small that it overflows.
 */
export const gaussianMu = (history: readonly PrivacyPhase[]): number =>
  Math.sqrt(
    history.reduce((sum, { noiseMultiplier, sampleRate, steps }) => {
      const precision = 1 / noiseMultiplier ** 2;
      return sum + steps * (sampleRate === 1 ? precision : sampleRate ** 2 * Math.expm1(precision));
    }, 0),
  );
