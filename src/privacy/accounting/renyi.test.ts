/** The Rényi accountant against recorded values of dp-accounting and Opacus, and against the conversion of the moments accountant. */
import { expect, test } from "vitest";
import { renyiDelta, renyiDivergence, renyiEpsilon, renyiOrders } from "./renyi.ts";

const phase = (noiseMultiplier: number, sampleRate: number, steps: number) => ({ noiseMultiplier, sampleRate, steps });

test("without sampling the divergence is α / (2σ²)", () => {
  for (const order of [1.001, 1.5, 2, 63, 1e6])
    expect(renyiDivergence({ noiseMultiplier: 2.5, sampleRate: 1 }, order)).toBeCloseTo(order / 12.5, 9);
});

// test_compute_rdp_poisson_sampled_gaussian of dp-accounting's rdp_privacy_accountant_test.py as of its first release, to its five digits:
// 50 steps of q = 0.01, σ = 2.5. Later releases record an upper bound of the two fractional orders.
test.each([
  [1.5, 6.5007e-4],
  [2.5, 1.0854e-3],
  [5, 2.1808e-3],
  [50, 2.3846e-2],
  [100, 1.6742e2],
])("the divergence of order %d is dp-accounting's", (order, expected) => {
  const own = 50 * renyiDivergence({ noiseMultiplier: 2.5, sampleRate: 0.01 }, order);
  expect(Math.abs(own / expected - 1)).toBeLessThan(1e-4);
});

test.each([
  [1e-6, 10],
  [1e-4, 0.7],
  [0.05, 1],
  [0.9, 3],
])("divergences grow with their order at q %d and σ %d", (sampleRate, noiseMultiplier) => {
  const divergences = renyiOrders
    .filter((order) => order < 3000)
    .map((order) => renyiDivergence({ noiseMultiplier, sampleRate }, order));
  for (const [i, own] of divergences.slice(1).entries()) expect(own).toBeGreaterThan(divergences[i] as number);
});

test("Opacus' recorded epsilon: 2,250 steps of q = 0.04, σ = 1.5", () => {
  // test_rdp_accountant of opacus/tests/accountants_test.py, to its seven places.
  expect(renyiEpsilon([phase(1.5, 0.04, 2250)], 1e-5).value).toBeCloseTo(7.32911117143, 7);
});

test("noise for an epsilon of 1 at a delta of 1e-6 by Rényi divergences without sampling", () => {
  // test_compute_epsilon_delta_gaussian of rdp_privacy_accountant_test.py, with orders of 0.001 each; ours are coarser.
  const { value } = renyiEpsilon([phase(4.530877117, 1, 1)], 1e-6);
  expect(value).toBeGreaterThan(1);
  expect(value).toBeLessThan(1.0001);
  expect(renyiDelta([phase(4.530877117, 1, 1)], value).value).toBeCloseTo(1e-6, 12);
});

test("10,000 steps of q = 0.01 and σ = 4 at a delta of 1e-5", () => {
  const history = [phase(4, 0.01, 10_000)];
  // ε = min over whole orders of D_α + log(1/δ) / (α - 1), 1.26 in Abadi et al. 2016, "Deep learning with differential privacy", section 3.2.
  const classical = Array.from({ length: 31 }, (_, i) => i + 2).map(
    (order) => 10_000 * renyiDivergence(phase(4, 0.01, 1), order) + Math.log(1e5) / (order - 1),
  );
  expect(Math.min(...classical)).toBeCloseTo(1.26, 2);
  // The conversion of Balle et al. 2020 gives less for the same divergences.
  expect(renyiEpsilon(history, 1e-5)).toEqual({ value: expect.closeTo(1.0355, 4), order: 17, isExtreme: false });
});

test("epsilon and delta are inverses, and the first and the last order are marked", () => {
  for (const history of [[phase(1, 0.01, 1000)], [phase(3, 1, 10), phase(0.8, 0.001, 500)]]) {
    const { value, order } = renyiEpsilon(history, 1e-7);
    const back = renyiDelta(history, value);
    expect(back.order).toBe(order);
    expect(Math.abs(back.value / 1e-7 - 1)).toBeLessThan(1e-9);
  }
  expect(renyiEpsilon([phase(1e-4, 1, 1)], 1e-5)).toMatchObject({ order: 1.001, isExtreme: true });
  expect(renyiEpsilon([phase(1e12, 1, 1)], 1e-12)).toMatchObject({ order: 2 ** 24, isExtreme: true });
});

test("without noise nothing is private; with a large delta nothing is spent", () => {
  expect(renyiEpsilon([phase(0, 0.1, 1)], 1e-5).value).toBe(Number.POSITIVE_INFINITY);
  expect(renyiDelta([phase(0, 0.1, 1)], 5).value).toBe(1);
  expect(renyiEpsilon([phase(50, 0.01, 1)], 0.5)).toMatchObject({ value: 0, isExtreme: false });
});
