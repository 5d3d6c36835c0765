/** The verdict beside baselines. */
import { expect, test } from "vitest";
import { baselineVerdict } from "./verdict.ts";

const baseline = (name: string, metric: "accuracy" | "rmse", validation: number, test: number) => ({
  name,
  metric,
  validation,
  test,
  settings: "",
  seconds: 0,
});

test("the baseline counts that does best where settings are chosen, not on the test", () => {
  const baselines = [baseline("forest", "accuracy", 0.9, 0.8), baseline("lucky", "accuracy", 0.5, 0.99)];
  expect(baselineVerdict({ samples: 9, results: { accuracy: 0.85 }, baselines })).toBe(
    "Better than the best simple baseline, forest: 85.00 %, and 80.00 % by the baseline.",
  );
});

test("a smaller error is better, an equal one is not", () => {
  const baselines = [baseline("mean", "rmse", 2, 2)];
  const verdict = (rootMeanSquaredError: number) =>
    baselineVerdict({ samples: 9, results: { rootMeanSquaredError }, baselines });
  expect(verdict(1.5)).toMatch(/^Better than/);
  expect(verdict(2)).toMatch(/^Not better than a simple baseline: mean/);
});

test("each measure has its sentence", () => {
  const baselines = [baseline("biases", "rmse", 2, 2), baseline("forest", "accuracy", 0.9, 0.8)];
  expect(baselineVerdict({ samples: 9, results: { rootMeanSquaredError: 1.5, accuracy: 0.5 }, baselines })).toBe(
    "Better by rmse than the best simple baseline, biases: 1.5000, and 2 by the baseline. Not better by accuracy than a simple baseline: forest reaches 80.00 %, this model 50.00 %; prefer the simple way, or more data.",
  );
});

test("there is none without baselines", () => {
  expect(baselineVerdict({ samples: 9, results: { accuracy: 1 } })).toBe(undefined);
});
