/** Naive forecasts by hand. */
import { expect, test } from "vitest";
import { DataError, ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { compareSeriesBaselines, seasonalNaive } from "./seasonal-naive.ts";

test("the last season over again, of one series and of several", () => {
  const history = tensor([9, 1, 2, 3]);
  expect(seasonalNaive(history).toNumbers()).toEqual([3]);
  expect(seasonalNaive(history, { season: 3, horizon: 4 }).toNumbers()).toEqual([1, 2, 3, 1]);
  const two = tensor([
    [1, 10],
    [2, 20],
  ]);
  expect(seasonalNaive(two, { season: 2, horizon: 3 }).toArray()).toEqual([
    [1, 10],
    [2, 20],
    [1, 10],
  ]);
  expect(() => seasonalNaive(history, { season: 5 })).toThrow(
    "seasonalNaive: history has 4 steps, a season 5; pass a whole season at least",
  );
});

test("the season is chosen on the validation part, and is exact where it is the series' own", () => {
  const wave = (from: number, to: number) =>
    tensor(Array.from({ length: to - from }, (_, i) => [0, 2, 5, 2, 1, 3, 8][(from + i) % 7] as number));
  const parts = { train: wave(0, 60), validation: wave(60, 90), test: wave(90, 120) };
  const [last, seasonal] = compareSeriesBaselines(parts, { horizon: 3 });
  expect(last?.name).toBe("last value");
  expect(last?.test).toBeGreaterThan(1);
  expect(seasonal).toMatchObject({
    name: "seasonal naive",
    settings: "season = 7",
    validation: 0,
    test: 0,
    metric: "rmse",
  });
});

test("errors are those of all steps of all forecasts", () => {
  const parts = { train: tensor([0]), validation: tensor([1, 3]), test: tensor([3, 6]) };
  // One step: 0→1 and 1→3 give (1 + 4) / 2; 3→3 and 3→6 give 9 / 2. No season fits one step of training.
  const [last, ...others] = compareSeriesBaselines(parts);
  expect(last?.validation).toBeCloseTo(Math.sqrt(2.5), 12);
  expect(last?.test).toBeCloseTo(Math.sqrt(4.5), 12);
  expect(others).toEqual([]);
  // Two steps: from 0 to 1 and 3, (1 + 9) / 2.
  expect(compareSeriesBaselines(parts, { horizon: 2 })[0]?.validation).toBeCloseTo(Math.sqrt(5), 12);
});

test("series that do not fit, or that are no numbers, are refused", () => {
  const [one, two] = [tensor([1, 2]), tensor([[1, 2]])];
  expect(() => compareSeriesBaselines({ train: one, validation: two, test: one })).toThrow(ShapeError);
  expect(() => compareSeriesBaselines({ train: one, validation: one, test: one }, { horizon: 3 })).toThrow(
    "compareSeriesBaselines: validation has 2 steps, fewer than the horizon, 3; pass a longer part",
  );
  expect(() => seasonalNaive(tensor([1, Number.NaN]))).toThrow(DataError);
});
