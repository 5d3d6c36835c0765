/** Rows that a model is asked about, by the names of their columns: of files of tables, and of JSON objects. */
import { DataError, FileError } from "../../../core/errors.ts";
import { parseJson } from "../../../core/json.ts";
import { quoted } from "../../../core/printable.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { readTable } from "../table-file.node.ts";
import type { NamedRow } from "./row-encoding.ts";

/** The rows of a file of a table. Throws FileError or DataError naming the line, or the first of the columns that is not there. */
export async function rowsOfTableFile(path: string, columns: readonly string[]): Promise<readonly NamedRow[]> {
  const { file, rows, lines } = await readTable(path);
  const places = new Map(file.names.map((name, place) => [name, place]));
  for (const name of columns) if (!places.has(name)) throw missingColumn(path, name, file.names);
  return rows.map(
    (cells, i): NamedRow => ({
      where: `${path}: line ${lines[i]}`,
      cell: (name) => cells[places.get(name) ?? -1] ?? "",
    }),
  );
}

/** What rows of JSON are expected to be. */
export interface JsonRows {
  /** What the text is called in errors. */
  readonly where: string;
  /** Columns that each row must have. */
  readonly columns: readonly string[];
  /** A row to show where there is none. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** A row as a JSON object, or several in a list. Throws FileError for what is no JSON, DataError for what is no row of this table. */
export function rowsOfJsonText(text: string, { where, columns, example }: JsonRows): readonly NamedRow[] {
  const shown = JSON.stringify(example);
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    throw new FileError(`${where}: is not JSON (${(cause as Error).message}); write a row such as ${shown}`, { cause });
  }
  const rows = Array.isArray(parsed) ? parsed : [parsed];
  if (rows.length === 0 || !rows.every(isPlainObject))
    throw new DataError(
      `${where}: is no row of a table; write an object by the names of columns, such as ${shown}, or a list of those`,
    );
  return rows.map((row, i) => namedRow(row, rows.length === 1 ? where : `${where}: row ${i + 1}`, columns));
}

function namedRow(row: Readonly<Record<string, unknown>>, where: string, columns: readonly string[]): NamedRow {
  for (const name of columns) if (!Object.hasOwn(row, name)) throw missingColumn(where, name, Object.keys(row));
  return {
    where,
    cell(name) {
      const value = row[name];
      if (value === null) return "";
      if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return String(value);
      throw new DataError(
        `${where}: ${quoted(name)} is ${Array.isArray(value) ? "a list" : typeof value}, expected a text, a number or null where it is not known`,
      );
    },
  };
}

const missingColumn = (where: string, name: string, names: readonly string[]): DataError =>
  new DataError(
    `${where}: has no column ${quoted(name)}, which the model reads${names.length > 0 ? `; it has ${names.slice(0, 10).map(quoted).join(", ")}` : ""}; name it so, or leave its values empty where they are not known`,
  );
