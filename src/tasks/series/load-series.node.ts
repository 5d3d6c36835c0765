/** A table in a file as time series: what its columns are, its steps, the windows of each part, what is learned of the training part. */
import { OptionError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { type ColumnType, inferColumnTypes } from "../../data/tables/column-kinds.ts";
import { fieldText, fitFields, type NamedRow } from "../../data/tables/rows/row-encoding.ts";
import { readTable } from "../../data/tables/table-file.node.ts";
import { type NamedColumns, rolesOf } from "./series-columns.ts";
import type { SeriesColumns, SeriesEncoding } from "./series-encoding.ts";
import { gridOf, type SeriesGrid } from "./series-grid.ts";
import { bordersOf, defaultHorizon, defaultWindow, type SeriesParts, scalesOf, windowsOf } from "./series-parts.ts";
import { timedRows } from "./series-rows.ts";
import { cyclesOf, momentAt, momentText, placeOf, stepText, usualStep } from "./time-steps.ts";

/** What series are loaded, and how. */
export interface SeriesRequest extends NamedColumns {
  /** The file. */
  readonly path: string;
  /** Steps to forecast; 0: by the calendar and the number of steps. */
  readonly horizon: number;
  /** Steps to read; 0: by the horizon and the calendar. */
  readonly window: number;
  /** So many windows of each part at most. */
  readonly limit: number | undefined;
}

/** Time series that are loaded. */
export interface LoadedSeries {
  readonly encoding: SeriesEncoding;
  readonly grids: readonly SeriesGrid[];
  readonly parts: SeriesParts;
  /** What the table was taken for, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads a table of time series: finds the usual step, carries values on over gaps, parts the steps by time, and learns scales of the
 * training part alone. Throws FileError or DataError, naming lines, for what cannot be read, for times that are repeated or lie between
 * steps, and for too few steps.
 */
export async function loadSeries(request: SeriesRequest): Promise<LoadedSeries> {
  const { path, limit } = request;
  for (const [name, value] of Object.entries({ horizon: request.horizon, window: request.window }))
    if (!Number.isInteger(value) || value < 0)
      throw new OptionError(`--${name} is ${value}; pass a whole number from 1, or leave it out`);
  const { file, rows, lines } = await readTable(path);
  const types = inferColumnTypes(file.names, rows, { decimalComma: file.decimalComma });
  const roles = rolesOf(types, request);
  const placeInRow = new Map(file.names.map((name, place) => [name, place]));
  const named = rows.map(
    (cells, i): NamedRow => ({
      where: `${path}: line ${lines[i]}`,
      cell: (name) => cells[placeInRow.get(name) ?? -1] ?? "",
    }),
  );
  const time = {
    name: roles.time.name,
    ...(roles.time.kind === "date" && { dateFormat: roles.time.dateFormat ?? "" }),
    decimalComma: roles.time.decimalComma ?? false,
  };
  const bySeries = timedRows(named, { time, series: roles.series });
  const names = [...bySeries.keys()];
  const step = usualStep(
    [...bySeries.values()].map((own) => own.map(({ moment }) => moment)),
    roles.time.kind === "date",
  );
  const keys = {
    time: { ...time, step },
    ...(roles.series && { series: { name: roles.series.name, values: names } }),
    targets: roles.targets.map(({ name, decimalComma = false }) => ({ name, decimalComma })),
  };
  const gridsOf = (columns: SeriesColumns) =>
    [...bySeries.values()].map((own, series) => gridOf(own, columns, { series, lenient: false }));
  // First the targets alone, which say what is trained on.
  const bare = gridsOf(keys);
  const steps = bare.map((grid) => grid.steps);
  const horizon = request.horizon || defaultHorizon(step, Math.max(...steps));
  const borders = bordersOf(bare, horizon);
  const trained = borders.validation - Math.min(...bare.map(({ first }) => first));
  const window = request.window || defaultWindow(step, horizon, trained);
  const trainedRows = new Set(
    [...bySeries.values()].flatMap((own) =>
      own.flatMap(({ row, moment }) => (placeOf(moment, step) < borders.validation ? [row] : [])),
    ),
  );
  const trainRows = rows.filter((_, i) => trainedRows.has(named[i] as NamedRow));
  const fitted = (columns: readonly ColumnType[]) => {
    const placed = columns.map((type) => ({ type, at: placeInRow.get(type.name) ?? -1 }));
    const { fields, left } = fitFields(placed, trainRows);
    return { encoding: fields.length > 0 ? { fields: [...fields] } : undefined, left };
  };
  const [beside, ahead] = [fitted(roles.covariates), fitted(roles.known)];
  const [covariates, known] = [beside.encoding, ahead.encoding];
  const columns: SeriesColumns = { ...keys, ...(covariates && { covariates }), ...(known && { known }) };
  const grids = covariates || known ? gridsOf(columns) : bare;
  const cycles = cyclesOf(step).flatMap(({ cycle, steps: own }) => (trained >= 1.5 * own ? [cycle] : []));
  const encoding: SeriesEncoding = {
    ...columns,
    window,
    horizon,
    cycles,
    scales: scalesOf(grids, borders.validation, horizon),
  };
  const parts = windowsOf(grids, borders, { window, horizon, limit, where: path });
  const [start, validation, test, end] = [
    Math.min(...grids.map(({ first }) => first)),
    borders.validation,
    borders.test,
    borders.end - 1,
  ].map((place) => momentText(momentAt(place, step), step));
  const gaps = grids.flatMap((grid) => [...grid.carried]).filter((own) => own > 0).length;
  const longest = grids.reduce((most, grid) => grid.carried.reduce((a, b) => Math.max(a, b), most), 0);
  const read = [covariates, known].map((own) =>
    own?.fields.map((field) => `${quoted(field.name)}, ${fieldText(field)}`).join("; "),
  );
  const left = [...roles.left, ...beside.left, ...ahead.left].map(({ name, why }) => `${quoted(name)} (${why})`);
  return {
    encoding,
    grids,
    parts,
    notes: [
      ...file.notes,
      ...roles.notes,
      ...(roles.series ? [`${quoted(roles.series.name)} tells ${plural(names.length, "series", "series")} apart`] : []),
      `steps are of ${stepText(step)}: ${count(steps.reduce((a, b) => a + b, 0))} from ${start} to ${end}${gaps > 0 ? `, of which ${count(gaps)} lack a value, up to ${plural(longest, "step")} in a row: the last value is read there, and nothing measured` : ""}`,
      ...(read[0] ? [`read beside: ${read[0]}`] : []),
      ...(read[1] ? [`known of the steps to forecast: ${read[1]}`] : []),
      ...(left.length > 0 ? [`not read: ${left.join("; ")}`] : []),
      `${plural(horizon, "step")} are forecast of the ${plural(window, "step")} before${cycles.length > 0 ? ` and of the time in the ${cycles.join(", ")}` : ""} (--horizon, --window)`,
      `validation from ${validation}, test from ${test}: ${count(parts.train.length)}, ${count(parts.validation.length)} and ${count(parts.test.length)} windows whose forecasts lie in one part`,
    ],
  };
}
