/** Values counted by their hashes, rows by theirs, and a sample of a stream. */
import { expect, test } from "vitest";
import { Reservoir } from "./reservoir.ts";
import { RowHashes } from "./row-hashes.ts";
import { hashCell, ValueCounts } from "./value-counts.ts";

const countAll = (values: readonly string[], limit: number) => {
  const counts = new ValueCounts(limit);
  for (const value of values) if (counts.add(...hashCell(value))) counts.name(value);
  return counts;
};

test("each value is counted, also beyond the first places", () => {
  const counts = countAll(Array.from({ length: 30_000 }, (_, i) => `v${i % 3000}`).concat("ü", "v7"), 5000);
  expect([counts.distinct, counts.isExact]).toEqual([3001, true]);
  expect(counts.top(2)).toEqual([
    { value: "v7", count: 11 },
    { value: "v0", count: 10 },
  ]);
});

test("beyond the limit the number of values is an estimate", () => {
  const counts = countAll(
    Array.from({ length: 50_000 }, (_, i) => `v${i}`),
    1000,
  );
  expect(counts.isExact).toBe(false);
  expect(Math.abs(counts.distinct - 50_000)).toBeLessThan(1250); // three standard errors of 0.8 %
});

test("rows that were there before are found, in their order", () => {
  const hashes = new RowHashes();
  for (let i = 0; i < 10_000; i++) hashes.add(...hashCell(`row ${i}`));
  for (const i of [5, 9000, 5]) hashes.add(...hashCell(`row ${i}`));
  expect(hashes.find(2)).toEqual({ count: 3, first: [10_000, 10_001], rows: 10_003 });
});

test("a sample has every part of the stream alike", () => {
  const sample = new Reservoir<number>(1000);
  for (let i = 0; i < 100_000; i++) if (sample.wants(i)) sample.put(i);
  expect(new Set(sample.items).size).toBe(1000);
  // The mean of 1,000 of 0 to 99,999 lies within four standard errors, 28,868 / √1000 each.
  const mean = sample.items.reduce((sum, item) => sum + item, 0) / 1000;
  expect(Math.abs(mean - 49_999.5)).toBeLessThan(4 * 913);
});
