/** Rows of tables as inputs of a prediction: files of tables, and JSON objects by the names of columns. */
import { dirname } from "node:path";
import type { Tensor } from "../../core/tensor.ts";
import { rowsOfJsonText, rowsOfTableFile } from "../../data/tables/rows/named-rows.node.ts";
import { encodeRows, exampleRow, type RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { withImages } from "../../data/tables/rows/row-images.node.ts";

const columnsOf = ({ fields }: RowEncoding): readonly string[] => fields.map(({ name }) => name);

/** The rows of a file of a table, encoded; paths of images are from its folder. Throws FileError or DataError naming the line, or the column that is not there. */
export const rowsOfFile = async (path: string, encoding: RowEncoding): Promise<Tensor<"float32">> =>
  encodeRows(encoding, await withImages(await rowsOfTableFile(path, columnsOf(encoding)), encoding, dirname(path)));

/**
 * A row as a JSON object, or several in a list, encoded; paths of images are from `folder`. Throws FileError for what is no JSON, DataError for what is no row of
 * this table.
 */
export async function rowsOfJson(
  text: string,
  { where, folder }: { readonly where: string; readonly folder: string },
  encoding: RowEncoding,
): Promise<Tensor<"float32">> {
  const example = exampleRow({ fields: encoding.fields.slice(0, 3) });
  const rows = rowsOfJsonText(text, { where, columns: columnsOf(encoding), example });
  return encodeRows(encoding, await withImages(rows, encoding, folder));
}
