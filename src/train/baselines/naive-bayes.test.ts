/** Naive Bayes by hand. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { naiveBayes, naiveBayesAccuracy } from "./naive-bayes.ts";

const texts = [
  { text: "not good", label: 0 },
  { text: "good", label: 1 },
];

test("naive Bayes counts words and pairs of words", () => {
  const classify = naiveBayes(texts, 2);
  // Of class 1 p(good) is 2/4, of class 0 2/6; "not good" adds "not" and the pair, 2/6 each against 1/4.
  expect([classify("good"), classify("not good"), classify("unknown")]).toEqual([1, 0, 0]);
  expect(naiveBayesAccuracy(texts, [...texts, { text: "not", label: 1 }], 2)).toBeCloseTo(2 / 3, 12);
});

test("without pairs their order is not read", () => {
  const ordered = [
    { text: "a b", label: 0 },
    { text: "b a", label: 1 },
  ];
  expect(naiveBayes(ordered, 2)("b a")).toBe(1);
  expect(naiveBayes(ordered, 2, { pairs: false })("b a")).toBe(0);
});

test("labels that are none are refused", () => {
  expect(() => naiveBayes([{ text: "a", label: 2 }], 2)).toThrow(
    "naiveBayes: the label of text 0 is 2; pass classes from 0 to 1",
  );
  expect(() => naiveBayes([], 2)).toThrow(DataError);
});
