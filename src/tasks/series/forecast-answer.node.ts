/** Forecasts of what follows the newest rows of a table of series: of a file, or of rows as JSON. */
import { existsSync } from "node:fs";
import { DataError, FileError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { rowsOfJsonText, rowsOfTableFile } from "../../data/tables/rows/named-rows.node.ts";
import type { NamedRow } from "../../data/tables/rows/row-encoding.ts";
import { forecastOutputs } from "../../models/sequence/forecaster.ts";
import type { SeriesEncoding } from "./series-encoding.ts";
import { gridOf, inputsOf, isWhole, momentAfter, mostCarried, type SeriesWindow } from "./series-grid.ts";
import { type TimedRow, timedRows } from "./series-rows.ts";
import { momentAt, momentText } from "./time-steps.ts";

/** What is forecast of a target at a step. */
export interface ForecastStep {
  /** The moment, as a date, or as a number. */
  readonly time: string;
  /** Which series, where there are several. */
  readonly series?: string;
  readonly target: string;
  readonly mean: number;
  /** A tenth of the values is expected below `q10`, half below `q50`, a tenth above `q90`. */
  readonly q10: number;
  readonly q50: number;
  readonly q90: number;
}

/** Columns that rows to forecast from must have. */
const columnsOf = ({ time, series, targets, covariates, known }: SeriesEncoding): readonly string[] => [
  time.name,
  ...(series ? [series.name] : []),
  ...targets.map(({ name }) => name),
  ...[covariates, known].flatMap((own) => own?.fields.map(({ name }) => name) ?? []),
];

/**
 * What is forecast after the newest rows of each series, by a model that `ask` runs. `given` is the path of a table or rows as JSON; of
 * columns that are known ahead, the steps to forecast follow, their targets empty. Throws FileError or DataError for what cannot be read,
 * for a history that is too short, and for a series that was not trained on.
 */
export async function forecastAfter(
  given: string,
  encoding: SeriesEncoding,
  ask: (inputs: Batch) => Promise<Tensor>,
): Promise<readonly ForecastStep[]> {
  const where = given.length > 32 ? `${given.slice(0, 29)}…` : given;
  const columns = columnsOf(encoding);
  const rows = /^\s*[[{]/.test(given)
    ? rowsOfJsonText(given, { where, columns, example: Object.fromEntries(columns.map((name) => [name, ""])) })
    : await fileRows(given, columns);
  const windows = [...timedRows(rows, encoding)].map(([name, own]) => newestWindow(name, own, encoding));
  const forecasts = await ask(inputsOf(windows, encoding)); // [N, targets, horizon, 4]
  const { horizon, targets, series, time } = encoding;
  return windows.flatMap((own, i) =>
    targets.flatMap((target, j) =>
      Array.from({ length: horizon }, (_, h): ForecastStep => {
        const at = ((i * targets.length + j) * horizon + h) * forecastOutputs.length;
        const [mean = 0, q10 = 0, q50 = 0, q90 = 0] = Array.from(forecastOutputs, (_, k) =>
          Number(Number(forecasts.data[at + k]).toPrecision(6)),
        );
        return {
          time: momentText(momentAfter(own, h + 1, time.step), time.step),
          ...(series && { series: series.values[own.grid.series] ?? "" }),
          target: target.name,
          ...{ mean, q10, q50, q90 },
        };
      }),
    ),
  );
}

async function fileRows(path: string, columns: readonly string[]): Promise<readonly NamedRow[]> {
  if (!existsSync(path))
    throw new FileError(
      `there is no file ${path}; pass a table with the newest rows, or rows as JSON such as '[{"${columns[0]}": …}, …]'`,
    );
  return rowsOfTableFile(path, columns);
}

/** The window up to the last row of a series that knows a target. */
function newestWindow(name: string, rows: readonly TimedRow[], encoding: SeriesEncoding): SeriesWindow {
  const { series, window, horizon, known, time } = encoding;
  const which = rows[0]?.row.where.replace(/: (?:line|row) \d+$/, "") ?? "";
  const where = series ? `${which}: ${quoted(name)}` : which;
  const place = series ? series.values.indexOf(name) : 0;
  if (place < 0)
    throw new DataError(
      `${where} is no ${quoted(series?.name ?? "")} that was trained on; pass one of ${series?.values.slice(0, 10).map(quoted).join(", ")}`,
    );
  const grid = gridOf(rows, encoding, { series: place, lenient: false });
  const origin = Math.floor(grid.isKnown.lastIndexOf(1) / grid.targets);
  if (origin < 0) throw new DataError(`${where} has no value of a target; pass the newest rows with their values`);
  const last = momentText(momentAt(grid.first + origin, time.step), time.step);
  const own = { grid, origin };
  if (origin + 1 < window)
    throw new DataError(
      `${where} has ${plural(origin + 1, "step")} up to ${last}, and the model reads ${window}; pass more rows before them`,
    );
  if (!isWhole(own, window))
    throw new DataError(
      `${where} lacks values in the ${plural(window, "step")} up to ${last}: at their beginning, or more than ${plural(mostCarried(window), "step")} in a row; fill them in, or pass more rows`,
    );
  if (known && grid.steps < origin + 1 + horizon)
    throw new DataError(
      `${where} ends ${plural(grid.steps - 1 - origin, "step")} after ${last}, and ${known.fields.map((field) => quoted(field.name)).join(", ")} must be known of ${plural(horizon, "step")}; add rows with these and with empty targets`,
    );
  return own;
}

/** Forecasts as lines of text. */
export function forecastText(steps: readonly ForecastStep[]): string {
  const rows = steps.map(({ time, series, target, mean, q10, q90 }) => [
    time,
    ...(series === undefined ? [] : [series]),
    target,
    String(mean),
    `${q10} to ${q90}`,
  ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  return `the mean, and the range in which four of five values are expected\n${lines.join("\n")}`;
}
