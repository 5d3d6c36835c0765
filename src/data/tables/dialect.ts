/** The dialect of a CSV file, told by its beginning: encoding, what separates values, whether a line names the columns, decimal sign. */
import { FileError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { dateFormatsOf } from "./cell-dates.ts";
import { decimalSignOf, parseNumber } from "./cell-numbers.ts";
import { missingFilter } from "./missing-texts.ts";
import { RecordSplitter, type TableRow } from "./record-splitter.ts";
import { encodingName, sniffEncoding, type TextEncoding } from "./text-encoding.ts";

/** What separates values. */
export type Delimiter = "," | ";" | "\t" | "|";

/** How a file of separated values is written. */
export interface Dialect {
  /** How its text is encoded. */
  readonly encoding: TextEncoding;
  /** Bytes of the byte order mark before the text. */
  readonly markLength: number;
  /** Records before the names, or before the first row: 1 for a line such as "sep=;". */
  readonly skip: number;
  /** What separates values. */
  readonly delimiter: string;
  /** What ends lines; before "\n" may stand "\r". */
  readonly newline: "\n" | "\r";
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** The columns. Without a header "0", "1", … */
  readonly names: readonly string[];
  /** Whether a comma stands before the decimals of numbers. */
  readonly decimalComma: boolean;
  /** What was made of the file, where it is not plain CSV. */
  readonly notes: readonly string[];
}

/** What is known of a file, so that it is not told by its beginning. */
export interface DialectOptions {
  /** How its text is encoded. */
  readonly encoding?: TextEncoding;
  /** What separates values: one character. */
  readonly delimiter?: string;
  /** Whether the first line names the columns. */
  readonly header?: boolean;
  /** Whether a comma stands before the decimals of numbers. */
  readonly decimalComma?: boolean;
}

const delimiters: readonly Delimiter[] = ["\t", ";", "|", ","];
const delimiterName: Readonly<Record<string, string>> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

/** Records that are looked at. */
const most = 1000;

/**
 * The dialect of a file from its first bytes. Throws FileError for what is no table: no text, nothing at all, a title or a second line of
 * names above the rows, two columns of one name.
 * @param whole whether `head` is the whole file; its last line may be cut off otherwise
 */
export function sniffDialect(head: Uint8Array, path: string, options: DialectOptions = {}, whole = true): Dialect {
  const found = sniffEncoding(head, path);
  const encoding = options.encoding ?? found.encoding;
  const text = new TextDecoder(encoding).decode(head.subarray(found.markLength));
  const newline = !text.includes("\n") && text.includes("\r") ? "\r" : "\n";
  const declared = /^sep=(.)\r?\n/.exec(text)?.[1];
  const skip = declared === undefined ? 0 : 1;
  const body = declared === undefined ? text : text.slice(text.indexOf("\n") + 1);
  if (body.trim() === "") throw new FileError(`${path}: is empty, expected a line of names and at least one row`);
  const given = options.delimiter ?? declared;
  const cut = (delimiter: string) => recordsOf(body, { delimiter, newline, path }, whole);
  const delimiter = given ?? delimiterOf(cut, body);
  const records = cut(delimiter);
  if (records.length === 0)
    throw new FileError(
      `${path}: line 1 does not end within ${count(text.length)} characters; expected lines of values`,
    );
  const width = usualWidth(records);
  refuseTitle(records, width, path);
  const decimalComma = options.decimalComma ?? hasDecimalComma(records, delimiter);
  const header = options.header ?? hasHeader(records, decimalComma);
  if (options.header === undefined) refuseSecondHeader(records, decimalComma, header, path);
  const first = records[0]?.cells ?? [];
  const names = header ? namesOf(first, path) : first.map((_, i) => String(i));
  const separated = delimiterName[delimiter] ?? JSON.stringify(delimiter);
  const notes = [
    ...(encoding === "utf-8" ? [] : [`read as ${encodingName[encoding]}`]),
    ...(delimiter === "," || width === 1 ? [] : [`values separated by ${separated}`]),
    ...(decimalComma ? ["decimals behind a comma"] : []),
    ...(header ? [] : ["no line of names: columns are called by their number, from 0"]),
    ...(header && first.includes("") ? ['columns without a name are called "column 1", by their place'] : []),
  ];
  return { encoding, markLength: found.markLength, skip, delimiter, newline, header, names, decimalComma, notes };
}

function recordsOf(body: string, options: ConstructorParameters<typeof RecordSplitter>[0], whole: boolean): TableRow[] {
  const splitter = new RecordSplitter(options);
  const records = splitter.push(body);
  return (whole ? [...records, ...splitter.end()] : records).slice(0, most);
}

/** The width that most records have. */
function usualWidth(records: readonly TableRow[]): number {
  const widths = new Map<number, number>();
  for (const { cells } of records) widths.set(cells.length, (widths.get(cells.length) ?? 0) + 1);
  return [...widths].sort(([, m], [, n]) => n - m)[0]?.[0] ?? 1;
}

/** The separator that cuts most records alike; the rarer of two that do it equally well. */
function delimiterOf(cut: (delimiter: string) => readonly TableRow[], body: string): string {
  let [best, bestScore, failure]: [string | undefined, number, unknown] = [undefined, 0, undefined];
  for (const delimiter of delimiters) {
    let records: readonly TableRow[];
    try {
      records = cut(delimiter);
    } catch (error) {
      // Quotes that do not match under this separator; those of the file's own are said if none cuts it.
      if (delimiter === ",") failure = error;
      continue;
    }
    const width = usualWidth(records);
    if (width < 2) continue;
    const alike = records.filter(({ cells }) => cells.length === width).length / records.length;
    const score = alike + (records[0]?.cells.length === width ? 0.5 : 0);
    // Without an agreeing first line only a table with a title counts.
    if (score > bestScore && (score > 0.9 || alike > 0.5)) [best, bestScore] = [delimiter, score];
  }
  if (best !== undefined) return best;
  if (failure !== undefined) throw failure;
  return [",", "\t", "|", ";"].find((delimiter) => !body.includes(delimiter)) ?? ",";
}

/** Throws FileError for a first line of fewer values than those under it. */
function refuseTitle(records: readonly TableRow[], width: number, path: string): void {
  const [first, ...rest] = records;
  const filled = first?.cells.filter((cell) => cell !== "").length ?? 0;
  if (!first || rest.length < 2 || width < 2 || filled > 1) return;
  if (first.cells.length === width && filled === 1 && width === 2) return;
  throw new FileError(
    `${path}: line ${first.line} has ${plural(filled, "value")}${filled === 1 ? `, ${quoted(first.cells.find((cell) => cell !== "") ?? "")}` : ""}, expected the names of ${width} columns; remove what stands above them`,
  );
}

const toPresent = missingFilter();

/** Whether the decimals of numbers stand behind a comma. What may be either, such as 1,234, counts by the separator. */
function hasDecimalComma(records: readonly TableRow[], delimiter: string): boolean {
  let [commas, points, unclear] = [0, 0, 0];
  for (const { cells } of records)
    for (const cell of cells) {
      const sign = decimalSignOf(cell.replace(/\s*[%€$£]\s*/g, ""));
      if (sign === "comma") commas++;
      else if (sign === "point") points++;
      else if (sign === "either") unclear += cell.includes(",") ? 1 : -1;
    }
  if (commas + points > 0) return commas > points;
  return delimiter === ";" && unclear > 0;
}

const isValue = (cell: string, decimalComma: boolean): boolean =>
  parseNumber(cell, decimalComma) !== undefined || dateFormatsOf(cell).length > 0;

/** For each column whether its values below the first `skip` records are numbers or dates. */
function valueColumns(records: readonly TableRow[], skip: number, decimalComma: boolean): boolean[] {
  const rows = records.slice(skip, skip + 50);
  return (records[0]?.cells ?? []).map((_, i) => {
    const present = rows.map(({ cells }) => toPresent(cells[i] ?? "")).filter((cell) => cell !== "");
    return present.length > 0 && present.filter((cell) => isValue(cell, decimalComma)).length >= 0.9 * present.length;
  });
}

/** Whether the first record names the columns: it holds no number where values are, and none of its texts is one of the values below. */
function hasHeader(records: readonly TableRow[], decimalComma: boolean): boolean {
  const [first, ...rest] = records;
  if (!first) return true;
  const names = first.cells.filter((cell) => cell !== "");
  if (names.length === 0) return false;
  const values = first.cells.map((cell) => cell !== "" && isValue(cell, decimalComma));
  if (values.includes(true)) {
    // Years may name columns; as values they would recur.
    const years = first.cells.filter((_, i) => values[i]);
    const areYears = years.every((cell) => /^(?:1[89]|20|21)\d\d$/.test(cell)) && years.length > 1;
    const rises = years.every((cell, i) => i === 0 || Number(cell) > Number(years[i - 1]));
    return areYears && rises && new Set(first.cells).size === first.cells.length;
  }
  if (new Set(names).size < names.length)
    return rest.length === 0 || valueColumns(records, 1, decimalComma).includes(true);
  if (valueColumns(records, 1, decimalComma).includes(true) || rest.length === 0) return true;
  // All is text: a line of values has some that recur below it.
  const recurring = first.cells.filter((cell, i) => cell !== "" && rest.some(({ cells }) => cells[i] === cell)).length;
  return recurring < 0.5 * first.cells.length;
}

/** Throws FileError where the second record holds names, such as units under the names, or names under counts, above columns of numbers. */
function refuseSecondHeader(records: readonly TableRow[], decimalComma: boolean, header: boolean, path: string): void {
  const [first, second] = records;
  if (!first || !second || records.length < 4) return;
  const below = valueColumns(records, 2, decimalComma).flatMap((isNumeric, i) =>
    isNumeric ? [second.cells[i] ?? ""] : [],
  );
  const texts = below.filter((cell) => toPresent(cell) !== "" && !isValue(cell, decimalComma));
  if (texts.length === 0 || texts.length < below.length) return;
  // What occurs again is a value, such as a mark for what is missing.
  const recurs = second.cells.some((cell, i) => cell !== "" && records.slice(2).some(({ cells }) => cells[i] === cell));
  if (recurs) return;
  const shown = texts.slice(0, 3).map(quoted).join(", ");
  throw new FileError(
    header
      ? `${path}: line ${second.line} is a second line of names (${shown}) above numbers, expected values there; remove it, or join it with the line above`
      : `${path}: line ${second.line} holds names (${shown}), expected them in the first line; remove line ${first.line}, which is neither names nor a row`,
  );
}

/** The columns' names. Throws FileError when two are alike. */
function namesOf(cells: readonly string[], path: string): string[] {
  const names = cells.map((cell, i) => (cell === "" ? `column ${i + 1}` : cell.replace(/\s+/g, " ")));
  const places = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const before = places.get(name);
    if (before !== undefined)
      throw new FileError(`${path}: columns ${before + 1} and ${i + 1} are both named ${quoted(name)}; rename one`);
    places.set(name, i);
  }
  return names;
}
