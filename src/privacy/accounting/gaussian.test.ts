/** The Gaussian mechanism against mpmath and dp-accounting, the central limit against Opacus. */
import { expect, test } from "vitest";
import { gaussianDelta, gaussianEpsilon, gaussianMu } from "./gaussian.ts";

// mpmath 1.2.1: Φ(μ/2 - ε/μ) - exp(ε) Φ(-μ/2 - ε/μ) with 60 digits.
test.each([
  [0.001, 0, 0.0003989422637788383],
  [0.01, 0.05, 5.481440200746877e-10],
  [0.5, 0, 0.19741265136584746],
  [0.5, 2, 9.439168634947234e-6],
  [1, 7.2, 1.3084122104929496e-12],
  [3, 1, 0.7876007413603845],
  [3, 40, 2.6280959900306696e-33],
  [50, 1250, 0.492024342108007],
  [50, 1600, 1.1196035710409618e-12],
])("the delta of μ %d at an epsilon of %d", (mu, epsilon, expected) => {
  expect(Math.abs(gaussianDelta(mu, epsilon) / expected - 1)).toBeLessThan(1e-11);
});

test("the composition that dp-accounting records", () => {
  // test_gaussian_basic of pld_privacy_accountant_test.py: three steps of σ = √3 at an epsilon of 1.
  const mu = gaussianMu([{ noiseMultiplier: Math.sqrt(3), sampleRate: 1, steps: 3 }]);
  expect(gaussianDelta(mu, 1)).toBeCloseTo(0.126936, 5);
});

test("epsilon and delta are inverses", () => {
  for (const mu of [1e-3, 0.1, 1, 10, 1000])
    for (const delta of [1e-10, 1e-5, 1e-4]) {
      const epsilon = gaussianEpsilon(mu, delta);
      expect(gaussianDelta(mu, epsilon)).toBeLessThanOrEqual(delta);
      expect(Math.abs(gaussianDelta(mu, epsilon) / delta - 1)).toBeLessThan(1e-8);
    }
});

test("what needs no epsilon has none, and no noise an infinite one", () => {
  expect(gaussianEpsilon(1e-7, 1e-5)).toBe(0);
  expect(gaussianEpsilon(0, 1e-5)).toBe(0);
  expect(gaussianEpsilon(Number.POSITIVE_INFINITY, 1e-5)).toBe(Number.POSITIVE_INFINITY);
  expect(gaussianDelta(Number.POSITIVE_INFINITY, 3)).toBe(1);
});

test("n steps are one of σ / √n", () => {
  const steps = gaussianMu([
    { noiseMultiplier: 8, sampleRate: 1, steps: 16 },
    { noiseMultiplier: 3, sampleRate: 1, steps: 4 },
  ]);
  expect(steps).toBeCloseTo(Math.sqrt(16 / 64 + 4 / 9), 14);
});

test("the central limit gives Opacus' epsilon: 2,249 steps of q = 0.04, σ = 1.5", () => {
  // test_gdp_accountant of opacus/tests/accountants_test.py, whose int(90 // 0.04) is 2249.
  const epsilon = gaussianEpsilon(gaussianMu([{ noiseMultiplier: 1.5, sampleRate: 0.04, steps: 2249 }]), 1e-5);
  expect(epsilon).toBeGreaterThan(6.59);
  expect(epsilon).toBeLessThan(6.6);
});
