/** Counted n-grams, by hand. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { compareLanguageBaselines, nGramModel } from "./n-gram.ts";

test("interpolated Kneser-Ney of pairs, by hand", () => {
  // a b a b a c: a 3 times, b 2, c 1. Before a stands b alone, before b a, before c a.
  const tokens = Int32Array.of(0, 1, 0, 1, 0, 2);
  const model = nGramModel(tokens, { vocabulary: 3, order: 2 });
  // Pairs ab 2, ba 2, ac 1: D = 1 / (1 + 2 · 2) = 1/5. Different ones before: a 1, b 1, c 1: D = 3 / 3 = 1, so that all comes from 1/3.
  const alone = 1 / 3;
  const behindA = (times: number) => Math.max(0, times - 0.2) / 3 + ((0.2 * 2) / 3) * alone;
  expect(model.probability(Int32Array.of(0, 1), 1)).toBeCloseTo(behindA(2), 12);
  expect(model.probability(Int32Array.of(0, 2), 1)).toBeCloseTo(behindA(1), 12);
  expect(model.probability(Int32Array.of(0, 0), 1)).toBeCloseTo(behindA(0), 12);
  // Behind what was never continued only the shorter context counts.
  expect(model.probability(Int32Array.of(2, 1), 1)).toBeCloseTo(alone, 12);
  // One token alone: 1 of its counts is 1 and 1 is 2, D = 1/3.
  expect(model.probability(Int32Array.of(0), 0, 1)).toBeCloseTo((3 - 1 / 3) / 6 + 1 / 18, 12);
  expect(model.perplexity(Int32Array.of(0, 1), 2)).toBeCloseTo(
    Math.exp(-(Math.log(model.probability(Int32Array.of(0), 0)) + Math.log(behindA(2))) / 2),
    12,
  );
});

const random = new Random(keyOf(1));
/** Tokens of which each mostly follows from the two before. */
const chain = (length: number) => {
  const tokens = new Int32Array(length);
  for (let i = 2; i < length; i++)
    tokens[i] =
      random.uniform(0, 1) < 0.8
        ? ((tokens[i - 1] as number) + 2 * (tokens[i - 2] as number) + 1) % 7
        : random.integer(7);
  return tokens;
};

test("probabilities add up to 1 behind any context, at any order", () => {
  const tokens = chain(500);
  const model = nGramModel(tokens, { vocabulary: 9, order: 4 });
  for (const order of [1, 2, 3, 4])
    for (const context of [[], [3], [8, 2], [1, 2, 3], [...tokens.slice(40, 43)]]) {
      const of = (token: number) => model.probability(Int32Array.of(...context, token), context.length, order);
      expect(Array.from({ length: 9 }, (_, token) => of(token)).reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    }
});

test("the order is chosen on the validation part", () => {
  const [unigram, grams] = compareLanguageBaselines(
    { train: chain(3000), validation: chain(500), test: chain(500) },
    { vocabulary: 7, order: 4 },
  );
  expect(unigram).toMatchObject({ name: "unigram", metric: "perplexity" });
  expect(unigram?.test).toBeGreaterThan(6);
  expect(grams?.settings).toBe("interpolated Kneser-Ney, order 3 of 2 to 4");
  // e to the entropy of the chain: a token of 0.8 + 0.2 / 7, six of 0.2 / 7.
  const [likely, other] = [0.8 + 0.2 / 7, 0.2 / 7];
  expect(grams?.test).toBeLessThan(1.15 * Math.exp(-likely * Math.log(likely) - 6 * other * Math.log(other)));
});

test("bad tokens are refused", () => {
  expect(() => nGramModel(Int32Array.of(), { vocabulary: 2 })).toThrow("nGramModel: there are no tokens");
  expect(() => nGramModel(Int32Array.of(2), { vocabulary: 2 })).toThrow("token 0 is 2; pass tokens from 0 to 1");
});
