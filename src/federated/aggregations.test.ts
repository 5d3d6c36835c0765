/** Aggregations by hand, and against clients that lie. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { aggregationOf, type Contribution, krum, mean, median, multiKrum, trimmedMean } from "./aggregations.ts";

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

test("by name, with the liars among the clients of a round", () => {
  const rows = of([1], [2], [6], [100], [3]);
  expect([...aggregationOf("trimmedMean", 1, 5).combine(rows)]).toEqual([Math.fround(11 / 3)]);
  expect([...aggregationOf("trimmedMean", 2, 5).combine(rows)]).toEqual([3]);
  expect([...aggregationOf("median", undefined, 5).combine(rows)]).toEqual([3]);
  expect(aggregationOf("multiKrum", 1, 5)).toMatchObject({ least: 5, settings: { liars: 1, kept: 5 } });
  expect(() => aggregationOf("multiKrum", undefined, 5)).toThrow("how many of 5 clients of a round may lie");
  expect(() => aggregationOf("median", 1, 5)).toThrow("median reads no liars");
  expect(() => aggregationOf("trimmedMean", 3, 5)).toThrow("fewer than half can lie");
});

test("a share of liars cuts as many as there are, of every number of clients", () => {
  // An element is the square of its client's number: one cut too many moves the mean.
  for (let clients = 3; clients <= 60; clients++)
    for (let liars = 0; 2 * liars < clients; liars++) {
      const rows = of(...Array.from({ length: clients }, (_, i) => [i < liars ? 1e6 : i * i]));
      const [value = 0] = aggregationOf("trimmedMean", liars, clients).combine(rows);
      const kept = Array.from({ length: clients - 2 * liars }, (_, i) => 2 * liars + i);
      expect(value).toBeCloseTo(kept.reduce((sum, own) => sum + own * own, 0) / kept.length, 2);
    }
});
