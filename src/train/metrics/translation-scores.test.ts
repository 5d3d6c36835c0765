/** BLEU and chrF against their definitions. */
import { describe, expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { bleu, chrf } from "./translation-scores.ts";

const words = (...sentences: string[]) => sentences.map((sentence) => sentence.split(" "));

describe("BLEU", () => {
  const reference = words("the cat is on the mat today", "it rains");

  test("is 100 for the references, 0 where no word is right", () => {
    expect(bleu(reference, reference)).toBeCloseTo(100, 10);
    expect(bleu(words("a b c d e"), words("v w x y z"))).toBe(0);
  });

  test("takes the geometric mean of shares summed over the sentences", () => {
    // By hand: 1 to 4 words: 8 of 9 match, 6 of 7, 4 of 5, 3 of 4; the lengths are equal.
    const made = words("the cat is on the mat now", "it rains");
    expect(bleu(made, reference)).toBeCloseTo(100 * ((8 / 9) * (6 / 7) * (4 / 5) * (3 / 4)) ** 0.25, 10);
  });

  test("counts a word as often as the reference has it", () => {
    // Papineni et al. 2002, example 2: 2 of 7 single words count, nothing longer matches: 1/2, 1/4, 1/8 of a match.
    const made = words("the the the the the the the");
    const share = (2 / 7) * (1 / (2 * 6)) * (1 / (4 * 5)) * (1 / (8 * 4));
    expect(bleu(made, words("the cat is on the mat today"))).toBeCloseTo(100 * share ** 0.25, 10);
  });

  test("punishes what is too short", () => {
    // 4 words of 6, all right: e^(1 - 6/4).
    expect(bleu(words("the cat is on"), words("the cat is on the mat"))).toBeCloseTo(100 * Math.exp(-0.5), 10);
    expect(bleu(words("the cat is"), words("the cat is"))).toBe(0); // no four words in a row, as in sacreBLEU
  });
});

describe("chrF", () => {
  test("is 100 for the references, 0 where no character is right", () => {
    expect(chrf(["le chat", "été"], ["le chat", "été"])).toBeCloseTo(100, 10);
    expect(chrf(["abc"], ["xyz"])).toBe(0);
  });

  test("weighs recall twice, over characters without spaces", () => {
    // By hand: of "ab c" in "abcd" all 3, 2, 1 match; recall 3/4, 2/3, 1/2; of four in a row the translation has none.
    const [precision, recall] = [1, (3 / 4 + 2 / 3 + 1 / 2) / 3];
    expect(chrf(["ab c"], ["abcd"])).toBeCloseTo((100 * 5 * precision * recall) / (4 * precision + recall), 10);
  });
});

test("lists of other lengths are refused", () => {
  expect(() => bleu(words("a"), [])).toThrow(DataError);
  expect(() => chrf([], [])).toThrow("there are 0 translations and 0 references; pass one for each");
});
