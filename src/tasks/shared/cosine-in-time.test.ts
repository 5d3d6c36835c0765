/** A rate by steps, and by time where that ends first. */
import { afterEach, expect, test, vi } from "vitest";
import { cosine } from "../../train/schedules.ts";
import { cosineInTime } from "./cosine-in-time.ts";

afterEach(() => vi.restoreAllMocks());

test("falls by steps, or as time runs out", () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const [timed, plain] = [
    cosineInTime({ rate: 1, steps: 100, seconds: 10 }),
    cosine({ rate: 1, steps: 100, warmup: 5 }),
  ];
  expect(timed(0)).toBe(plain(0));
  // A quarter of the time does not count.
  now = 2400;
  expect(timed(10)).toBe(plain(10));
  // Half of what counts is over.
  now = 6250;
  expect(timed(20)).toBeCloseTo(plain(50), 12);
  now = 10_000;
  expect(timed(30)).toBeCloseTo(0, 12);
});
