/** A table in a file as a task: its columns encoded, its rows in parts, what is predicted of them. */
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { ordered, orderedShare } from "../../data/profile/split.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import { type ColumnType as InferredColumn, parseDate } from "../../data/tables/column-kinds.ts";
import {
  encodeRows,
  type FittedEncoding,
  fieldText,
  fitFields,
  fitRowEncoding,
  type NamedRow,
  type RowEncoding,
} from "../../data/tables/rows/row-encoding.ts";
import { limitedRows, partsOfRows } from "../folds/parting.ts";
import { drawnRows } from "./drawn-rows.node.ts";
import type { EncodedTable, TableSamples } from "./table-baselines.ts";
import { readTableImages, type TableImages } from "./table-images.node.ts";
import { balanceNote, fitTarget, type TableTaskName, targetColumn, taskOfColumn } from "./target.ts";

/** What table is loaded, and how. */
export interface TableRequest {
  /** The file. */
  readonly path: string;
  /** The column to predict; `""`: the one of a usual name, or the last. */
  readonly target: string;
  /** Whether classes or numbers are predicted. */
  readonly task: TableTaskName;
  /** Columns that are not read, by name. */
  readonly ignore: readonly string[];
  /** Rows with one value of this column come into one part; `""`: rows that say the same do. */
  readonly group: string;
  /** The test is of the rows that are last by this column; `""`: of rows drawn at random. */
  readonly time: string;
  /** Parts that the rows to train on are in. */
  readonly folds: number;
  /** Start of all randomness. */
  readonly seed: number;
  /** So many rows at most. */
  readonly limit: number | undefined;
}

