/** Calibration and residuals, by numbers that are reckoned by hand. */
import { expect, test } from "vitest";
import { calibrationOf, residualsOf } from "./calibration.ts";

const sample = (predicted: number, actual: number, confidence: number) => ({ predicted, actual, confidence, loss: 0 });

test("the expected calibration error weighs the gap of each bin by its samples", () => {
  // Three of (0.7, 0.8] with one wrong, one of (0.9, 1] that is right.
  const samples = [sample(0, 0, 0.75), sample(1, 1, 0.8), sample(0, 1, 0.79), sample(1, 1, 1)];
  const { bins, error, accuracy, confidence } = calibrationOf(samples);
  expect(bins.map(({ from, to, samples }) => [from, to, samples])).toEqual([
    [0.7, 0.8, 3],
    [0.9, 1, 1],
  ]);
  expect(bins[0]?.accuracy).toBeCloseTo(2 / 3, 12);
  expect(bins[0]?.confidence).toBeCloseTo(0.78, 12);
  expect(error).toBeCloseTo((3 / 4) * (0.78 - 2 / 3), 12);
  expect([accuracy, confidence]).toEqual([0.75, expect.closeTo(0.835, 12)]);
});

test("a confidence of nought lies in the first bin", () => {
  expect(calibrationOf([sample(0, 1, 0)]).bins).toMatchObject([{ from: 0, samples: 1, accuracy: 0 }]);
});

test("residuals: bias, errors and pairs", () => {
  const residuals = residualsOf([sample(3, 1, Number.NaN), sample(4, 5, Number.NaN)]);
  expect(residuals).toEqual({
    samples: 2,
    bias: 0.5,
    rootMeanSquaredError: Math.sqrt(2.5),
    meanAbsoluteError: 1.5,
    pairs: [
      [1, 3],
      [5, 4],
    ],
  });
});
