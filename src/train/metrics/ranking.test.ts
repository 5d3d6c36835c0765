/** Rankings, by hand. */
import { expect, test } from "vitest";
import { highest, recallOf } from "./ranking.ts";

test("the highest scores in order, of equal ones the first, without those skipped", () => {
  expect(highest([3, 9, 1, 9, 4], 3)).toEqual([1, 3, 4]);
  expect(highest([3, 9, 1, 9, 4], 3, (place) => place === 1)).toEqual([3, 4, 0]);
  expect(highest([-2, -1], 5)).toEqual([1, 0]);
  expect(highest([], 2)).toEqual([]);
  expect(() => highest([1], 0)).toThrow("count is 0; pass a whole number from 1");
});

test("recall: two of three sought are among those recommended", () => {
  expect(recallOf([4, 7, 1, 9], new Set([1, 4, 5]))).toBeCloseTo(2 / 3, 12);
  expect(recallOf([4], new Set())).toBeNaN();
});
