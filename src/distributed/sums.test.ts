/** Sums by parts, and in halves, over ranks in one process. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { ranksInProcess } from "./in-process.ts";
import { sumAll, sumParts } from "./sums.ts";

const length = 1001;

/** Numbers of a rank, of very unlike sizes. */
const numbersOf = (rank: number): Float32Array => {
  const random = new Random(keyOf(rank));
  return Float32Array.from({ length }, (_, i) => random.normal() * 10 ** ((i % 7) - 8));
};
const sums = Float64Array.from({ length }, (_, i) =>
  [0, 1, 2].reduce((sum, rank) => sum + (numbersOf(rank)[i] ?? 0), 0),
);

test.each(["float32", "float16"] as const)(
  "each rank knows the sums of its part, and no other: %s",
  async (exchange) => {
    // One of the ranks has nothing.
    const bounds = [0, 400, 400, length];
    const all = await Promise.all(
      ranksInProcess(3).map(async (communicator) => {
        const values = numbersOf(communicator.rank);
        await sumParts(communicator, values, bounds, exchange);
        return values;
      }),
    );
    for (const [rank, values] of all.entries())
      for (const [i, value] of values.entries()) {
        const isOwn = i >= (bounds[rank] ?? 0) && i < (bounds[rank + 1] ?? 0);
        if (!isOwn) expect(value).toBe(numbersOf(rank)[i]);
        // Of three numbers each rounded to 11 bits, or to a step of the smallest that are scaled with the largest.
        else expect(Math.abs(value - (sums[i] ?? 0))).toBeLessThan(exchange === "float32" ? 1e-6 : 1e-3);
      }
  },
);

test("in float16 all ranks have the same bits, a fraction of 2^-10 from the sum", async () => {
  const all = await Promise.all(
    ranksInProcess(3).map(async (communicator) => {
      const values = numbersOf(communicator.rank);
      await sumAll(communicator, values, "float16");
      return values;
    }),
  );
  expect(all[1]).toEqual(all[0]);
  expect(all[2]).toEqual(all[0]);
  const largest = sums.reduce((most, sum) => Math.max(most, Math.abs(sum)), 0);
  for (const [i, value] of (all[0] ?? []).entries()) {
    const parts = [0, 1, 2].reduce((sum, rank) => sum + Math.abs(numbersOf(rank)[i] ?? 0), 0);
    // Half a step for each number and for the sum; the smallest step is 2^-24 of a scale of 2^15 for three times the largest.
    expect(Math.abs(value - (sums[i] ?? 0))).toBeLessThan(2 ** -10 * parts + 2 ** -36 * largest);
  }
});

test.each([0, 1e-42, 3e38, Number.NaN, Number.POSITIVE_INFINITY])("numbers as %d stay what they are", async (value) => {
  const all = await Promise.all(
    ranksInProcess(2).map(async (communicator) => {
      const values = Float32Array.of(communicator.rank === 0 ? value : 0, 0);
      await sumAll(communicator, values, "float16");
      return values;
    }),
  );
  for (const [sum = 0, zero] of all)
    if (Number.isFinite(value)) {
      expect(Math.abs(sum - Math.fround(value))).toBeLessThanOrEqual(2 ** -10 * value);
      expect(zero).toBe(0);
    } else expect(sum).toBeNaN();
});

test("a long vector of few ranks is summed in parts, each handed to all", async () => {
  const all = await Promise.all(
    ranksInProcess(2).map(async (communicator) => {
      const values = Float32Array.from({ length: 100_001 }, (_, i) => (communicator.rank + 1) * i);
      await sumAll(communicator, values, "float32");
      return values;
    }),
  );
  for (const values of all) expect(values).toEqual(Float32Array.from({ length: 100_001 }, (_, i) => 3 * i));
});
