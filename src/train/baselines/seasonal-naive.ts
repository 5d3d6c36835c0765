/** Forecasts without a model: the last value, and the value of a season before (Hyndman and Athanasopoulos 2021, section 5.2). */
import { DataError, ShapeError } from "../../core/errors.ts";
import { count, listOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { BaselineResult } from "./baseline.ts";

/** Options of `seasonalNaive`. */
export interface SeasonalNaiveOptions {
  /** Steps of a season; default 1, the last value. */
  readonly season?: number;
  /** How many steps are forecast; default 1. */
  readonly horizon?: number;
}

const checkOptions = optionsOf<SeasonalNaiveOptions>("seasonalNaive", { season: count(), horizon: count() });

/**
 * The next values of a series [steps] or of several [steps, series]: those of the last season over again,
 * ŷ(T + h) = y(T + h - m ⌈h / m⌉) for a season of m steps. Throws DataError for a series shorter than a season.
 * @example
 * seasonalNaive(tensor([1, 2, 3, 1, 2, 3]), { season: 3, horizon: 4 }).toNumbers(); // [1, 2, 3, 1]
 */
export function seasonalNaive(history: Tensor, options: SeasonalNaiveOptions = {}): Tensor<"float32"> {
  const { season = 1, horizon = 1 } = checkOptions(options);
  const { steps, width, values } = stepsOf("seasonalNaive", history);
  if (steps < season)
    throw new DataError(`seasonalNaive: history has ${steps} steps, a season ${season}; pass a whole season at least`);
  const forecast = new Float32Array(horizon * width);
  for (let h = 1; h <= horizon; h++) {
    const from = seasonalSource(steps - 1, h, season);
    forecast.set(values.subarray(from * width, (from + 1) * width), (h - 1) * width);
  }
  return new Tensor("float32", [horizon, ...history.shape.slice(1)], forecast);
}

/** The step of the last season that stands for step `h` after `origin`. */
export const seasonalSource = (origin: number, h: number, season: number): number =>
  origin + h - season * Math.ceil(h / season);

/** Series by step. */
interface Steps {
  readonly steps: number;
  readonly width: number;
  readonly values: Float64Array;
}

function stepsOf(where: string, series: Tensor): Steps {
  const [steps = 0, width = 1] = series.shape;
  if (series.shape.length < 1 || series.shape.length > 2 || steps === 0 || width === 0)
    throw new ShapeError(
      `${where}: the series is ${showShape(series.shape)}; pass [steps] or [steps, series], with some of both`,
    );
  const values = Float64Array.from(series.toNumbers());
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new DataError(`${where}: step ${Math.floor(odd / width)} is ${values[odd]}; impute it, or leave it out`);
  return { steps, width, values };
}

/** Options of `compareSeriesBaselines`. */
export interface CompareSeriesOptions {
  /** Seasons in steps, of which the validation part chooses one; default 4, 7, 12, 24, 52, 96, 144, 168 and 365. */
  readonly seasons?: readonly number[];
  /** How many steps are forecast from each step of a part; the error is that of all of them. Default 1. */
  readonly horizon?: number;
}

const checkCompare = optionsOf<CompareSeriesOptions>("compareSeriesBaselines", {
  seasons: listOf(count(), "whole numbers from 1"),
  horizon: count(),
});

/** Seasons in steps that are tried. */
export const usualSeasons = [4, 7, 12, 24, 52, 96, 144, 168, 365] as const;

/**
 * What the last value and the value of a season before reach on series [steps] or [steps, series] whose parts follow one another:
 * the root mean squared error of forecasts from each step of a part whose `horizon` next steps are in it. Candidates that are longer than
 * the training part are not tried; where none is left, there is no second result. Throws ShapeError for parts of another number of
 * series, DataError for a part that is shorter than the horizon and for values that are not finite.
 * @example
 * const [last, seasonal] = compareSeriesBaselines({ train, validation, test }, { seasons: [24, 168], horizon: 24 });
 */
export function compareSeriesBaselines(
  parts: { readonly train: Tensor; readonly validation: Tensor; readonly test: Tensor },
  options: CompareSeriesOptions = {},
): readonly BaselineResult[] {
  const { seasons = usualSeasons, horizon = 1 } = checkCompare(options);
  const read = (name: keyof typeof parts) => stepsOf(`compareSeriesBaselines: ${name}`, parts[name]);
  const [train, validation, test] = [read("train"), read("validation"), read("test")];
  const { width } = train;
  for (const [name, part] of Object.entries({ validation, test })) {
    if (part.width !== width)
      throw new ShapeError(
        `compareSeriesBaselines: ${name} has ${part.width} series, the training part ${width}; pass parts of the same series`,
      );
    if (part.steps < horizon)
      throw new DataError(
        `compareSeriesBaselines: ${name} has ${part.steps} steps, fewer than the horizon, ${horizon}; pass a longer part`,
      );
  }
  const values = new Float64Array(train.values.length + validation.values.length + test.values.length);
  values.set(train.values);
  values.set(validation.values, train.values.length);
  values.set(test.values, train.values.length + validation.values.length);
  const errorOf = (season: number, from: number, to: number): number => {
    let [sum, terms] = [0, 0];
    // From the step before the part on, so that its first step is forecast too.
    for (let origin = from - 1; origin + horizon < to; origin++)
      for (let h = 1; h <= horizon; h++) {
        const source = seasonalSource(origin, h, season);
        for (let j = 0; j < width; j++)
          sum += ((values[(origin + h) * width + j] as number) - (values[source * width + j] as number)) ** 2;
        terms += width;
      }
    return Math.sqrt(sum / terms);
  };
  const middle = train.steps + validation.steps;
  const measured = (name: string, candidates: readonly number[]): readonly BaselineResult[] => {
    const began = performance.now();
    const errors = candidates.map((season) => ({ season, error: errorOf(season, train.steps, middle) }));
    const [best] = errors.sort((a, b) => a.error - b.error || a.season - b.season);
    if (best === undefined) return [];
    return [
      {
        name,
        settings: name === "last value" ? "none" : `season = ${best.season}`,
        validation: best.error,
        test: errorOf(best.season, middle, middle + test.steps),
        metric: "rmse",
        seconds: (performance.now() - began) / 1000,
      },
    ];
  };
  return [
    ...measured("last value", [1]),
    ...measured(
      "seasonal naive",
      seasons.filter((season) => season <= train.steps),
    ),
  ];
}
