/** Tables of files, whatever their format and dialect: names of columns, and rows of texts in blocks. */

import { DataError, FileError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { flag, listOf, matching, oneOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { endingOf } from "../../storage/ending.ts";
import { cellText } from "./cell-texts.ts";
import { type Dialect, sniffDialect } from "./dialect.ts";
import { openJson, openJsonLines } from "./json-table.node.ts";
import { missingFilter } from "./missing-texts.ts";
import { parquetNames, parquetRows } from "./parquet.node.ts";
import { RecordSplitter, type TableRow } from "./record-splitter.ts";
import { isUtf8File, readHead, textBlocks } from "./text-blocks.node.ts";
import { type TextEncoding, textEncodings } from "./text-encoding.ts";

export type { TableRow } from "./record-splitter.ts";

/** Options of `openTable` and `readTable`. */
export interface TableOptions {
  /** How the text is encoded; default as its first bytes tell: UTF-8, UTF-16 or windows-1252. */
  readonly encoding?: TextEncoding;
  /** What separates values; default what cuts most lines alike: a comma, a semicolon, a tab or a bar. */
  readonly delimiter?: string;
  /** Whether the first line names the columns; default whether it looks unlike the lines under it. */
  readonly header?: boolean;
  /** Whether a comma stands before decimals; default as most numbers have it. */
  readonly decimalComma?: boolean;
  /** Texts that stand for a missing value; default empty, NA, N/A, NaN, nan, null, NULL, None, ?, - and #N/A. */
  readonly missing?: readonly string[];
}

/** A table that is read from its file anew for each pass over its rows. */
export interface TableFile {
  /** Where it lies. */
  readonly path: string;
  /** How it is stored. */
  readonly format: "csv" | "json" | "parquet";
  /** Names of the columns. */
  readonly names: readonly string[];
  /** What was made of it, such as "read as Latin-1 (windows-1252)", "values separated by semicolons". */
  readonly notes: readonly string[];
  /** Whether a comma stands before the decimals of its numbers. */
  readonly decimalComma: boolean;
  /** The dialect of a file of separated values. */
  readonly dialect?: Dialect;
  /** Rows in blocks. Cells are texts, "" where a value is missing. Throws FileError or DataError naming the line of a broken row. */
  rows(): AsyncGenerator<TableRow[]>;
}

const checkOptions = optionsOf<TableOptions>("openTable", {
  encoding: oneOf(...textEncodings),
  delimiter: matching("one character", (value) => typeof value === "string" && value.length === 1),
  header: flag,
  decimalComma: flag,
  missing: listOf(string, "texts"),
});

/** How the names of files of tables end. */
export const tableEndings: readonly string[] = [".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"];

/** Bytes that are read at most before an encoding is held to be UTF-8. */
const checked = 64 * 2 ** 20;

async function openText(path: string, options: TableOptions): Promise<TableFile> {
  const { head, whole } = await readHead(path);
  const { missing, ...known } = options;
  let dialect = sniffDialect(head, path, known, whole);
  // The first letter that is no ASCII may stand far below.
  if (!whole && dialect.encoding === "utf-8" && known.encoding === undefined && !(await isUtf8File(path, checked)))
    dialect = sniffDialect(head, path, { ...known, encoding: "windows-1252" }, whole);
  const { names, notes, decimalComma } = dialect;
  return {
    path,
    format: "csv",
    names,
    notes,
    decimalComma,
    dialect,
    rows: () => present(textRows(path, dialect), missing),
  };
}

async function* textRows(path: string, dialect: Dialect): AsyncGenerator<TableRow[]> {
  const splitter = new RecordSplitter({ ...dialect, path });
  let skipped = dialect.skip + (dialect.header ? 1 : 0);
  const checkRows = (rows: TableRow[]): TableRow[] => {
    const kept = skipped > 0 ? rows.slice(skipped) : rows;
    skipped -= rows.length - kept.length;
    for (const row of kept) requireWidth(row, dialect, path);
    return kept;
  };
  for await (const text of textBlocks(path, dialect)) yield checkRows(splitter.push(text));
  yield checkRows(splitter.end());
}

/** Throws FileError for a row of too few or too many values. */
export function requireWidth(
  { cells, line }: TableRow,
  { names, delimiter }: Pick<Dialect, "names" | "delimiter">,
  path: string,
): void {
  if (cells.length === names.length) return;
  const separator = delimiter === "\t" ? "a tab" : `"${delimiter}"`;
  const has = cells.length === 1 ? "1 value" : `${cells.length} values`;
  const mend =
    cells.length < names.length
      ? "fill in what is missing there, or remove the line"
      : `quote values that contain ${separator}, or remove what is too much`;
  throw new FileError(`${path}: line ${line} has ${has}, expected ${names.length} separated by ${separator}; ${mend}`);
}

/** Rows with "" for what stands for a missing value. */
async function* present(blocks: AsyncGenerator<TableRow[]>, missing?: readonly string[]): AsyncGenerator<TableRow[]> {
  const filter = missingFilter(missing);
  for await (const rows of blocks) {
    if (rows.length > 0) yield rows.map(({ cells, line }) => ({ cells: cells.map(filter), line }));
  }
}

async function* parquetCells(path: string, names: readonly string[]): AsyncGenerator<TableRow[]> {
  let line = 0;
  for await (const rows of parquetRows(path))
    yield rows.map((row) => ({ cells: names.map((name) => cellText(row[name])), line: ++line }));
}

/**
 * Opens a table: CSV, TSV or other separated values in any dialect (.csv, .tsv, .txt), JSON Lines (.jsonl, .ndjson), JSON (.json) or
 * Parquet (.parquet). Rows are read when `rows()` is iterated. Throws FileError for a file that is missing or no table, OptionError for
 * unknown options.
 * @example for await (const rows of (await openTable("prices.csv")).rows()) for (const { cells } of rows) console.log(cells[0]);
 */
export async function openTable(path: string, options: TableOptions = {}): Promise<TableFile> {
  checkOptions(options);
  const ending = endingOf(path);
  if (!tableEndings.includes(ending))
    throw new FileError(
      `${path}: its name ends with "${ending}", expected one of ${tableEndings.join(" ")}; rename or convert it`,
    );
  if (ending === ".csv" || ending === ".tsv" || ending === ".txt") return openText(path, options);
  const shared = { path, notes: [], decimalComma: options.decimalComma ?? false };
  if (ending === ".parquet") {
    await readHead(path, 1);
    const names = await parquetNames(path);
    return { ...shared, format: "parquet", names, rows: () => present(parquetCells(path, names), options.missing) };
  }
  const { names, rows } = ending === ".json" ? await openJson(path) : await openJsonLines(path);
  return { ...shared, format: "json", names, rows: () => present(rows(), options.missing) };
}

/**
 * All rows of a table in memory, each a list of texts, with the lines they begin on. Throws as `openTable`, and DataError for a table
 * without rows.
 * @example const { file, rows } = await readTable("penguins.csv"); // file.names, rows[0]
 */
export async function readTable(
  path: string,
  options: TableOptions = {},
): Promise<{ file: TableFile; rows: (readonly string[])[]; lines: number[] }> {
  const file = await openTable(path, options);
  const rows: (readonly string[])[] = [];
  const lines: number[] = [];
  for await (const block of file.rows()) {
    append(
      rows,
      block.map(({ cells }) => cells),
    );
    append(
      lines,
      block.map(({ line }) => line),
    );
  }
  if (rows.length === 0) throw new DataError(`${path}: has no rows below its names, expected at least one`);
  return { file, rows, lines };
}
