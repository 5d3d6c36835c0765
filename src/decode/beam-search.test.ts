/** Beam search over a small table of probabilities. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { type BeamSearchOptions, beamSearch, type NextTokens } from "./beam-search.ts";

const [begin, end, a, b, c] = [0, 1, 2, 3, 4];

/** What may follow the last token, by probability. The likeliest first token leads astray: a x has at most .6 · .3, b c .4 · .9. */
const table: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  [begin]: { [a]: 0.6, [b]: 0.4, [end]: 0 },
  [a]: { [a]: 0.3, [b]: 0.25, [c]: 0.25, [end]: 0.2 },
  [b]: { [c]: 0.9, [a]: 0.06, [end]: 0.04 },
  [c]: { [end]: 1, [a]: 0 },
};
const next: NextTokens = async (prefixes) =>
  prefixes.map(({ ids }) =>
    Object.entries(table[ids.at(-1) ?? begin] ?? {})
      .map(([id, probability]) => ({ id: Number(id), logProbability: Math.log(probability) }))
      .sort((one, other) => other.logProbability - one.logProbability),
  );
const options: BeamSearchOptions = { searches: 1, beam: 1, longest: 5, begin, end, lengthPenalty: 0 };

test("a beam of 1 is greedy, a wider one finds what is likelier", async () => {
  const [greedy] = await beamSearch(next, options);
  // a a a a a: it never ends by itself and is cut after five tokens.
  expect(greedy?.ids).toEqual([a, a, a, a, a]);
  expect(greedy?.score).toBeCloseTo(Math.log(0.6 * 0.3 ** 4), 10);
  const [wide] = await beamSearch(next, { ...options, beam: 2 });
  expect(wide?.ids).toEqual([b, c, end]);
  expect(wide?.score).toBeCloseTo(Math.log(0.4 * 0.9 * 1), 10);
});

test("scores are divided by the length's penalty", async () => {
  const [found] = await beamSearch(next, { ...options, beam: 2, lengthPenalty: 0.6 });
  // Three tokens: ((5 + 3) / 6)^0.6.
  expect(found?.score).toBeCloseTo(Math.log(0.36) / (8 / 6) ** 0.6, 10);
});

test("searches run side by side, each as alone", async () => {
  const asked: number[] = [];
  const counting: NextTokens = (prefixes) => {
    asked.push(new Set(prefixes.map(({ search }) => search)).size);
    return next(prefixes);
  };
  const both = await beamSearch(counting, { ...options, searches: 2, beam: 2 });
  expect(both[0]).toEqual(both[1]);
  expect(asked[0]).toBe(2);
});

test("a beam below 1 is refused", async () => {
  await expect(beamSearch(next, { ...options, beam: 0 })).rejects.toThrow(OptionError);
});
