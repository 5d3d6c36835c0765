/** Student's interval against one by hand. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { confidenceInterval } from "./interval.ts";

test("five values: mean 3, variance 2.5, t = 2.776", () => {
  const { mean, low, high } = confidenceInterval([1, 2, 3, 4, 5]);
  expect(mean).toBe(3);
  // 2.776 · √(2.5 / 5)
  expect(high - mean).toBeCloseTo(1.96293, 4);
  expect(mean - low).toBeCloseTo(1.96293, 4);
});
test("equal values leave no doubt", () => expect(confidenceInterval([2, 2])).toEqual({ mean: 2, low: 2, high: 2 }));
test("one value gives no interval", () => expect(() => confidenceInterval([1])).toThrow(DataError));
