/** Rows of a table as numbers for a network: fitted on training rows, kept as JSON, applied to any row. */
import * as z from "zod/mini";
import { DataError } from "../../../core/errors.ts";
import { plural } from "../../../core/number-text.ts";
import { quoted } from "../../../core/printable.ts";
import { Tensor } from "../../../core/tensor.ts";
import { wordsOf } from "../../text/vocabulary.ts";
import { parseDate } from "../cell-dates.ts";
import { parseNumber } from "../cell-numbers.ts";
import type { ColumnType } from "../column-kinds.ts";
import { deviationOf, meanOf, quantileOf } from "../columns.ts";
import { imageMultiple } from "./image-column.ts";

/** What training rows showed of a number. */
const statisticsSchema = z.strictObject({
  /** Stands for a missing value: the median. */
  fill: z.number(),
  mean: z.number(),
  /** Standard deviation; 1 of a constant. */
  deviation: z.number().check(z.gt(0)),
  /** Ends of bins of equally many values, ascending, two at least. */
  edges: z.array(z.number()).check(z.minLength(2)),
  /** Whether values were missing. */
  hasMissing: z.boolean(),
});

const spreadSchema = z.strictObject({ mean: z.number(), deviation: z.number().check(z.gt(0)) });

const dateParts = ["day", "month", "weekday", "hour"] as const;

const fieldSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    name: z.string(),
    kind: z.literal("number"),
    /** Whether a comma stands before decimals. */
    decimalComma: z.boolean(),
    statistics: statisticsSchema,
  }),
  z.strictObject({
    name: z.string(),
    kind: z.literal("category"),
    /** A value is the number of its place; one that is missing or not listed is -1. */
    values: z.array(z.string()),
  }),
  z.strictObject({
    name: z.string(),
    kind: z.literal("date"),
    format: z.string(),
    /** Numbers made of a date: days since 1970, month 1 to 12, weekday 0 (Sunday) to 6, hour of the day. */
    parts: z.array(z.strictObject({ part: z.enum(dateParts), statistics: statisticsSchema })),
  }),
  z.strictObject({
    name: z.string(),
    kind: z.literal("text"),
    /** A text is a number for each of these words: how often it occurs times `weights`, scaled to length 1. */
    words: z.array(z.string()).check(z.minLength(1)),
    weights: z.array(z.number()),
  }),
  z.strictObject({
    name: z.string(),
    kind: z.literal("image"),
    /** An image is its pixels from 0 to 1, [channels, height, width], brought to this size; NaN where it is missing. */
    height: z.int().check(z.multipleOf(imageMultiple), z.gte(imageMultiple)),
    width: z.int().check(z.multipleOf(imageMultiple), z.gte(imageMultiple)),
    channels: z.union([z.literal(1), z.literal(3)]),
    /** Of the pixels of each channel. */
    pixels: z.array(spreadSchema).check(z.minLength(1)),
    /** Of the means of 4 x 4 parts of each channel. */
    parts: z.array(spreadSchema).check(z.minLength(1)),
    /** Whether images were missing. */
    hasMissing: z.boolean(),
  }),
]);

/** How rows become numbers, as JSON. */
export const rowEncodingSchema = z.strictObject({ fields: z.array(fieldSchema).check(z.minLength(1)) });

/** What training rows showed of a number: `fill`, the median; `mean`; `deviation`; `edges` of bins; `hasMissing`. */
export type NumberStatistics = Readonly<z.infer<typeof statisticsSchema>>;
/** How one column becomes numbers: of kind `number`, `category`, `date`, `text` or `image`. */
export type FieldEncoding = Readonly<z.infer<typeof fieldSchema>>;
/** How rows become numbers: `fields` in the order of the numbers. */
export type RowEncoding = Readonly<z.infer<typeof rowEncodingSchema>>;

