/** What the columns of a CSV file are: read once as a stream, checked line by line, kept as JSON. */

import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { DataError, FileError, SardonyxError, unknownName } from "../../core/errors.ts";
import { flag, listOf, matching, string } from "../../core/option-types.ts";
import { type OptionTypes, required } from "../../core/options.ts";
import { isPlainObject } from "../../core/tree.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { blocksOf } from "../../storage/file-reader.node.ts";
import { missingTexts } from "./missing-texts.ts";

/** What a column holds: numbers, or names of categories. */
export type ColumnType = "numeric" | "categorical";

/** One column: a category is coded by its place in `categories`. */
export interface Column {
  /** Its name, or its index where the file has no header. */
  readonly name: string;
  /** What it holds. */
  readonly type: ColumnType;
  /** Distinct values of a categorical column in order (of numbers, or alphabetical); empty for a numeric one. */
  readonly categories: readonly string[];
}

/** Options of `loadCsv`, `streamCsv` and `inferCsvSchema`. */
export interface CsvOptions {
  /** Name of the column to predict (its index, where the file has no header). */
  readonly label: string;
  /** Whether the first line names the columns; default true. Without it they are called "0", "1", … */
  readonly header?: boolean;
  /** Types of columns that are not to be inferred from their values; default: numeric where all values are numbers. */
  readonly types?: Readonly<Record<string, ColumnType>>;
  /** Texts that stand for a missing value; default empty, NA, N/A, NaN, nan, null, NULL, None, ?, - and #N/A. */
  readonly missing?: readonly string[];
  /** What separates values; default a comma. */
  readonly delimiter?: string;
}

export const csvTypes: OptionTypes<CsvOptions> = {
  label: required(string),
  header: flag,
  types: matching(
    'the types of columns by name, "numeric" or "categorical"',
    (value) =>
      isPlainObject(value) && Object.values(value).every((type) => type === "numeric" || type === "categorical"),
  ),
  missing: listOf(string, "texts"),
  delimiter: string,
};

/** Everything that turns a line into numbers: plain JSON, to be kept beside a model. */
export interface CsvSchema {
  /** The column that y is made of. */
  readonly label: Column;
  /** The columns that x is made of. */
  readonly features: readonly Column[];
  /** The file's columns in order. */
  readonly order: readonly string[];
  /** How many rows there are. */
  readonly rows: number;
}

export const isMissing = (value: string, options: CsvOptions): boolean =>
  (options.missing ?? missingTexts).includes(value.trim());

export const missingLabel = (path: string, line: number, label: string): DataError =>
  new DataError(`${path}: line ${line} has no value for the label "${label}"; fill it in or remove the line`);

/** A record and the number of the line it ends on. */
export interface CsvLine {
  readonly values: readonly string[];
  readonly line: number;
}

/** Records of a file as a stream, header included. Throws FileError when the file is missing or its quotes do not match. */
export async function* readLines(path: string, options: Pick<CsvOptions, "delimiter">): AsyncGenerator<CsvLine> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new FileError(`CSV: there is no file ${path}; check the path`);
  yield* linesOf(Readable.from(blocksOf(path), { objectMode: false }), path, options);
}

/** Records of CSV text that arrives as a stream; `path` names it in errors. Throws as `readLines`. */
export async function* linesOf(
  source: Readable,
  path: string,
  options: Pick<CsvOptions, "delimiter"> = {},
): AsyncGenerator<CsvLine> {
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? ",",
    info: true,
    relax_column_count: true, // checked by the caller, with the line
    skip_empty_lines: true,
  });
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<{ record: string[]; info: Info }>)
      yield { values: record, line: info.lines };
  } catch (error) {
    if (error instanceof CsvError)
      throw new FileError(`${path}: ${error.message}; correct the quotes there, or pass the right delimiter`, {
        cause: error,
      });
    throw error instanceof SardonyxError
      ? error
      : new FileError(`cannot read ${path} (${systemReason(error)})`, { cause: error });
  } finally {
    source.destroy();
  }
}

