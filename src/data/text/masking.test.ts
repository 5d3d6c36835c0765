/** Gaps: as many as asked for, in Devlin's shares. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { ignoredLabel, maskTokens } from "./masking.ts";

const count = 40_000;
const tokens = new Tensor(
  "int32",
  [1, count],
  Int32Array.from({ length: count }, (_, i) => i % 100),
);
const { x, y } = maskTokens({ mask: 1, vocabulary: 100, first: 2 })({ x: tokens, y: tokens }, new Random(keyOf(1)));

test("15 % are chosen: 80 of 100 masked, 10 changed, 10 kept", () => {
  let [chosen, masked, kept, other] = [0, 0, 0, 0];
  for (const [i, target] of (y.data as Int32Array).entries()) {
    const [before, after] = [tokens.data[i] ?? 0, x.data[i] ?? 0];
    if (target === ignoredLabel) {
      expect(after).toBe(before);
      continue;
    }
    expect(target).toBe(before);
    chosen++;
    if (after === 1) masked++;
    else if (after === before) kept++;
    else other++;
  }
  // Of 39,200 that may be chosen; four deviations are 0.007 of the rate and 0.021 of the shares.
  expect(Math.abs(chosen / (0.98 * count) - 0.15)).toBeLessThan(0.007);
  expect(Math.abs(masked / chosen - 0.8)).toBeLessThan(0.021);
  expect(Math.abs(kept / chosen - 0.1)).toBeLessThan(0.021);
  expect(Math.abs(other / chosen - 0.1)).toBeLessThan(0.021);
});

test("special tokens are never chosen, nor drawn", () => {
  for (const [i, token] of (tokens.data as Int32Array).entries()) if (token < 2) expect(y.data[i]).toBe(ignoredLabel);
  expect((x.data as Int32Array).every((token, i) => token !== 0 || tokens.data[i] === 0)).toBe(true);
});

test("a share", () => expect(() => maskTokens({ mask: 1, vocabulary: 9, first: 2, rate: 0 })).toThrow(OptionError));
