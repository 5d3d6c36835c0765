/** Baselines of texts: settings by the validation part, classes, numbers and labels. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { linearProbe } from "../few-shot/linear-probe.ts";
import { fitSparse, tfIdf } from "./sparse-linear.ts";
import { compareLabelBaselines, compareTextBaselines } from "./texts.ts";

const texts = [
  { text: "not good", label: 0 },
  { text: "good", label: 1 },
];
const parts = { train: [...texts, ...texts, { text: "fine", label: 1 }], validation: texts, test: texts };

test("of classes the settings are chosen on the validation part, beside the class of most texts", async () => {
  const [most, bayes, logistic] = await compareTextBaselines(parts, 2);
  expect(most).toMatchObject({ name: "majority", validation: 0.5, test: 0.5, metric: "accuracy" });
  expect(bayes).toMatchObject({
    name: "naive Bayes",
    settings: "words and pairs, smoothing = 1",
    validation: 1,
    test: 1,
  });
  expect(logistic).toMatchObject({ name: "logistic regression", validation: 1, test: 1 });
  await expect(compareTextBaselines({ ...parts, test: [] }, 2)).rejects.toThrow(
    "compareTextBaselines: test has no texts; pass at least one",
  );
});

test("of numbers the mean and ridge regression", async () => {
  const numbered = parts.train.map(({ text, label }) => ({ text, label: 10 + 4 * label }));
  const [mean, ridge] = await compareTextBaselines({ train: numbered, validation: numbered, test: numbered }, 0);
  // Three of five are 14: the deviation is 4 √(0.6 · 0.4).
  expect(mean?.test).toBeCloseTo(4 * Math.sqrt(0.24), 9);
  expect(ridge).toMatchObject({ metric: "rmse", settings: "TF-IDF of words and pairs, alpha = 0.01" });
  expect(ridge?.test).toBeLessThan(0.2);
});

test("of labels each by itself", async () => {
  const labelled = [
    { text: "ball and goal", has: [true, false] },
    { text: "vote and law", has: [false, true] },
    { text: "vote on the ball", has: [true, true] },
    { text: "rain", has: [false, false] },
  ];
  const results = await compareLabelBaselines({ train: labelled, validation: labelled, test: labelled });
  expect(results.map(({ name }) => name)).toEqual(["all texts alike", "naive Bayes", "logistic regression"]);
  // Every label: 4 hits of 8 predicted and 4 actual.
  expect(results[0]?.test).toBeCloseTo(8 / 12, 9);
  expect(results[2]?.test).toBe(1);
  await expect(compareLabelBaselines({ train: [], validation: labelled, test: labelled })).rejects.toThrow(
    "compareLabelBaselines: train has no texts",
  );
});

test("little time is kept to: fewer texts, fewer settings, or left out, and it is said", async () => {
  const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
  const many = Array.from({ length: 6000 }, (_, i) => ({
    text: Array.from({ length: 40 }, (_, j) => words[(i * 7 + j * j * 31 + i * j) % words.length]).join(" "),
    label: i % 3,
  }));
  const all = { train: many, validation: many.slice(0, 300), test: many.slice(300, 600) };
  const began = performance.now();
  const results = await compareTextBaselines(all, 3, { seconds: 0.3 });
  // All of it takes some 20 seconds; what is cut short ends within its last fit.
  expect(performance.now() - began).toBeLessThan(6000);
  expect(results.map(({ name }) => name)).toEqual(["majority", "naive Bayes", "logistic regression"]);
  expect(results[0]?.settings).toBe("the class of most texts");
  expect(results[2]?.settings).toMatch(/of [\d,]+ of 6,000 texts|left out: the 0\.3 seconds were over/);
  const labelled = many.slice(0, 40).map(({ text, label }) => ({ text, has: [label === 0] }));
  const parts = { train: labelled, validation: labelled, test: labelled };
  for (const { settings, test } of await compareLabelBaselines(parts, { seconds: 1e-6 }))
    expect([settings, test]).toEqual(["left out: the 0.000001 seconds were over; pass more seconds", Number.NaN]);
  await expect(compareTextBaselines(parts as never, 2, { seconds: 0 })).rejects.toThrow("seconds");
});

test("the sparse fit finds the minimum that the dense one finds", () => {
  const own = ["good film", "good food", "bad film", "bad food", "so good"];
  const labels = [1, 1, 0, 0, 1];
  const { width, rowOf } = tfIdf(own);
  const dense = tensor(
    own.map((text) => {
      const row = new Array<number>(width).fill(0);
      const { columns, values } = rowOf(text);
      for (const [k, column] of columns.entries()) row[column] = values[k] as number;
      expect(Math.hypot(...row)).toBeCloseTo(1, 12);
      return row;
    }),
  );
  const probe = linearProbe(dense, tensor(labels, { dtype: "int32" }), { strengths: [1] });
  const classify = fitSparse(own, labels, { classes: 2, strength: 1 });
  expect(own.map(classify)).toEqual(probe.predict(dense).toNumbers());
});
