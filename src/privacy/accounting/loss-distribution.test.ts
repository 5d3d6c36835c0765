/** Distributions of the privacy loss against closed forms, an independent composition, other accountants and themselves. */
import { describe, expect, test } from "vitest";
import { gaussianDelta, gaussianEpsilon } from "./gaussian.ts";
import type { PrivacyPhase, SampledGaussian } from "./history.ts";
import { leastDelta, lossDelta, lossEpsilon } from "./loss-distribution.ts";
import { upperTail } from "./normal.ts";
import { renyiDelta, renyiEpsilon } from "./renyi.ts";

const once = (noiseMultiplier: number, sampleRate: number, steps: number): readonly PrivacyPhase[] => [
  { noiseMultiplier, sampleRate, steps },
];

/** δ of one step in closed form: the loss is above ε from where the outputs' ratio is, on one side of an x. */
function deltaOfOneStep({ noiseMultiplier: sigma, sampleRate: q }: SampledGaussian, epsilon: number) {
  const above = (x: number) => (1 - q) * upperTail(x / sigma) + q * upperTail((x - 1) / sigma);
  const xAt = (ratio: number) =>
    ratio <= 1 - q ? Number.NEGATIVE_INFINITY : sigma ** 2 * Math.log((ratio - 1 + q) / q) + 0.5;
  const [removed, added] = [xAt(Math.exp(epsilon)), xAt(Math.exp(-epsilon))];
  return {
    remove: above(removed) - Math.exp(epsilon) * upperTail(removed / sigma),
    add: upperTail(-added / sigma) - Math.exp(epsilon) * (1 - above(added)),
  };
}

describe("one sampled step", () => {
  test.each([
    [1, 0.01, 0.02],
    [1, 0.3, 0.1],
    [0.5, 0.2, 1],
    [3, 0.9, 0.3],
    [0.3, 1e-4, 0.5],
  ])("σ %d, q %d at an epsilon of %d has the delta of its closed form", (sigma, q, epsilon) => {
    const exact = deltaOfOneStep({ noiseMultiplier: sigma, sampleRate: q }, epsilon);
    const { lower, estimate, upper } = lossDelta(once(sigma, q, 1), epsilon);
    const worse = Math.max(exact.remove, exact.add);
    expect(lower).toBeLessThanOrEqual(worse);
    expect(upper).toBeGreaterThanOrEqual(worse);
    expect(Math.abs(estimate / worse - 1)).toBeLessThan(0.01);
  });
});

describe("without sampling", () => {
  test.each([
    [4, 1, 1e-5],
    [4, 100, 1e-2],
    [1, 1, 1e-12],
    [100, 1, 1e-5],
    [0.01, 3, 1e-6],
    [2, 20, 1e-25],
  ])("%d, %d steps at a delta of %d: the Gaussian mechanism's epsilon", (sigma, steps, delta) => {
    const exact = gaussianEpsilon(Math.sqrt(steps) / sigma, delta);
    const { lower, estimate, upper } = lossEpsilon(once(sigma, 1, steps), delta);
    expect(lower).toBeLessThanOrEqual(exact);
    expect(upper).toBeGreaterThanOrEqual(exact);
    expect(Math.abs(estimate - exact)).toBeLessThan(1e-4 * Math.max(1, exact));
  });

  test("deltas from 1e-3 to 1e-29", () => {
    for (const epsilon of [1, 4, 8, 11]) {
      const exact = gaussianDelta(1, epsilon);
      const { lower, estimate, upper } = lossDelta(once(1, 1, 1), epsilon);
      expect(lower).toBeLessThanOrEqual(exact);
      expect(upper).toBeGreaterThanOrEqual(exact);
      expect(Math.abs(estimate / exact - 1)).toBeLessThan(0.01);
    }
    expect(lossDelta(once(1, 1, 1), 20)).toMatchObject({ lower: 0, upper: leastDelta });
  });

  test("n steps of σ spend what one step of σ / √n does", () => {
    expect(lossEpsilon(once(8, 1, 64), 1e-5)).toEqual(lossEpsilon(once(1, 1, 1), 1e-5));
  });
});

