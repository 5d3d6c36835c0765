/** Simple forecasts of the windows that networks are tested on: the last value, seasons, means of seasons, ridge regression of lags. */
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import { seasonalSource, usualSeasons } from "../../train/baselines/seasonal-naive.ts";
import { laggedRidge } from "./lagged-ridge.ts";
import type { SeriesGrid, SeriesWindow } from "./series-grid.ts";
import type { PartedSeries, SimpleAttempt, SimpleForecast } from "./simple-forecast.ts";
import { cyclesOf, dayOfYear, momentAt } from "./time-steps.ts";

/** What simple forecasts reach: settings are chosen on the validation part; with those they are fitted to all before the test, and tested once. */
export async function baselinesOfSeries(
  series: PartedSeries,
  { scaled }: { readonly scaled: boolean },
): Promise<readonly BaselineResult[]> {
  const { parts } = series;
  const before = [...parts.train, ...parts.between, ...parts.validation];
  const results: BaselineResult[] = [];
  for (const [name, attemptsOf] of Object.entries(baselines)) {
    // Other work of the process gets its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const began = performance.now();
    const tried = attemptsOf(series).map((attempt) => ({
      attempt,
      ...errorsOf(series, { forecast: attempt.fit(parts.train), windows: parts.validation, scaled }),
    }));
    const [best] = tried.sort((a, b) => a.squared - b.squared);
    if (!best) continue;
    const { squared, absolute } = errorsOf(series, { forecast: best.attempt.fit(before), windows: parts.test, scaled });
    results.push({
      name,
      settings: [best.attempt.settings, `mean absolute error ${Number(absolute.toPrecision(4))}`]
        .filter(Boolean)
        .join("; "),
      validation: best.squared,
      test: squared,
      metric: "rmse",
      seconds: (performance.now() - began) / 1000,
    });
  }
  return results;
}

/** The root of the mean squared error, and the mean absolute error, over what is known of windows. */
function errorsOf(
  { encoding: { horizon, scales } }: PartedSeries,
  {
    forecast,
    windows,
    scaled,
  }: { readonly forecast: SimpleForecast; readonly windows: readonly SeriesWindow[]; readonly scaled: boolean },
): { readonly squared: number; readonly absolute: number } {
  let [squares, absolutes, count] = [0, 0, 0];
  for (const own of windows) {
    const { grid, origin } = own;
    for (let j = 0; j < grid.targets; j++) {
      const unit = scaled ? (scales[grid.series]?.[j]?.change ?? 1) : 1;
      const of = forecast(own, j);
      for (let h = 1; h <= horizon; h++) {
        const at = (origin + h) * grid.targets + j;
        if (grid.isKnown[at] === 0) continue;
        const error = (of(h) - (grid.values[at] as number)) / unit;
        squares += error * error;
        absolutes += Math.abs(error);
        count++;
      }
    }
  }
  return { squared: Math.sqrt(squares / count), absolute: absolutes / count };
}

const baselines: Readonly<Record<string, (series: PartedSeries) => readonly SimpleAttempt[]>> = {
  "last value": () => [{ settings: "", fit: () => fromHistory((origin) => origin) }],
  "seasonal naive": (series) =>
    seasonsOf(series, 1).map((season) => ({
      settings: `season = ${season}`,
      fit: () => fromHistory((origin, h) => seasonalSource(origin, h, season)),
    })),
  "mean of the season": (series) => {
    const { cycles, horizon, time } = series.encoding;
    const bySeason = seasonsOf(series, 2).map((season) =>
      seasonMeans(
        { settings: `season = ${season}`, phaseOf: (place) => ((place % season) + season) % season, around: 0 },
        horizon,
      ),
    );
    if (!cycles.includes("year") || time.step.kind === "months") return bySeason;
    const phaseOf = (place: number) => dayOfYear(momentAt(place, time.step));
    const byDay = [3, 7, 15].map((around) =>
      seasonMeans({ settings: `day of the year and ${around} days around it`, phaseOf, around }, horizon),
    );
    return [...bySeason, ...byDay];
  },
  "ridge regression": laggedRidge,
};

/** Seasons that the training part has so many of. */
function seasonsOf({ encoding, parts }: PartedSeries, times: number): readonly number[] {
  const trained = parts.train.reduce((most, { origin }) => Math.max(most, origin + encoding.horizon), 0);
  const all = [...usualSeasons, ...cyclesOf(encoding.time.step).map(({ steps }) => steps)];
  return [...new Set(all)].filter((season) => season > 1 && times * season <= trained).sort((a, b) => a - b);
}

/** Values of the history, by the step that stands for step h after the origin; the last one where that lies before the series. */
const fromHistory =
  (sourceOf: (origin: number, h: number) => number): SimpleForecast =>
  ({ grid: { targets, values }, origin }, j) => {
    const last = values[origin * targets + j] as number;
    return (h) => {
      const value = values[sourceOf(origin, h) * targets + j] ?? Number.NaN;
      return Number.isNaN(value) ? last : value;
    };
  };

/** Phases of which means are taken. */
interface Phases {
  readonly settings: string;
  /** The phase of a step, 0, 1, … */
  phaseOf(place: number): number;
  /** So many phases before and after one count for it, too. */
  readonly around: number;
}

/** Days of the longest year, around which phases go. */
const yearDays = 366;

/** Means of each series over the steps of a phase; the mean of all where there are none, the last value where there is none. */
function seasonMeans({ settings, phaseOf, around }: Phases, horizon: number): SimpleAttempt {
  const meansOf = ({ first, targets, values, isKnown }: SeriesGrid, j: number, end: number) => {
    const phases = new Map<number, { sum: number; count: number }>();
    const all = { sum: 0, count: 0 };
    for (let step = 0; step < end; step++) {
      if (isKnown[step * targets + j] === 0) continue;
      const phase = phaseOf(first + step);
      const own = phases.get(phase) ?? { sum: 0, count: 0 };
      phases.set(phase, own);
      for (const total of [own, all]) {
        total.sum += values[step * targets + j] as number;
        total.count++;
      }
    }
    return (phase: number): number => {
      let [sum, count] = [0, 0];
      for (let near = phase - around; near <= phase + around; near++) {
        const own = phases.get(around > 0 ? (near + yearDays) % yearDays : near);
        sum += own?.sum ?? 0;
        count += own?.count ?? 0;
      }
      return count > 0 ? sum / count : all.sum / all.count;
    };
  };
  return {
    settings,
    fit(windows) {
      const ends = new Map<SeriesGrid, number>();
      for (const { grid, origin } of windows) ends.set(grid, Math.max(ends.get(grid) ?? 0, origin + 1 + horizon));
      const means = new Map(
        [...ends].map(([grid, end]) => [grid, Array.from({ length: grid.targets }, (_, j) => meansOf(grid, j, end))]),
      );
      return ({ grid, origin }, j) => {
        const last = grid.values[origin * grid.targets + j] as number;
        const of = means.get(grid)?.[j];
        return (h) => {
          const mean = of?.(phaseOf(grid.first + origin + h)) ?? Number.NaN;
          return Number.isNaN(mean) ? last : mean;
        };
      };
    },
  };
}
