/** Series on a grid of equal steps: values carried on over gaps, what stands beside them, and windows of them as batches. */
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import { encodedWidth, encodeRows, type NamedRow } from "../../data/tables/rows/row-encoding.ts";
import type { SeriesColumns, SeriesEncoding } from "./series-encoding.ts";
import { placesOf, type TimedRow } from "./series-rows.ts";
import { dayAndShare, momentAt, type TimeStep } from "./time-steps.ts";

/** A series, a value of each target for each step. */
export interface SeriesGrid {
  /** Its place among the series. */
  readonly series: number;
  /** The place of its first step among those of all series. */
  readonly first: number;
  readonly steps: number;
  readonly targets: number;
  /** [steps, targets], what is not known is as the last that was; NaN before the first. */
  readonly values: Float32Array;
  /** [steps, targets], 1 where a value is known. */
  readonly isKnown: Uint8Array;
  /** [steps, columns], encoded covariates, then what is known ahead; NaN and -1 where they are missing. */
  readonly beside: Float32Array;
  /** For each step, how many steps in a row up to it lack a target. */
  readonly carried: Int32Array;
}

/** Rows of one series on the grid. Cells that are no numbers are refused unless `lenient`. Throws DataError naming the row. */
export function gridOf(
  rows: readonly TimedRow[],
  columns: SeriesColumns,
  { series, lenient }: { readonly series: number; readonly lenient: boolean },
): SeriesGrid {
  const places = placesOf(rows, columns.time.step);
  const first = places[0] ?? 0;
  const steps = (places.at(-1) ?? 0) - first + 1;
  const targets = columns.targets.length;
  const named = rows.map(({ row }) => row);
  const values = new Float32Array(steps * targets).fill(Number.NaN);
  const isKnown = new Uint8Array(steps * targets);
  for (const [i, row] of named.entries())
    for (const [j, target] of columns.targets.entries()) {
      const value = numberOf(row, target, lenient);
      const at = ((places[i] as number) - first) * targets + j;
      if (value === undefined) continue;
      values[at] = value;
      isKnown[at] = 1;
    }
  for (let at = targets; at < values.length; at++) if (isKnown[at] === 0) values[at] = values[at - targets] as number;
  const carried = new Int32Array(steps);
  for (let step = 0; step < steps; step++)
    if (isKnown.subarray(step * targets, (step + 1) * targets).includes(0))
      carried[step] = (step > 0 ? (carried[step - 1] as number) : 0) + 1;
  return { series, first, steps, targets, values, isKnown, beside: besideOf(named, places, columns), carried };
}

/** A target of a row; `undefined` where it is not known. Throws DataError by `encodeRows` for what is no number. */
function numberOf(
  row: NamedRow,
  { name, decimalComma }: SeriesColumns["targets"][number],
  lenient: boolean,
): number | undefined {
  const cell = row.cell(name);
  const value = cell === "" ? undefined : parseNumber(cell, decimalComma);
  if (value !== undefined && Number.isFinite(Math.fround(value))) return value;
  if (cell !== "" && !lenient) encodeRows(oneNumber(name, decimalComma), [row]);
  return undefined;
}

/** The encoding of one number, which refuses all else in its words. */
const oneNumber = (name: string, decimalComma: boolean) => ({
  fields: [
    {
      name,
      kind: "number" as const,
      decimalComma,
      statistics: { fill: 0, mean: 0, deviation: 1, edges: [0, 1], hasMissing: false },
    },
  ],
});

/** Columns beside the targets, [steps, columns]. */
function besideOf(
  rows: readonly NamedRow[],
  places: readonly number[],
  { covariates, known }: SeriesColumns,
): Float32Array {
  const parts = [covariates, known].flatMap((encoding) =>
    encoding ? [{ width: encodedWidth(encoding), x: encodeRows(encoding, rows, { lenient: true }), encoding }] : [],
  );
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const first = places[0] ?? 0;
  const steps = (places.at(-1) ?? 0) - first + 1;
  const missing = parts.flatMap(({ encoding }) =>
    encoding.fields.map((field) => (field.kind === "category" ? -1 : Number.NaN)),
  );
  const beside = new Float32Array(steps * width);
  if (rows.length < steps) for (let step = 0; step < steps; step++) beside.set(missing, step * width);
  for (const [i, place] of places.entries()) {
    let at = (place - first) * width;
    for (const part of parts) {
      beside.set(part.x.data.subarray(i * part.width, (i + 1) * part.width), at);
      at += part.width;
    }
  }
  return beside;
}