describe("many sampled steps", () => {
  // An independent composition: numpy's FFT of the steps' losses on a grid of 1e-5 without a tilt, mean preserved; both directions.
  test.each([
    [4, 0.01, 10_000, 1e-5, 0.9468674],
    [1, 0.02, 1000, 1e-5, 3.899088],
    [1, 0.004, 5000, 1e-6, 1.73414],
  ])("σ %d, q %d, %d steps at a delta of %d", (sigma, q, steps, delta, expected) => {
    const { lower, estimate, upper } = lossEpsilon(once(sigma, q, steps), delta);
    expect(Math.abs(estimate - expected)).toBeLessThan(2e-5);
    expect(upper - expected).toBeGreaterThan(0);
    expect(upper - expected).toBeLessThan(0.011);
    expect(expected - lower).toBeGreaterThan(0);
    expect(expected - lower).toBeLessThan(0.011);
  });

  test("dp-accounting's delta of three steps of q = 0.2, σ = 0.5 at an epsilon of 1", () => {
    // test_poisson_subsampled_gaussian of pld_privacy_accountant_test.py, to its five digits.
    expect(lossDelta(once(0.5, 0.2, 3), 1).estimate).toBeCloseTo(0.15594, 5);
  });

  test("phases compose in any order, and one split in two is the same", () => {
    const phases: readonly PrivacyPhase[] = [
      { noiseMultiplier: 1, sampleRate: 0.01, steps: 200 },
      { noiseMultiplier: 2, sampleRate: 0.05, steps: 100 },
      { noiseMultiplier: 20, sampleRate: 1, steps: 2 },
    ];
    const whole = lossEpsilon(phases, 1e-6);
    expect(lossEpsilon([...phases].reverse(), 1e-6).estimate).toBeCloseTo(whole.estimate, 6);
    for (const phase of phases) expect(lossEpsilon([phase], 1e-6).lower).toBeLessThan(whole.estimate);
    expect(whole.upper).toBeLessThanOrEqual(renyiEpsilon(phases, 1e-6).value);
    const gaussians = [
      { noiseMultiplier: 10, sampleRate: 1, steps: 50 },
      { noiseMultiplier: 5, sampleRate: 1, steps: 50 },
    ];
    // The setting of test_gaussian_mechanism_analytic_heterogeneous in prv_accountant's tests/test_accountant.py.
    const exact = gaussianDelta(Math.sqrt(50 / 100 + 50 / 25), 4);
    const { lower, upper } = lossDelta(gaussians, 4);
    expect(lower).toBeLessThanOrEqual(exact);
    expect(upper).toBeGreaterThanOrEqual(exact);
  });

  test("epsilon grows with steps and sampling and shrinks with noise and delta", () => {
    const estimate = (sigma: number, q: number, steps: number, delta: number) =>
      lossEpsilon(once(sigma, q, steps), delta).estimate;
    const base = estimate(1, 0.01, 500, 1e-5);
    expect(estimate(1, 0.01, 600, 1e-5)).toBeGreaterThan(base);
    expect(estimate(1, 0.011, 500, 1e-5)).toBeGreaterThan(base);
    expect(estimate(1.1, 0.01, 500, 1e-5)).toBeLessThan(base);
    expect(estimate(1, 0.01, 500, 2e-5)).toBeLessThan(base);
  });
});

// Hard ones among them: next to no noise, rare samples, a million steps, all samples but one in a thousand.
const grid = [0.05, 0.3, 1, 100].flatMap((sigma) =>
  [1e-6, 1e-3, 0.2, 0.999].flatMap((q) => [1, 1_000_000].map((steps) => [sigma, q, steps] as const)),
);

test.each(grid)("σ %d, q %d, %d steps: bounds in order, at most the Rényi accountant's", (sigma, q, steps) => {
  const history = once(sigma, q, steps);
  const [epsilon, delta] = [lossEpsilon(history, 1e-8), lossDelta(history, 0.5)];
  for (const { lower, estimate, upper } of [epsilon, delta]) {
    expect(lower).toBeGreaterThanOrEqual(0);
    expect(lower).toBeLessThanOrEqual(estimate);
    expect(estimate).toBeLessThanOrEqual(upper);
  }
  expect(epsilon.upper).toBeLessThanOrEqual(renyiEpsilon(history, 1e-8).value);
  expect(delta.upper).toBeLessThanOrEqual(Math.max(leastDelta, renyiDelta(history, 0.5).value));
});

test("an epsilon far below what Rényi divergences give", () => {
  // An independent composition: numpy's FFT on a grid of 2e-6 under tilts of 600, 800, 1000 and 1500, which agree to 1e-8.
  const { lower, estimate, upper } = lossEpsilon(once(4, 1e-4, 10_000), 1e-12);
  expect(estimate).toBeCloseTo(0.014985, 5);
  expect(lower).toBeGreaterThan(0.0148);
  expect(upper).toBeLessThan(0.0152);
  expect(renyiEpsilon(once(4, 1e-4, 10_000), 1e-12).value).toBeGreaterThan(0.08);
});

test("where float64 holds no distribution, the Rényi accountant's bound is left", () => {
  const history = [
    { noiseMultiplier: 40, sampleRate: 1, steps: 365_653 },
    { noiseMultiplier: 0.04, sampleRate: 0.33, steps: 16_772_336 },
  ];
  const bound = renyiEpsilon(history, 0.009).value;
  const { lower, estimate, upper } = lossEpsilon(history, 0.009);
  expect(lower).toBeLessThanOrEqual(estimate);
  expect(estimate).toBeLessThanOrEqual(upper);
  expect(upper).toBeLessThanOrEqual(bound);
});

test("without noise nothing is private", () => {
  expect(lossEpsilon(once(0, 0.1, 1), 1e-5).upper).toBe(Number.POSITIVE_INFINITY);
  expect(lossDelta(once(0, 0.1, 1), 5).upper).toBe(1);
});
