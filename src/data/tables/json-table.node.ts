/** Tables of JSON: one object a line as a stream, an array of objects, or an object of columns. */
import { DataError, FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted } from "../../core/printable.ts";
import { isPlainObject } from "../../core/tree.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { cellText } from "./cell-texts.ts";
import { type FileRecord, parseJsonRecords, reasonOf, shownValue } from "./json-records.ts";
import type { TableRow } from "./record-splitter.ts";
import { readHead, textBlocks } from "./text-blocks.node.ts";
import { sniffEncoding } from "./text-encoding.ts";

/** Records and the lines, or the places in an array, that they stand at. */
interface Numbered {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly line: number;
}

/** The columns of a table of JSON, and its rows. */
export interface JsonTable {
  readonly names: readonly string[];
  rows(): AsyncGenerator<TableRow[]>;
}

/** Characters of JSON Lines that are searched for the names of columns. */
const searched = 64 * 2 ** 20;

/** Objects of JSON Lines in blocks. Throws FileError or DataError naming the line. */
async function* jsonLines(path: string): AsyncGenerator<Numbered[]> {
  const { head } = await readHead(path);
  let [rest, line] = ["", 0];
  const recordsOf = (texts: readonly string[]): Numbered[] =>
    texts.flatMap((text) => {
      line++;
      if (text.trim() === "") return [];
      return [{ fields: objectOf(text, `${path}: line ${line}`), line }];
    });
  for await (const text of textBlocks(path, sniffEncoding(head, path))) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield recordsOf(lines);
  }
  yield recordsOf([rest]);
}

function objectOf(text: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new DataError(
      `${where} is no JSON (${reasonOf(error)}); expected one object on each line: correct the line`,
      {
        cause: error,
      },
    );
  }
  if (!isPlainObject(value))
    throw new DataError(`${where} is ${shownValue(value)}, expected an object of fields; write { "name": value, … }`);
  return value;
}

/** Adds the names that are new. */
function addNames(names: Set<string>, fields: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(fields)) names.add(name);
}

/** Cells of a record in the order of the columns. */
function cellsOf(
  names: readonly string[],
  known: ReadonlySet<string>,
  { fields, line }: Numbered,
  path: string,
): TableRow {
  for (const name of Object.keys(fields))
    if (!known.has(name))
      throw new FileError(
        `${path}: line ${line} has a field ${quoted(name)} that none of the lines in the first ${searched} characters has; put a line that has it first`,
      );
  return { cells: names.map((name) => cellText(Object.hasOwn(fields, name) ? fields[name] : undefined)), line };
}

/** A table of JSON Lines, read anew for each pass. Throws FileError or DataError. */
export async function openJsonLines(path: string): Promise<JsonTable> {
  const names = new Set<string>();
  let characters = 0;
  for await (const records of jsonLines(path)) {
    for (const { fields } of records) addNames(names, fields);
    characters += 2 ** 20;
    if (characters > searched) break;
  }
  if (names.size === 0) throw new DataError(`${path}: has no records, expected one JSON object on each line`);
  const order = [...names];
  return {
    names: order,
    async *rows() {
      for await (const records of jsonLines(path)) yield records.map((record) => cellsOf(order, names, record, path));
    },
  };
}

/** Objects of columns, each a list of values or an object of them by row, as pandas writes them. */
function columnsOf(value: unknown, path: string): readonly Numbered[] | undefined {
  if (!isPlainObject(value)) return undefined;
  const columns = Object.entries(value).map(
    ([name, own]) => [name, isPlainObject(own) ? Object.values(own) : own] as const,
  );
  if (columns.length === 0 || !columns.every((column): column is [string, unknown[]] => Array.isArray(column[1])))
    return undefined;
  const rows = columns[0]?.[1].length ?? 0;
  const other = columns.find(([, values]) => values.length !== rows);
  if (other)
    throw new DataError(
      `${path}: column ${quoted(other[0])} has ${other[1].length} values, expected ${rows} as ${quoted(columns[0]?.[0] ?? "")} has; fill it in`,
    );
  return Array.from({ length: rows }, (_, row) => ({
    fields: Object.fromEntries(columns.map(([name, values]) => [name, values[row]])),
    line: row + 1,
  }));
}

/** The records that a .json file holds: an array, lines, columns, or the only list of objects in an object. */
function recordsOf(bytes: Uint8Array, path: string): readonly Numbered[] {
  const numbered = (records: readonly FileRecord[]) => records.map(({ fields }, i) => ({ fields, line: i + 1 }));
  let whole: unknown;
  try {
    whole = parseJson(new TextDecoder("utf-8").decode(bytes));
  } catch {
    return numbered(parseJsonRecords(bytes, path));
  }
  if (Array.isArray(whole)) return numbered(parseJsonRecords(bytes, path));
  const columns = columnsOf(whole, path);
  if (columns) {
    const [list, ...others] = columns.length > 0 && isPlainObject(whole) ? Object.values(whole) : [];
    if (others.length === 0 && Array.isArray(list) && list.every(isPlainObject))
      return list.map((fields, i) => ({ fields, line: i + 1 }));
    return columns;
  }
  return numbered(parseJsonRecords(bytes, path));
}

/** A table of a .json file, in memory. Throws FileError or DataError. */
export async function openJson(path: string): Promise<JsonTable> {
  await readHead(path, 1);
  const records = recordsOf(await readBytes(path, "table"), path);
  const names = new Set<string>();
  for (const { fields } of records) addNames(names, fields);
  if (names.size === 0) throw new DataError(`${path}: its records have no fields, expected at least one`);
  const order = [...names];
  return {
    names: order,
    async *rows() {
      for (let start = 0; start < records.length; start += 10_000)
        yield records.slice(start, start + 10_000).map((record) => cellsOf(order, names, record, path));
    },
  };
}