/** A window: a series and its last step before those that are forecast. */
export interface SeriesWindow {
  readonly grid: SeriesGrid;
  /** From 0 in its series. */
  readonly origin: number;
}

/** Steps of a window that may lack a value one after another. */
export const mostCarried = (window: number): number => Math.floor(window / 4);

/** Whether a window of so many steps up to an origin is whole: it begins in the series, and no gap is long. */
export function isWhole({ grid, origin }: SeriesWindow, window: number): boolean {
  const from = origin - window + 1;
  if (from < 0) return false;
  for (let j = 0; j < grid.targets; j++) if (Number.isNaN(grid.values[from * grid.targets + j])) return false;
  const most = mostCarried(window);
  for (let step = from; step <= origin; step++) if ((grid.carried[step] as number) > most) return false;
  return true;
}

/** Inputs of a network, of some windows; what lies behind the end of a series is missing. */
export function inputsOf(
  windows: readonly SeriesWindow[],
  {
    window,
    horizon,
    time,
    known,
    scales,
    cycles,
  }: Pick<SeriesEncoding, "window" | "horizon" | "time" | "known" | "scales" | "cycles">,
): Batch {
  const count = windows.length;
  const targets = windows[0]?.grid.targets ?? 1;
  const beside = windows[0] ? windows[0].grid.beside.length / windows[0].grid.steps : 0;
  const ahead = known ? encodedWidth(known) : 0;
  const channels = targets + beside;
  const past = new Float32Array(count * window * channels);
  const future = new Float32Array(count * horizon * ahead).fill(Number.NaN);
  for (const [i, { grid, origin }] of windows.entries()) {
    for (let step = 0; step < window; step++) {
      const from = origin - window + 1 + step;
      const at = (i * window + step) * channels;
      past.set(grid.values.subarray(from * targets, (from + 1) * targets), at);
      past.set(grid.beside.subarray(from * beside, (from + 1) * beside), at + targets);
    }
    for (let h = 0; h < horizon && origin + 1 + h < grid.steps; h++) {
      const end = (origin + 2 + h) * beside;
      future.set(grid.beside.subarray(end - ahead, end), (i * horizon + h) * ahead);
    }
  }
  return {
    past: new Tensor("float32", [count, window, channels], past),
    ...(cycles.length > 0 && {
      time: new Tensor(
        "float32",
        [count, 2],
        Float32Array.from(windows.flatMap((own) => dayAndShare(momentAfter(own, 1, time.step)))),
      ),
    }),
    ...(ahead > 0 && { future: new Tensor("float32", [count, horizon, ahead], future) }),
    ...(scales.length > 1 && {
      series: new Tensor(
        "int32",
        [count],
        Int32Array.from(windows, ({ grid }) => grid.series),
      ),
    }),
  };
}

/** The moment so many steps after the last of a window. */
export const momentAfter = ({ grid, origin }: SeriesWindow, steps: number, step: TimeStep): number =>
  momentAt(grid.first + origin + steps, step);

/** What follows windows, [N, targets, horizon]: NaN where it is not known. */
export function targetsOf(windows: readonly SeriesWindow[], horizon: number): Tensor<"float32"> {
  const targets = windows[0]?.grid.targets ?? 1;
  const data = new Float32Array(windows.length * targets * horizon).fill(Number.NaN);
  for (const [i, { grid, origin }] of windows.entries())
    for (let j = 0; j < targets; j++)
      for (let h = 0; h < horizon; h++) {
        const from = (origin + 1 + h) * targets + j;
        if (grid.isKnown[from] === 1) data[(i * targets + j) * horizon + h] = grid.values[from] as number;
      }
  return new Tensor("float32", [windows.length, targets, horizon], data);
}