/** Bins of a number, fewer where it has fewer values, and where there are many numbers. */
const mostBins = 16;
/** Bins of all numbers together, but for the two that each has at least. */
const mostBinsInAll = 8192;
/** Values of a category, and words of a text, that are known by themselves. */
const mostValues = 1000;
const mostWords = 500;

/** Whether float32, which networks compute in, holds a number. */
const isHeld = (value: number): boolean => Number.isFinite(Math.fround(value));

/** Statistics of numbers, NaN where they are missing, with `most` bins at most. Throws DataError where all are. */
export function numberStatistics(values: ArrayLike<number>, where: string, most = mostBins): NumberStatistics {
  const present = Float64Array.from(Array.prototype.filter.call(values, isHeld));
  if (present.length === 0)
    throw new DataError(`${where}: has no number in the rows to train on; leave the column out`);
  const bins = Math.max(2, Math.min(most, Math.floor(present.length / 8)));
  const sorted = present.slice().sort();
  const edges = [
    ...new Set(
      Array.from({ length: bins + 1 }, (_, i) => sorted[Math.round((i / bins) * (sorted.length - 1))] as number),
    ),
  ];
  const only = edges[0] as number;
  const deviation = deviationOf(present);
  return {
    fill: quantileOf(sorted, 0.5),
    mean: meanOf(present),
    deviation: edges.length > 1 && deviation > 0 ? deviation : 1,
    edges: edges.length > 1 ? edges : [only, only + 1],
    hasMissing: present.length < values.length,
  };
}

const dayLength = 86_400_000;

function partOf(moment: number | undefined, part: (typeof dateParts)[number]): number {
  if (moment === undefined) return Number.NaN;
  const date = new Date(moment);
  if (part === "day") return moment / dayLength;
  if (part === "month") return date.getUTCMonth() + 1;
  return part === "weekday" ? date.getUTCDay() : date.getUTCHours() + date.getUTCMinutes() / 60;
}

/** What is made of a column of training rows; a sentence says why where nothing is. */
function fitField(
  { name, kind, decimalComma = false, dateFormat = "" }: ColumnType,
  cells: readonly string[],
  bins: number,
): FieldEncoding | string {
  const where = `column ${quoted(name)}`;
  if (kind === "number") {
    const values = cells.map((cell) => parseNumber(cell, decimalComma) ?? Number.NaN);
    return { name, kind, decimalComma, statistics: numberStatistics(values, where, bins) };
  }
  if (kind === "date") {
    const moments = cells.map((cell) => parseDate(cell, dateFormat));
    const parts = dateParts.flatMap((part) => {
      const values = moments.map((moment) => partOf(moment, part));
      const isConstant = new Set(values.filter(Number.isFinite)).size < 2;
      return isConstant ? [] : [{ part, statistics: numberStatistics(values, where, bins) }];
    });
    return parts.length === 0 ? "all its dates are one" : { name, kind, format: dateFormat, parts };
  }
  if (kind === "category") {
    const counts = countsOf(cells.filter((cell) => cell !== ""));
    // A value that occurs once says nothing of the next row.
    const least = cells.length < 50 ? 1 : 2;
    const values = [...counts].filter(([, times]) => times >= least).slice(0, mostValues);
    return values.length === 0
      ? "hardly any value occurs twice"
      : { name, kind, values: values.map(([value]) => value) };
  }
  if (kind === "text") {
    const documents = cells.map((cell) => new Set(wordsOf(cell)));
    const counts = countsOf(documents.flatMap((words) => [...words]));
    const known = [...counts].filter(([, times]) => times >= 3).slice(0, mostWords);
    if (known.length === 0) return "hardly any word occurs three times";
    // Inverse document frequency (Spärck Jones 1972), smoothed.
    const weights = known.map(([, times]) => 1 + Math.log((1 + cells.length) / (1 + times)));
    return { name, kind, words: known.map(([word]) => word), weights };
  }
  return {
    id: "it names rows",
    constant: "it has one value",
    empty: "it has no values",
    json: "it holds JSON",
    image: "it names images",
  }[kind];
}

