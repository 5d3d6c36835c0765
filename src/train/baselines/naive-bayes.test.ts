/** Naive Bayes by hand. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { compareTextBaselines, naiveBayes, naiveBayesAccuracy } from "./naive-bayes.ts";

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

test("pairs and smoothing are chosen on the validation part, beside the class of most texts", () => {
  const parts = { train: [...texts, ...texts, { text: "fine", label: 1 }], validation: texts, test: texts };
  const [most, bayes] = compareTextBaselines(parts, 2);
  expect(most).toMatchObject({ name: "majority", settings: "class 1", validation: 0.5, test: 0.5, metric: "accuracy" });
  expect(bayes).toMatchObject({
    name: "naive Bayes",
    settings: "words and pairs, smoothing = 1",
    validation: 1,
    test: 1,
  });
  expect(() => compareTextBaselines({ ...parts, test: [] }, 2)).toThrow(
    "compareTextBaselines: test has no texts; pass at least one",
  );
});

test("labels that are none are refused", () => {
  expect(() => naiveBayes([{ text: "a", label: 2 }], 2)).toThrow(
    "naiveBayes: the label of text 0 is 2; pass classes from 0 to 1",
  );
  expect(() => naiveBayes([], 2)).toThrow(DataError);
});
