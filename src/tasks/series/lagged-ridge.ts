/** Ridge regression of the values of a window, of the calendar and of other columns: each step ahead by weights of its own. */
import { Tensor } from "../../core/tensor.ts";
import { encodedWidth } from "../../data/tables/rows/row-encoding.ts";
import type { SeriesScale } from "../../models/sequence/forecaster.ts";
import { alphas, type Linear, ridge } from "../../train/baselines/linear.ts";
import { denseFeatures } from "../tables/dense-features.ts";
import type { SeriesEncoding } from "./series-encoding.ts";
import { momentAfter, type SeriesGrid, type SeriesWindow } from "./series-grid.ts";
import type { PartedSeries, SimpleAttempt, SimpleForecast } from "./simple-forecast.ts";
import { type CalendarCycle, dayAndShare } from "./time-steps.ts";

/** Windows that are learned from at most, evenly spaced. */
const mostRows = 4000;

/** How values are scaled: from the last one on in usual changes, or in deviations from the mean. */
const forms: Readonly<
  Record<string, (scale: SeriesScale, last: number) => { readonly centre: number; readonly unit: number }>
> = {
  changes: ({ change }, last) => ({ centre: last, unit: change }),
  levels: ({ mean, deviation }) => ({ centre: mean, unit: deviation }),
};

/** A regression for each form of values and each strength of the penalty. */
export function laggedRidge(series: PartedSeries): readonly SimpleAttempt[] {
  const features = featuresOf(series);
  return Object.keys(forms).flatMap((form) => {
    // All strengths share what is decomposed.
    const solved = new Map<readonly SeriesWindow[], ReturnType<typeof solverOf>>();
    return alphas.map((alpha) => ({
      settings: `alpha = ${alpha}, of ${form}`,
      fit(windows) {
        const solve = solved.get(windows) ?? solverOf(series, features, form, windows);
        solved.set(windows, solve);
        return solve(alpha);
      },
    }));
  });
}

type Features = (window: SeriesWindow, j: number, form: string) => Float64Array;

/** Solves for all targets and steps ahead. */
function solverOf(
  { encoding: { horizon, targets, scales } }: PartedSeries,
  features: Features,
  form: string,
  windows: readonly SeriesWindow[],
): (alpha: number) => SimpleForecast {
  const placeOf = ({ grid, origin }: SeriesWindow, j: number) =>
    (forms[form] as (typeof forms)[string])(
      scales[grid.series]?.[j] as SeriesScale,
      grid.values[origin * grid.targets + j] as number,
    );
  const solvers = targets.map((_, j) => {
    const whole = windows.filter(({ grid, origin }) => {
      for (let h = 1; h <= horizon; h++) if (grid.isKnown[(origin + h) * grid.targets + j] === 0) return false;
      return true;
    });
    const count = Math.min(mostRows, whole.length);
    if (count < 2) return undefined;
    const rows = Array.from({ length: count }, (_, i) => whole[Math.floor((i * whole.length) / count)] as SeriesWindow);
    const width = features(rows[0] as SeriesWindow, j, form).length;
    const values = new Float64Array(count * width);
    for (const [i, own] of rows.entries()) values.set(features(own, j, form), i * width);
    const solve = ridge({ count, width, values });
    return Array.from({ length: horizon }, (_, i) =>
      solve(
        Float64Array.from(rows, (own) => {
          const { centre, unit } = placeOf(own, j);
          return ((own.grid.values[(own.origin + 1 + i) * own.grid.targets + j] as number) - centre) / unit;
        }),
      ),
    );
  });
  return (alpha) => {
    const models = solvers.map((steps) => steps?.map((solve) => solve(alpha)));
    return (own, j) => {
      const x = features(own, j, form);
      const { centre, unit } = placeOf(own, j);
      return (h) => centre + unit * numberOf(models[j]?.[h - 1], x);
    };
  };
}

function numberOf(linear: Linear | undefined, x: Float64Array): number {
  if (!linear) return 0;
  let sum = linear.bias;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (linear.weights[i] as number);
  return sum;
}

/** What is read of windows: scaled values, the calendar, other columns at the last step, and what is known of the steps ahead. */
function featuresOf({ encoding, grids }: PartedSeries): Features {
  const { window, horizon, cycles, time, scales } = encoding;
  const dense = new Map(grids.map((grid) => [grid, densePartsOf(encoding, grid)]));
  return (own, j, form) => {
    const { grid, origin } = own;
    const { targets, values } = grid;
    const { centre, unit } = (forms[form] as (typeof forms)[string])(
      scales[grid.series]?.[j] as SeriesScale,
      values[origin * targets + j] as number,
    );
    const found: number[] = [];
    for (let step = origin - window + 1; step <= origin; step++)
      found.push(((values[step * targets + j] as number) - centre) / unit);
    const [days, part] = dayAndShare(time.step.kind === "numbers" ? 0 : momentAfter(own, 1, time.step));
    for (const cycle of cycles) {
      const { length, waves } = calendar[cycle];
      for (let wave = 1; wave <= waves; wave++) {
        const angle = (2 * Math.PI * wave * (days + part)) / length;
        found.push(Math.sin(angle), Math.cos(angle));
      }
    }
    const { covariates, known } = dense.get(grid) ?? {};
    if (covariates) found.push(...rowOf(covariates, origin));
    if (known) for (let h = 1; h <= horizon; h++) found.push(...rowOf(known, Math.min(origin + h, grid.steps - 1)));
    return Float64Array.from(found);
  };
}

const calendar: Readonly<Record<CalendarCycle, { readonly length: number; readonly waves: number }>> = {
  day: { length: 1, waves: 4 },
  week: { length: 7, waves: 3 },
  year: { length: 365.2425, waves: 3 },
};

const rowOf = ({ shape: [, width = 1], data }: Tensor, row: number): ArrayLike<number> & Iterable<number> =>
  (data as Float32Array).subarray(row * width, (row + 1) * width);

/** Columns beside the targets as features, [steps, features] each. */
function densePartsOf({ covariates, known }: SeriesEncoding, { beside, steps }: SeriesGrid) {
  const width = beside.length / steps;
  const partOf = (encoding: SeriesEncoding["known"], from: number) => {
    if (!encoding) return undefined;
    const own = encodedWidth(encoding);
    const data = new Float32Array(steps * own);
    for (let step = 0; step < steps; step++)
      data.set(beside.subarray(step * width + from, step * width + from + own), step * own);
    return denseFeatures(encoding, new Tensor("float32", [steps, own], data));
  };
  return { covariates: partOf(covariates, 0), known: partOf(known, covariates ? encodedWidth(covariates) : 0) };
}
