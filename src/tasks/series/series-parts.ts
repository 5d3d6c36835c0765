/** Time series in parts by time, and what is learned of the training part: usual horizons and windows, borders, scales. */
import { DataError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import type { SeriesScale } from "../../models/sequence/forecaster.ts";
import { isWhole, type SeriesGrid, type SeriesWindow } from "./series-grid.ts";
import { cyclesOf, type TimeStep } from "./time-steps.ts";

/** Shares of the steps that the test and the validation part take. */
const testShare = 0.2;
const validationShare = 0.15;
/** Windows that are learned from at least. */
const leastWindows = 8;
/** Steps of a window at most, where nobody asks for more. */
const widest = 200;

/** Steps to forecast: the shortest cycle of the calendar, or ten; less of few steps. */
export function defaultHorizon(step: TimeStep, steps: number): number {
  const cycle = cyclesOf(step)[0]?.steps ?? 10;
  return Math.max(1, Math.min(cycle, Math.floor(steps / 20)));
}

/** Steps to read: twice the horizon, and two cycles of the calendar at least; a third of those to train on at most. */
export function defaultWindow(step: TimeStep, horizon: number, trained: number): number {
  const [shortest, ...longer] = cyclesOf(step).map(({ steps }) => steps);
  const whole = longer.filter((steps) => steps <= widest);
  const wanted = Math.max(16, 2 * horizon, ...(shortest && 2 * shortest <= widest ? [2 * shortest] : []), ...whole);
  return Math.max(1, Math.min(wanted, Math.floor(trained / 3)));
}

/** Places where parts begin: steps before `validation` are trained on, those from `test` on tested; `end` is behind the last. */
export interface Borders {
  readonly validation: number;
  readonly test: number;
  readonly end: number;
}

/** Borders of parts of all series, by time. */
export function bordersOf(grids: readonly SeriesGrid[], horizon: number): Borders {
  const start = Math.min(...grids.map(({ first }) => first));
  const end = Math.max(...grids.map(({ first, steps }) => first + steps));
  const shareOf = (share: number) => Math.max(horizon, Math.round(share * (end - start)));
  const test = end - shareOf(testShare);
  return { validation: test - shareOf(validationShare), test, end };
}

/** Windows of each part: what is forecast of a window lies in its part; `between` are those that reach from training into validation. */
export interface SeriesParts {
  readonly train: readonly SeriesWindow[];
  readonly between: readonly SeriesWindow[];
  readonly validation: readonly SeriesWindow[];
  readonly test: readonly SeriesWindow[];
}

/** Windows of some steps. */
interface WindowRequest {
  readonly window: number;
  readonly horizon: number;
  /** So many of each part at most, evenly spaced. */
  readonly limit: number | undefined;
  /** The table, for errors. */
  readonly where: string;
}

/** Most windows of a part, evenly spaced. */
const mostWindows = 50_000;

/** Windows of all series by part. Throws DataError where a part has too few. */
export function windowsOf(
  grids: readonly SeriesGrid[],
  { validation, test }: Borders,
  { window, horizon, limit = mostWindows, where }: WindowRequest,
): SeriesParts {
  const parts: Record<keyof SeriesParts, SeriesWindow[]> = { train: [], between: [], validation: [], test: [] };
  for (const grid of grids)
    for (let origin = window - 1; origin + horizon < grid.steps; origin++) {
      const own = { grid, origin };
      const [from, to] = [grid.first + origin + 1, grid.first + origin + horizon];
      const part =
        from >= test
          ? "test"
          : to >= test
            ? undefined
            : from >= validation
              ? "validation"
              : to < validation
                ? "train"
                : "between";
      const targets = grid.isKnown.subarray((origin + 1) * grid.targets, (origin + 1 + horizon) * grid.targets);
      if (part && isWhole(own, window) && targets.includes(1)) parts[part].push(own);
    }
  const least = { train: leastWindows, validation: 1, test: 1 } as const;
  for (const [part, needed] of Object.entries(least)) {
    const found = parts[part as keyof typeof least].length;
    if (found < needed)
      throw new DataError(
        `${where}: the ${part === "train" ? "training" : part} part has ${plural(found, "window")} of ${plural(window, "step")} with the ${plural(horizon, "step")} after ${found === 1 ? "it" : "them"}, expected ${needed} at least; pass more rows, or a smaller --horizon or --window`,
      );
  }
  const some = (own: readonly SeriesWindow[]) => {
    const most = Math.min(own.length, limit, mostWindows);
    return Array.from({ length: most }, (_, i) => own[Math.floor((i * own.length) / most)] as SeriesWindow);
  };
  return {
    train: some(parts.train),
    between: some(parts.between),
    validation: some(parts.validation),
    test: some(parts.test),
  };
}

/** Where the values of each target of each series lie before a place; a series without values there is taken for the mean of the others. */
export function scalesOf(grids: readonly SeriesGrid[], before: number, horizon: number): SeriesScale[][] {
  const own = grids.map((grid) => Array.from({ length: grid.targets }, (_, j) => scaleOf(grid, j, before, horizon)));
  const meanOf = (j: number, pick: (scale: SeriesScale) => number) => {
    const known = own.flatMap((scales) => (scales[j] ? [pick(scales[j])] : []));
    return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  };
  return own.map((scales) =>
    scales.map(
      (scale, j) =>
        scale ?? {
          mean: meanOf(j, ({ mean }) => mean),
          deviation: meanOf(j, ({ deviation }) => deviation) || 1,
          change: meanOf(j, ({ change }) => change) || 1,
        },
    ),
  );
}

function scaleOf(grid: SeriesGrid, target: number, before: number, horizon: number): SeriesScale | undefined {
  const { steps, targets, values, isKnown } = grid;
  const end = Math.min(steps, before - grid.first);
  let [sum, squares, times] = [0, 0, 0];
  let [changes, pairs] = [0, 0];
  const at = (step: number) => step * targets + target;
  const isOf = (step: number) => step < end && isKnown[at(step)] === 1;
  for (let step = 0; step < end; step++) {
    if (!isOf(step)) continue;
    const value = values[at(step)] as number;
    sum += value;
    times++;
    for (let h = 1; h <= horizon; h++) {
      if (!isOf(step + h)) continue;
      changes += ((values[at(step + h)] as number) - value) ** 2;
      pairs++;
    }
  }
  if (times < 2) return undefined;
  const mean = sum / times;
  for (let step = 0; step < end; step++) if (isOf(step)) squares += ((values[at(step)] as number) - mean) ** 2;
  const deviation = Math.sqrt(squares / times) || 1;
  return { mean, deviation, change: Math.sqrt(changes / Math.max(1, pairs)) || deviation };
}