/** Data lines only, each with as many values as there are columns. Throws FileError naming the line. */
export async function* readRecords(path: string, options: CsvOptions, columns?: number): AsyncGenerator<CsvLine> {
  let expected = columns;
  let skipHeader = options.header ?? true;
  for await (const record of readLines(path, options)) {
    expected ??= record.values.length;
    if (record.values.length !== expected)
      throw new FileError(
        `${path}: line ${record.line} has ${record.values.length} values, expected ${expected}; ` +
          "correct the line, or quote values that contain the delimiter",
      );
    if (!skipHeader) yield record;
    skipHeader = false;
  }
}

/** What is known of a column while its values go by. */
interface Seen {
  readonly values: Set<string>;
  present: boolean;
  /** The first value that is no number. */
  firstText?: { readonly value: string; readonly line: number };
}

/** A column with more distinct values is taken for categories only when `types` says so. */
const MOST_CATEGORIES = 10_000;

async function columnNames(path: string, options: CsvOptions): Promise<string[]> {
  for await (const { values } of readLines(path, options)) {
    const names = options.header === false ? values.map((_, i) => String(i)) : values.map((name) => name.trim());
    const repeated = names.find((name, i) => names.indexOf(name) !== i);
    if (repeated !== undefined) throw new FileError(`${path}: two columns are named "${repeated}"; rename one`);
    return names;
  }
  throw new DataError(`${path}: is empty, expected ${options.header === false ? "" : "a header and "}at least one row`);
}

function columnOf(name: string, seen: Seen, path: string, options: CsvOptions): Column {
  const declared = options.types?.[name];
  const { firstText, values } = seen;
  if (!seen.present) throw new DataError(`${path}: column "${name}" has no values at all; remove it from the file`);
  if (declared === "numeric" || (declared === undefined && firstText === undefined))
    return { name, type: "numeric", categories: [] };
  if (declared === undefined && firstText !== undefined && values.size > MOST_CATEGORIES)
    throw new DataError(
      `${path}: column "${name}" has "${firstText.value}" in line ${firstText.line}, which is no number, and over ` +
        `${MOST_CATEGORIES} distinct values, too many for categories; correct the line, list the text in \`missing\`, or ` +
        'declare the column "categorical" in `types`',
    );
  const byValue = firstText === undefined ? (a: string, b: string) => Number(a) - Number(b) : undefined;
  return { name, type: "categorical", categories: [...values].sort(byValue) };
}

/**
 * Reads a file once and infers the type and categories of each column. Memory does not grow with the number of rows.
 * Throws FileError naming the line, OptionError for a column that does not exist, DataError for a file without rows.
 */
export async function inferCsvSchema(path: string, options: CsvOptions): Promise<CsvSchema> {
  const order = await columnNames(path, options);
  for (const name of [options.label, ...Object.keys(options.types ?? {})])
    if (!order.includes(name)) throw unknownName(`column of ${path}`, name, order);
  const seen = order.map((): Seen => ({ values: new Set(), present: false }));
  let rows = 0;
  for await (const { values, line } of readRecords(path, options, order.length)) {
    rows++;
    for (const [i, column] of seen.entries()) {
      const value = values[i] as string;
      if (isMissing(value, options)) {
        if (order[i] === options.label) throw missingLabel(path, line, options.label);
        continue;
      }
      const declared = options.types?.[order[i] as string];
      column.present = true;
      if (Number.isNaN(Number(value))) column.firstText ??= { value, line };
      if (declared === "categorical" || (declared === undefined && column.values.size <= MOST_CATEGORIES))
        column.values.add(value.trim());
    }
  }
  if (rows === 0) throw new DataError(`${path}: has no rows below its header, expected at least one`);
  const columns = order.map((name, i) => columnOf(name, seen[i] as Seen, path, options));
  return {
    label: columns[order.indexOf(options.label)] as Column,
    features: columns.filter(({ name }) => name !== options.label),
    order,
    rows,
  };
}
