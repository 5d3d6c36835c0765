/** The loss of a sampled Gaussian step: its moments against direct sums and mpmath, its distribution against both. */
import { expect, test } from "vitest";
import { greatestLoss, logMoment, lossTails, meanLoss } from "./sampled-gaussian.ts";

/** log Σ C(n, i) (1-q)^(n-i) q^i exp((i² - i) / (2σ²)), the moment of a whole order n (Mironov, Talwar, Zhang 2019, section 3.3). */
function directSum(order: number, q: number, sigma: number): number {
  let [sum, binomial] = [0, 1];
  for (let i = 0; i <= order; i++) {
    sum += binomial * (1 - q) ** (order - i) * q ** i * Math.exp((i * i - i) / (2 * sigma ** 2));
    binomial *= (order - i) / (i + 1);
  }
  return Math.log(sum);
}

test.each([
  [2, 0.01, 1],
  [3, 0.5, 0.8],
  [8, 0.2, 2],
  [17, 0.01, 4],
  [32, 0.1, 3],
])("the moment of order %d at q %d and σ %d is the sum over how often the sample was drawn", (order, q, sigma) => {
  const moment = logMoment(order, { noiseMultiplier: sigma, sampleRate: q });
  // The direct sum is 1 + what counts, which costs it digits.
  expect(Math.abs(moment - directSum(order, q, sigma))).toBeLessThan(1e-14 + 1e-12 * moment);
});

// The settings of test_compute_log_a_equals_mp in dp-accounting's rdp_privacy_accountant_test.py; values of mpmath 1.2.1's quadrature of the
// definition less 1, with 60 digits.
test.each([
  [1e-7, 0.1, 1.01, 4.003412322526395e-8],
  [1e-6, 0.1, 256, 3260463.229297161],
  [1e-5, 0.1, 256.1, 3263607.03978842],
  [1e-6, 1, 27, 8.769511304848502e-10],
  [1e-4, 1, 1.5, 6.442686953836649e-9],
  [1e-3, 1, 2, 1.7182803522145153e-6],
  [0.01, 10, 20, 1.912969991284296e-4],
  [0.1, 100, 20.5, 1.999181845806829e-4],
  [0.99, 0.1, 256, 3263997.42711402],
  [0.999, 100, 256.1, 3.260108037973112],
])("the moment at q %d, σ %d and order %d", (sampleRate, noiseMultiplier, order, expected) => {
  expect(Math.abs(logMoment(order, { noiseMultiplier, sampleRate }) / expected - 1)).toBeLessThan(1e-11);
});

const mechanisms = [
  { noiseMultiplier: 1, sampleRate: 0.01 },
  { noiseMultiplier: 0.5, sampleRate: 0.3 },
  { noiseMultiplier: 5, sampleRate: 0.999 },
  { noiseMultiplier: 2, sampleRate: 1 },
];

test.each(mechanisms)("tails of %o are those of the outputs, and their mean is the mean loss", (mechanism) => {
  for (const direction of ["remove", "add"] as const) {
    const { lower, upper } = lossTails(mechanism, direction);
    const mean = meanLoss(mechanism, direction);
    // E[Y] = ∫₀ Pr[Y > t] - ∫⁰ Pr[Y ≤ t], by the midpoint rule.
    const spacing = 1e-4;
    let integral = 0;
    for (let t = spacing / 2; t < 40; t += spacing) integral += spacing * (upper(t) - lower(-t));
    expect(Math.abs(integral / mean - 1)).toBeLessThan(1e-3);
    for (const t of [-1, -0.005, 0, 0.003, 0.5]) expect(lower(t) + upper(t)).toBeCloseTo(1, 12);
    expect(upper(greatestLoss(mechanism, direction))).toBe(0);
  }
});

test("without sampling the loss is normal, of mean 1/(2σ²) and variance 1/σ²", () => {
  const mechanism = { noiseMultiplier: 2, sampleRate: 1 };
  expect(meanLoss(mechanism, "remove")).toBe(0.125);
  expect(meanLoss(mechanism, "add")).toBe(0.125);
  for (const direction of ["remove", "add"] as const) {
    const { lower, upper } = lossTails(mechanism, direction);
    expect(lower(0.125)).toBeCloseTo(0.5, 14);
    // Φ(-1) of mpmath.
    expect(upper(0.625)).toBeCloseTo(0.15865525393145705, 14);
    expect(lower(-0.375)).toBeCloseTo(0.15865525393145705, 14);
  }
});
