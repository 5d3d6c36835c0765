/** Distinct values counted exactly, then estimated. */
import { expect, test } from "vitest";
import { DistinctCounter, hashText } from "./distinct.ts";

test("counts exactly up to the limit, and within three standard errors of 0.8 % beyond", () => {
  const counter = new DistinctCounter(1000);
  for (let i = 0; i < 1000; i++) expect(counter.add(hashText(`value ${i}`))).toBe(false);
  expect(counter.add(hashText("value 1"))).toBe(true);
  expect([counter.count, counter.isExact]).toEqual([1000, true]);
  for (const total of [2000, 20_000, 200_000, 1_000_000]) {
    for (let i = 0; i < total; i++) counter.add(hashText(`value ${i}`));
    expect(Math.abs(counter.count - total)).toBeLessThan(0.025 * total);
  }
  expect(counter.isExact).toBe(false);
}, 60_000);