/** How often each occurs, the most frequent first. */
function countsOf(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** A fitted encoding, and the columns that it leaves out, with the reasons. */
export interface FittedEncoding {
  readonly encoding: RowEncoding;
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/**
 * How rows become numbers, from rows to train on: medians, means, bins, values of categories, words. Throws DataError where no column is
 * of use.
 * @param columns the columns to read, with their places in a row
 * @param rows cells as texts, "" where they are missing
 */
export function fitRowEncoding(
  columns: readonly { readonly type: ColumnType; readonly at: number }[],
  rows: readonly (readonly string[])[],
): FittedEncoding {
  const { fields, left } = fitFields(columns, rows);
  if (fields.length === 0)
    throw new DataError(
      `no column is of use to predict by: ${left.map(({ name, why }) => `${quoted(name)}: ${why}`).join("; ") || "there is none beside the target"}; add columns that vary`,
    );
  return { encoding: { fields: [...fields] }, left };
}

/** As `fitRowEncoding`, where there may be no field. */
export function fitFields(
  columns: readonly { readonly type: ColumnType; readonly at: number }[],
  rows: readonly (readonly string[])[],
): Pick<FittedEncoding, "left"> & { readonly fields: readonly FieldEncoding[] } {
  const numbers = columns.filter(({ type }) => type.kind === "number" || type.kind === "date").length;
  const bins = Math.min(mostBins, Math.floor(mostBinsInAll / Math.max(1, numbers)));
  const fitted = columns.map(({ type, at }) => ({
    name: type.name,
    made: fitField(
      type,
      rows.map((cells) => cells[at] ?? ""),
      bins,
    ),
  }));
  return {
    fields: fitted.flatMap(({ made }) => (typeof made === "string" ? [] : [made])),
    left: fitted.flatMap(({ name, made }) => (typeof made === "string" ? [{ name, why: made }] : [])),
  };
}

function widthOf(field: FieldEncoding): number {
  if (field.kind === "image") return field.channels * field.height * field.width;
  return field.kind === "date" ? field.parts.length : field.kind === "text" ? field.words.length : 1;
}

/** Numbers that a row becomes. */
export const encodedWidth = ({ fields }: RowEncoding): number => fields.reduce((sum, field) => sum + widthOf(field), 0);

/** Writes the pixels of a row's image at `at` of its numbers, NaN for one that is missing. Throws DataError for pixels that are not there, or of another size. */
function writeImage(
  { cell, pixels, where }: NamedRow,
  field: Extract<FieldEncoding, { readonly kind: "image" }>,
  numbers: Float32Array,
  at: number,
): void {
  const { name } = field;
  const [own, size] = [pixels?.(name), widthOf(field)];
  if (!pixels && cell(name) !== "")
    throw wrongCell(where, name, cell(name), "an image that is read as its pixels, by withImages or as row.pixels");
  if (own && own.length !== size)
    throw new DataError(
      `${where}: the image ${quoted(name)} has ${own.length} numbers, expected ${field.channels} x ${field.height} x ${field.width}; bring it to that size`,
    );
  if (own) numbers.set(own, at);
  else numbers.fill(Number.NaN, at, at + size);
}

/** Writes what a cell becomes at `at` of a row's numbers. Throws DataError for a text where a number or a date is expected. */
type CellWriter = (cell: string, numbers: Float32Array, at: number, where: string) => void;

function writerOf(field: Exclude<FieldEncoding, { readonly kind: "image" }>): CellWriter {
  const { name } = field;
  if (field.kind === "number")
    return (cell, numbers, at, where) => {
      const value = cell === "" ? Number.NaN : parseNumber(cell, field.decimalComma);
      if (value === undefined || (cell !== "" && !isHeld(value)))
        throw wrongCell(where, name, cell, "a number below 3.4e38");
      numbers[at] = value;
    };
  if (field.kind === "category") {
    const places = new Map(field.values.map((value, place) => [value, place]));
    return (cell, numbers, at) => {
      numbers[at] = places.get(cell) ?? -1;
    };
  }
  if (field.kind === "date")
    return (cell, numbers, at, where) => {
      const moment = cell === "" ? undefined : parseDate(cell, field.format);
      if (moment === undefined && cell !== "") throw wrongCell(where, name, cell, `a date as ${field.format}`);
      for (const [i, { part }] of field.parts.entries()) numbers[at + i] = partOf(moment, part);
    };
  const places = new Map(field.words.map((word, place) => [word, place]));
  return (cell, numbers, at) => {
    const found = wordsOf(cell).flatMap((word) => places.get(word) ?? []);
    for (const place of found) numbers[at + place] = (numbers[at + place] ?? 0) + (field.weights[place] ?? 0);
    const length = Math.sqrt(
      found.length === 0 ? 1 : [...new Set(found)].reduce((sum, place) => sum + (numbers[at + place] ?? 0) ** 2, 0),
    );
    for (const place of new Set(found)) numbers[at + place] = (numbers[at + place] ?? 0) / length;
  };
}

const wrongCell = (where: string, name: string, cell: string, expected: string): DataError =>
  new DataError(
    `${where}: ${quoted(name)} is ${quoted(cell)}, expected ${expected}; correct it, or leave it empty where it is not known`,
  );

/** Cells of a row by the names of their columns. */
export interface NamedRow {
  /** The row in messages: `penguins.csv: line 7`. */
  readonly where: string;
  /** The cell of a column, "" where it is missing. */
  cell(name: string): string;
  /** Of a column of images: pixels from 0 to 1, [channels, height, width], as its field says; nothing for one that is missing. */
  pixels?(name: string): ArrayLike<number> | undefined;
}

/**
 * Rows as numbers, float32 [rows, numbers]: NaN is a missing number, -1 a missing category. Throws DataError naming the row, the column
 * and what was expected, unless `lenient`, where such a cell counts for missing.
 */
export function encodeRows(
  encoding: RowEncoding,
  rows: readonly NamedRow[],
  options: { readonly lenient?: boolean } = {},
): Tensor<"float32"> {
  const width = encodedWidth(encoding);
  const data = new Float32Array(rows.length * width);
  const writers = encoding.fields.map((field) => ({
    field,
    ...(field.kind !== "image" && { write: writerOf(field) }),
  }));
  for (const [i, row] of rows.entries()) {
    const numbers = data.subarray(i * width, (i + 1) * width);
    let at = 0;
    for (const { field, write } of writers) {
      try {
        if (field.kind === "image") writeImage(row, field, numbers, at);
        else write?.(row.cell(field.name), numbers, at, row.where);
      } catch (error) {
        if (!options.lenient || !(error instanceof DataError)) throw error;
        if (field.kind === "image") throw error;
        write?.("", numbers, at, row.where);
      }
      at += widthOf(field);
    }
  }
  return new Tensor("float32", [rows.length, width], data);
}

/** What a column becomes, in a few words. */
export function fieldText(field: FieldEncoding): string {
  if (field.kind === "category") return `a category of ${plural(field.values.length, "value")}`;
  if (field.kind === "date") return `a date (${field.parts.map(({ part }) => part).join(", ")})`;
  if (field.kind === "image")
    return `an image (${field.width} x ${field.height} pixels, ${field.channels === 1 ? "grey" : "in colour"})`;
  return field.kind === "text" ? `a text (${plural(field.words.length, "known word")})` : "a number";
}

/** A row to try, by the names of its columns. */
export const exampleRow = ({ fields }: RowEncoding): Readonly<Record<string, string | number>> =>
  Object.fromEntries(
    fields.map((field) => {
      if (field.kind === "number") return [field.name, Number(field.statistics.fill.toPrecision(6))] as const;
      if (field.kind === "category") return [field.name, field.values[0] ?? ""] as const;
      return [field.name, field.kind === "text" ? field.words.slice(0, 3).join(" ") : ""] as const;
    }),
  );
