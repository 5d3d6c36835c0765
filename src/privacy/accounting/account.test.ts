/** What is spent by each accountant, and what is refused. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { deltaOf, type PrivacyAccountant, privacySpent } from "./account.ts";
import { gaussianDelta, gaussianEpsilon } from "./gaussian.ts";
import type { PrivacyPhase } from "./history.ts";

const history: readonly PrivacyPhase[] = [{ noiseMultiplier: 1, sampleRate: 0.01, steps: 500 }];
const accountants = ["prv", "rdp", "gdp"] as const satisfies readonly PrivacyAccountant[];

describe.each(accountants)("%s", (accountant) => {
  test("without steps nothing is spent", () => {
    expect(privacySpent([], { delta: 1e-5, accountant })).toMatchObject({ epsilon: 0, delta: 1e-5, warnings: [] });
    expect(deltaOf([], { epsilon: 1, accountant })).toMatchObject({ epsilon: 1, delta: 0, isGuarantee: true });
  });

  test("without noise everything is", () => {
    const none = [{ noiseMultiplier: 0, sampleRate: 0.01, steps: 1 }];
    expect(privacySpent(none, { delta: 1e-5, accountant }).epsilon).toBe(Number.POSITIVE_INFINITY);
    expect(deltaOf(none, { epsilon: 3, accountant }).delta).toBe(1);
  });

  test("equal phases are one, and the delta of the epsilon is the delta", () => {
    const split = [1, 499].map((steps) => ({ noiseMultiplier: 1, sampleRate: 0.01, steps }));
    const spent = privacySpent(history, { delta: 1e-5, accountant });
    expect(privacySpent(split, { delta: 1e-5, accountant })).toEqual(spent);
    const { delta, bounds } = deltaOf(history, { epsilon: epsilonNear(spent), accountant });
    if (bounds) expect(Math.abs(bounds.estimate / 1e-5 - 1)).toBeLessThan(1e-3);
    else expect(Math.abs(delta / 1e-5 - 1)).toBeLessThan(1e-8);
  });

  test("steps that take every sample are the Gaussian mechanism", () => {
    const unsampled = [{ noiseMultiplier: 5, sampleRate: 1, steps: 10 }];
    const exact = gaussianEpsilon(Math.sqrt(10) / 5, 1e-5);
    const { epsilon, isGuarantee, warnings } = privacySpent(unsampled, { delta: 1e-5, accountant });
    expect({ isGuarantee, warnings }).toEqual({ isGuarantee: true, warnings: [] });
    expect(epsilon).toBeGreaterThanOrEqual(exact);
    // The Rényi accountant's conversion gives more.
    expect(epsilon).toBeLessThan(exact + (accountant === "rdp" ? 0.3 : 0.011));
    expect(deltaOf(unsampled, { epsilon: 2, accountant }).delta).toBeGreaterThanOrEqual(
      gaussianDelta(Math.sqrt(10) / 5, 2),
    );
  });
});

/** The epsilon itself, of which "prv" has an estimate beside its bound. */
const epsilonNear = ({ epsilon, bounds }: ReturnType<typeof privacySpent>): number => bounds?.estimate ?? epsilon;

test("each says what it is", () => {
  const [prv, rdp, gdp] = accountants.map((accountant) => privacySpent(history, { delta: 1e-5, accountant }));
  expect(privacySpent(history, { delta: 1e-5 })).toEqual(prv);
  expect(prv).toMatchObject({ accountant: "prv", isGuarantee: true, warnings: [], epsilon: prv?.bounds?.upper });
  expect(rdp).toMatchObject({ accountant: "rdp", isGuarantee: true, warnings: [], order: expect.any(Number) });
  expect(rdp?.epsilon).toBeGreaterThan(prv?.epsilon as number);
  expect(gdp).toMatchObject({
    accountant: "gdp",
    isGuarantee: false,
    warnings: [expect.stringContaining("approximation")],
  });
  const extreme = privacySpent([{ noiseMultiplier: 1e12, sampleRate: 1, steps: 1 }], {
    delta: 1e-12,
    accountant: "rdp",
  });
  expect(extreme.warnings).toEqual([expect.stringContaining("the best order, 16777216, is the largest")]);
});

test.each([
  [{ delta: Number.NaN }, "delta is NaN; pass a number above 0, below 1"],
  [{ delta: 0 }, "delta is 0; pass"],
  [{ delta: 1 }, "delta is 1; pass"],
  [{ delta: -1e-5 }, "delta is -0.00001; pass"],
  [{ delta: 1e-31 }, "delta is 1e-31; pass at least 1e-30"],
  [{ delta: 1e-3, samples: 2000 }, "delta is 0.001, more than 1 / 2000,"],
  [{ delta: 1e-3, samples: 1.5 }, "samples is 1.5; pass a whole number"],
  [{ delta: 1e-3, accountant: "moments" }, 'accountant is "moments"; pass "prv", "rdp" or "gdp"'],
])("privacySpent refuses %o", (options, message) => {
  expect(() => privacySpent(history, options as never)).toThrow(OptionError);
  expect(() => privacySpent(history, options as never)).toThrow(`privacySpent: ${message}`);
});

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, "1"])("deltaOf refuses an epsilon of %s", (epsilon) => {
  expect(() => deltaOf(history, { epsilon: epsilon as number })).toThrow("deltaOf: epsilon is ");
});

test.each([
  [{ noiseMultiplier: Number.NaN }, "history[1].noiseMultiplier is NaN; pass a number from 0"],
  [{ noiseMultiplier: -1 }, "history[1].noiseMultiplier is -1; pass"],
  [{ noiseMultiplier: Number.POSITIVE_INFINITY }, "history[1].noiseMultiplier is Infinity; pass"],
  [{ noiseMultiplier: 0.009 }, "history[1].noiseMultiplier is 0.009; pass 0.01 to 1000000000000, or 0 for no privacy"],
  [{ noiseMultiplier: 1e13 }, "history[1].noiseMultiplier is 10000000000000; pass 0.01 to"],
  [{ sampleRate: 0 }, "history[1].sampleRate is 0; pass a number above 0, at most 1"],
  [{ sampleRate: 1.01 }, "history[1].sampleRate is 1.01; pass"],
  [{ steps: 1.5 }, "history[1].steps is 1.5; pass a whole number from 1"],
  [{ steps: 0 }, "history[1].steps is 0; pass"],
  [{ steps: undefined }, "history[1].steps is missing; pass"],
  [{ epochs: 1 }, 'unknown option of phase: "epochs"'],
])("a phase of %o is refused", (own, message) => {
  const wrong = [...history, { noiseMultiplier: 1, sampleRate: 0.01, steps: 5, ...own }] as readonly PrivacyPhase[];
  expect(() => privacySpent(wrong, { delta: 1e-5 })).toThrow(OptionError);
  expect(() => privacySpent(wrong, { delta: 1e-5 })).toThrow(message);
  expect(() => deltaOf(wrong, { epsilon: 1 })).toThrow(message);
});

test("what is no list of phases is refused", () => {
  for (const wrong of [undefined, {}, "history", [1]])
    expect(() => privacySpent(wrong as never, { delta: 1e-5 })).toThrow("privacySpent: history");
});
