/** Rungs of a search, and which trial is better. */
import { expect, test } from "vitest";
import { rungsOf } from "./rungs.ts";
import { parseSearch, ranked, type Trial } from "./search-report.ts";

test("a third goes on, to three times the epochs", () => {
  expect(rungsOf(9, 60)).toEqual([
    { epochs: 7, trials: 9 },
    { epochs: 20, trials: 3 },
  ]);
  expect(rungsOf(27, 27)).toEqual([
    { epochs: 1, trials: 27 },
    { epochs: 3, trials: 9 },
    { epochs: 9, trials: 3 },
  ]);
});

test("of few epochs there are fewer rungs, and of two trials one", () => {
  expect(rungsOf(27, 3)).toEqual([{ epochs: 1, trials: 27 }]);
  expect(rungsOf(2, 30)).toEqual([{ epochs: 10, trials: 2 }]);
});

const trial = (number: number, reached: readonly number[], loss = 1): Trial => ({
  number,
  reached,
  settings: {},
  losses: reached.map(() => loss),
  curve: [],
  seconds: 0,
});

test("trials are ranked by how far they came, what they reached, their loss", () => {
  const trials = [trial(1, [0.9]), trial(2, [0.5, 0.6]), trial(3, [Number.NaN]), trial(4, [0.5, 0.6], 0.5)];
  const numbers = (better: "higher" | "lower") => ranked({ trials, better }).map(({ number }) => number);
  expect(numbers("higher")).toEqual([4, 2, 1, 3]);
  expect(numbers("lower")).toEqual([4, 2, 1, 3]);
  const alike = [trial(1, [0.7]), trial(2, [0.9])];
  expect(ranked({ trials: alike, better: "higher" })[0]?.number).toBe(2);
  expect(ranked({ trials: alike, better: "lower" })[0]?.number).toBe(1);
});

test("a damaged file is told with what to do", () => {
  expect(() => parseSearch("{", "runs/x/search.json")).toThrow(/runs\/x\/search.json is damaged; remove it/);
});
