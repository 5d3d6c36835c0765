/** Rows of tables as inputs of a prediction: files of tables, and JSON objects by the names of columns. */
import type { Tensor } from "../../core/tensor.ts";
import { rowsOfJsonText, rowsOfTableFile } from "../../data/tables/named-rows.node.ts";
import { encodeRows, exampleRow, type RowEncoding } from "../../data/tables/row-encoding.ts";

const columnsOf = ({ fields }: RowEncoding): readonly string[] => fields.map(({ name }) => name);

/** The rows of a file of a table, encoded. Throws FileError or DataError naming the line, or the column that is not there. */
export const rowsOfFile = async (path: string, encoding: RowEncoding): Promise<Tensor<"float32">> =>
  encodeRows(encoding, await rowsOfTableFile(path, columnsOf(encoding)));

/** A row as a JSON object, or several in a list, encoded. Throws FileError for what is no JSON, DataError for what is no row of this table. */
export function rowsOfJson(text: string, where: string, encoding: RowEncoding): Tensor<"float32"> {
  const example = exampleRow({ fields: encoding.fields.slice(0, 3) });
  return encodeRows(encoding, rowsOfJsonText(text, { where, columns: columnsOf(encoding), example }));
}
