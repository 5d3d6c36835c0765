/** Rows of tables as inputs of a prediction: files of tables, and JSON objects by the names of columns. */
import { DataError, FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { encodeRows, exampleRow, type NamedRow, type RowEncoding } from "../../data/tables/row-encoding.ts";
import { readTable } from "../../data/tables/table-file.node.ts";

/** The rows of a file of a table, encoded. Throws FileError or DataError naming the line, or the column that is not there. */
export async function rowsOfFile(path: string, encoding: RowEncoding): Promise<Tensor<"float32">> {
  const { file, rows, lines } = await readTable(path);
  const places = new Map(file.names.map((name, place) => [name, place]));
  for (const { name } of encoding.fields) if (!places.has(name)) throw missingColumn(path, name, file.names);
  const named = rows.map(
    (cells, i): NamedRow => ({
      where: `${path}: line ${lines[i]}`,
      cell: (name) => cells[places.get(name) ?? -1] ?? "",
    }),
  );
  return encodeRows(encoding, named);
}

/** A row as a JSON object, or several in a list, encoded. Throws FileError for what is no JSON, DataError for what is no row of this table. */
export function rowsOfJson(text: string, where: string, encoding: RowEncoding): Tensor<"float32"> {
  const example = JSON.stringify(exampleRow({ fields: encoding.fields.slice(0, 3) }));
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    throw new FileError(`${where}: is not JSON (${(cause as Error).message}); write a row such as ${example}`, {
      cause,
    });
  }
  const rows = Array.isArray(parsed) ? parsed : [parsed];
  if (rows.length === 0 || !rows.every(isPlainObject))
    throw new DataError(
      `${where}: is no row of a table; write an object by the names of columns, such as ${example}, or a list of those`,
    );
  return encodeRows(
    encoding,
    rows.map((row, i) => namedRow(row, rows.length === 1 ? where : `${where}: row ${i + 1}`, encoding)),
  );
}

function namedRow(row: Readonly<Record<string, unknown>>, where: string, { fields }: RowEncoding): NamedRow {
  for (const { name } of fields) if (!Object.hasOwn(row, name)) throw missingColumn(where, name, Object.keys(row));
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
