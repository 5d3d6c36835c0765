/** Aggregations by hand, and against clients that lie. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { type Contribution, krum, mean, median, multiKrum, trimmedMean } from "./aggregations.ts";

const of = (...rows: readonly (readonly number[])[]): Contribution[] =>
  rows.map((row, i) => ({ values: Float32Array.from(row), weight: i + 1 }));

test("each by hand", () => {
  const rows = of([1, 10], [2, 30], [6, 20], [100, -50], [3, 0]);
  expect([...mean().combine(rows)]).toEqual([(1 + 4 + 18 + 400 + 15) / 15, (10 + 60 + 60 - 200) / 15].map(Math.fround));
  expect([...median().combine(rows)]).toEqual([3, 10]);
  expect([...median().combine(rows.slice(0, 4))]).toEqual([4, 15]);
  expect([...trimmedMean(0.2).combine(rows)]).toEqual([11 / 3, 10].map(Math.fround));
  expect([...trimmedMean(0).combine(rows)]).toEqual([112 / 5, 2].map(Math.fround));
  // Two neighbours of 5 - 1 - 2. Of those nearest together, 1, 2 and 3, the middle one.
  expect([...krum(1).combine(of([1], [2], [6], [100], [3]))]).toEqual([2]);
  expect([...multiKrum(1, 2).combine(of([1], [2], [6], [100], [3]))]).toEqual([1.5]);
});

test("clients that lie move the mean anywhere, and the robust rules no farther than honest clients differ", () => {
  const random = new Random(keyOf(1));
  const honest = Array.from({ length: 9 }, () => Array.from({ length: 50 }, () => 1 + 0.1 * random.normal()));
  const liars = Array.from({ length: 3 }, () => Array.from({ length: 50 }, () => -1000));
  const rows = of(...honest, ...liars).map(({ values }) => ({ values, weight: 1 }));
  const farthest = (values: Float32Array) => Math.max(...values.map((value) => Math.abs(value - 1)));
  expect(farthest(mean().combine(rows))).toBeGreaterThan(200);
  // Honest elements lie within 0.4 of 1, four standard deviations.
  for (const rule of [median(), trimmedMean(0.25), krum(3), multiKrum(3, 4)])
    expect(farthest(rule.combine(rows))).toBeLessThan(0.4);
});

test("what makes no sense is refused", () => {
  for (const make of [
    () => trimmedMean(0.5),
    () => trimmedMean(-1),
    () => trimmedMean(Number.NaN),
    () => krum(-1),
    () => multiKrum(1, 0),
  ])
    expect(make).toThrow(OptionError);
  expect(krum(2).least).toBe(7);
});