/** A table that is loaded. */
export interface LoadedTable extends EncodedTable {
  /** What it was taken for, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads a table, says what its columns and the target are, and parts its rows: a fifth for the test, each class in its share, equal rows
 * or those of a group in one part, or by time. What is learned of columns is learned of the rows to train on. Throws FileError or DataError, naming the line, for what
 * cannot be read, and for too few rows.
 */
export async function loadTable(request: TableRequest): Promise<LoadedTable> {
  const { path, folds, seed } = request;
  const { file, rows: all, lines, types, count: rowsInAll } = await drawnRows(path, seed);
  const { column, why: whyTarget } = targetColumn(types, request.target);
  const task = taskOfColumn(column, request.task);
  const at = file.names.indexOf(column.name);
  const isKnown = (cell: string) =>
    cell !== "" && (task.isClasses || Number.isFinite(parseNumber(cell, column.decimalComma)));
  const kept = limitedRows(all.length, request).filter((row) => isKnown(all[row]?.[at] ?? ""));
  const least = 2 * folds;
  if (kept.length < least)
    throw new DataError(
      `${path}: ${plural(kept.length, "row")} ${kept.length === 1 ? "has" : "have"} a value of ${quoted(column.name)}, too few to train on and test; pass ${least} at least`,
    );
  const cells = kept.map((row) => all[row]?.[at] ?? "");
  const placeOf = (name: string): number | undefined => {
    if (name === "") return undefined;
    if (!file.names.includes(name)) throw unknownName("column", name, file.names);
    return file.names.indexOf(name);
  };
  const [groupAt, timeAt] = [placeOf(request.group), placeOf(request.time)];
  for (const name of request.ignore) placeOf(name);
  const columns = types.flatMap((type, place) =>
    place === at || request.ignore.includes(type.name) ? [] : [{ type, at: place }],
  );
  const cellsOf = (place: number) => kept.map((row) => all[row]?.[place] ?? "");
  const { images, unread } = await imagesOf(path, columns, cellsOf);
  const groups = groupsOf(
    kept.map((row) => all[row] ?? []),
    { at, groupAt, sums: images.map(({ sums }) => sums), least: folds + 2 },
  );
  if (groupAt !== undefined && new Set(groups).size < folds + 2)
    throw new DataError(
      `${path}: ${quoted(request.group)} has ${plural(new Set(groups).size, "value")}, too few for a test and ${folds} folds; pass a --group of ${folds + 2} at least, or leave it out`,
    );
  if (groupAt !== undefined && timeAt !== undefined)
    throw new OptionError("--group and --time part rows in two ways; pass the one or the other");
  const parts = partsOfRows({
    groups,
    ...(task.isClasses && { classes: cells }),
    ...(timeAt !== undefined && {
      moments: momentsOf(types[timeAt] as InferredColumn, cellsOf(timeAt)),
    }),
    seed,
    folds,
  });
  const { target, y } = fitTarget(column, task.isClasses, cells, parts.train);
  const trained = parts.train.map((own) => all[kept[own] as number] as readonly string[]);
  const others = columns.filter(({ type }) => type.kind !== "image");
  const { fields, left } = images.length > 0 ? fitFields(others, trained) : encodingOf(fitRowEncoding(others, trained));
  const encoding: RowEncoding = { fields: [...fields, ...images.map((own) => own.fit(parts.train))] };
  const places = new Map(file.names.map((name, place) => [name, place]));
  const named = kept.map(
    (row, place): NamedRow => ({
      where: `${path}: line ${lines[row]}`,
      cell: (name) => all[row]?.[places.get(name) ?? -1] ?? "",
      pixels: (name) => images.find((own) => own.name === name)?.pixels[place],
    }),
  );
  const x = encodeRows(encoding, named, { lenient: true });
  const samplesOf = (own: readonly number[]): TableSamples => ({
    x: gatherRows(x, own) as Tensor<"float32">,
    y: gatherRows(y, own),
  });
  const missing = all.length - kept.length;
  return {
    encoding,
    target,
    train: samplesOf(parts.train),
    folds: parts.folds,
    test: samplesOf(parts.test),
    notes: [
      ...file.notes,
      ...(rowsInAll > all.length
        ? [`of ${plural(rowsInAll, "row")} ${count(all.length)} were drawn, as many as are held in memory`]
        : []),
      `${quoted(column.name)} is predicted (${whyTarget}; --target names another), ${target.kind === "classes" ? `one of ${plural(target.classes.length, "class", "classes")}` : "a number"} (${task.why}; --task says otherwise)`,
      `it is predicted by ${listed(encoding.fields.map((field) => `${quoted(field.name)}, ${fieldText(field)}`))}`,
      ...(left.length + unread.length > 0
        ? [`not read: ${listed([...left, ...unread].map(({ name, why }) => `${quoted(name)} (${why})`))}`]
        : []),
      ...images.flatMap(({ notes }) => notes),
      ...(missing > 0 && request.limit === undefined
        ? [
            `${plural(missing, "row")} without a ${task.isClasses ? "value" : "number"} for ${quoted(column.name)} left out`,
          ]
        : []),
      ...[
        balanceNote(target, y),
        timeAt === undefined && groupAt === undefined ? timeNote(types, all) : undefined,
      ].filter((note) => note !== undefined),
    ],
  };
}

/** The columns of images that can be read, and those that cannot, with the reasons. */
async function imagesOf(
  path: string,
  columns: readonly { readonly type: InferredColumn; readonly at: number }[],
  cellsOf: (place: number) => readonly string[],
) {
  const images: TableImages[] = [];
  const unread: { readonly name: string; readonly why: string }[] = [];
  for (const { type, at } of columns)
    if (type.kind === "image")
      try {
        images.push(await readTableImages(path, type, cellsOf(at)));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        unread.push({ name: type.name, why: error.message });
      }
  return { images, unread };
}

const encodingOf = ({ encoding: { fields }, left }: FittedEncoding) => ({ fields, left });

/** The first dozen of some things, and how many more there are. */
const listed = (items: readonly string[]): string =>
  `${items.slice(0, 12).join("; ")}${items.length > 12 ? `; and ${count(items.length - 12)} more` : ""}`;

/**
 * What each row is of: the value of a column, or else its image, or what it says beside the target. Where most rows repeat others, as where a
 * few categories describe them, each stands for itself, as does a row without a value.
 */
function groupsOf(
  rows: readonly (readonly string[])[],
  {
    at,
    groupAt,
    sums,
    least,
  }: {
    readonly at: number;
    readonly groupAt: number | undefined;
    /** Of each column of images what is equal of equal ones, row by row. */
    readonly sums: readonly (readonly (string | undefined)[])[];
    /** Groups that the parts need. */
    readonly least: number;
  },
): string[] {
  const alone = (i: number) => `row\u0000${i}`;
  if (groupAt !== undefined) return rows.map((own, i) => own[groupAt] || alone(i));
  const [first] = sums;
  const byImage = first?.map((sum, i) => (sum === undefined ? alone(i) : sum));
  if (byImage && new Set(byImage).size >= least) return byImage;
  const contents = rows.map((own) => own.filter((_, i) => i !== at).join("\u0000"));
  return new Set(contents).size < rows.length / 2 ? contents.map((_, i) => alone(i)) : contents;
}

/** The order of rows in a column of dates or numbers. Throws OptionError for another column, DataError for rows without a value. */
function momentsOf(
  { name, kind, dateFormat = "", decimalComma = false }: InferredColumn,
  cells: readonly string[],
): number[] {
  if (kind !== "date" && kind !== "number" && kind !== "id")
    throw new OptionError(`--time is ${quoted(name)}, a column of kind ${kind}; name a column of dates or numbers`);
  return cells.map((cell) => {
    const moment = kind === "date" ? parseDate(cell, dateFormat) : parseNumber(cell, decimalComma);
    if (moment === undefined)
      throw new DataError(
        `${quoted(name)} is ${quoted(cell)} in a row, and tells no time; correct the row, or leave --time out`,
      );
    return moment;
  });
}

/** What to know of rows that are in the order of time. */
function timeNote(types: readonly InferredColumn[], rows: readonly (readonly string[])[]): string | undefined {
  const found = types.find(
    ({ kind, dateFormat = "", distinct }, i) =>
      kind === "date" &&
      distinct >= 10 &&
      orderedShare(
        rows.map((cells) => cells[i] ?? ""),
        dateFormat,
      ) >= ordered,
  );
  return (
    found &&
    `the rows are in the order of ${quoted(found.name)}, and are tested on days between others; --time ${quoted(found.name)} tests on the last ones, as new rows will be later still, and --task forecast forecasts the next values of columns by those before them`
  );
}
