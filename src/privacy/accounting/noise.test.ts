/** The least noise for an epsilon: it is enough, less is not, and Opacus finds the same. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { privacySpent } from "./account.ts";
import { noiseFor } from "./noise.ts";

describe.each(["prv", "rdp", "gdp"] as const)("%s", (accountant) => {
  test.each([
    [3, 1e-5, 256 / 60_000, 3516],
    [0.1, 1e-6, 0.01, 1000],
    [1, 1e-6, 1e-4, 10],
    [50, 1e-5, 1, 100],
  ])("epsilon %d at a delta of %d, q %d, %d steps", (epsilon, delta, sampleRate, steps) => {
    const { noiseMultiplier, spent } = noiseFor({ epsilon, delta, sampleRate, steps, accountant });
    expect(spent.epsilon).toBeLessThanOrEqual(epsilon);
    expect(spent.epsilon).toBeGreaterThanOrEqual(0.99 * epsilon);
    const history = (noise: number) => [{ noiseMultiplier: noise, sampleRate, steps }];
    expect(privacySpent(history(noiseMultiplier), { delta, accountant })).toEqual(spent);
    expect(privacySpent(history(0.97 * noiseMultiplier), { delta, accountant }).epsilon).toBeGreaterThan(epsilon);
  });
});

// test_get_noise_multiplier_rdp_epochs, _rdp_steps and _gdp of opacus/tests/accountants_test.py, which leave 0.01 of epsilon unspent at most.
test.each([
  ["rdp", 2250, 1.416],
  ["rdp", 2000, 1.3562],
  ["gdp", 2250, 1.3232],
] as const)(
  "the noise that Opacus finds by %s for %d steps of q = 0.04 and an epsilon of 8",
  (accountant, steps, expected) => {
    const { noiseMultiplier } = noiseFor({ epsilon: 8, delta: 1e-5, sampleRate: 0.04, steps, accountant });
    expect(Math.abs(noiseMultiplier / expected - 1)).toBeLessThan(0.01);
  },
);

test("the least noise of all is enough for a very large epsilon", () => {
  const { noiseMultiplier, spent } = noiseFor({ epsilon: 1e9, delta: 1e-5, sampleRate: 0.1, steps: 2 });
  expect(noiseMultiplier).toBe(0.01);
  expect(spent.epsilon).toBeLessThan(1e9);
});

test("an epsilon out of reach is refused with what would help", () => {
  const options = { epsilon: 1e-3, delta: 1e-6, sampleRate: 1, steps: 1e12 };
  expect(() => noiseFor(options)).toThrow(OptionError);
  expect(() => noiseFor(options)).toThrow(
    /^noiseFor: an epsilon of 0.001 at a delta of 0.000001 is out of reach: with a noise multiplier of 1000000, 1000000000000 steps spend 5.2\d; take fewer steps, a larger epsilon or delta, or smaller batches/,
  );
});

test.each([
  [{ epsilon: 0 }, "epsilon is 0; pass a number above 0"],
  [{ epsilon: Number.NaN }, "epsilon is NaN; pass"],
  [{ delta: 1 }, "delta is 1; pass"],
  [{ delta: 1e-40 }, "delta is 1e-40; pass at least 1e-30"],
  [{ samples: 50 }, "delta is 0.1, more than 1 / 50,"],
  [{ sampleRate: 2 }, "sampleRate is 2; pass"],
  [{ steps: 0.5 }, "steps is 0.5; pass"],
])("%o is refused", (own, message) => {
  const options = { epsilon: 1, delta: 0.1, sampleRate: 0.01, steps: 10, ...own };
  expect(() => noiseFor(options)).toThrow(OptionError);
  expect(() => noiseFor(options)).toThrow(`noiseFor: ${message}`);
});
