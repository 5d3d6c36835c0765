/** Rows left out of tables: those with missing values, with outliers, and repetitions. */
import { DataError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Labelled } from "../pipeline/dataset.ts";
import { gatherRecord, rowCount, type TensorRecord } from "../pipeline/rows.ts";
import { tableSize } from "./columns.ts";
import type { Clip } from "./preprocess.ts";

/** Those rows of all tensors for which `keep` holds. Throws DataError when none is left. */
function keepRows<T extends TensorRecord<T>>(table: T, where: string, keep: (row: number) => boolean): T {
  const rows = Array.from({ length: rowCount(table, where) }, (_, row) => row).filter(keep);
  if (rows.length === 0)
    throw new DataError(`${where}: no row is left; fill values in or clip them instead of dropping rows`);
  return gatherRecord(table, rows);
}

/** The table without rows whose x has a missing value (NaN). x is float32 [N, F], y [N, …]. */
export function dropMissing<T extends Labelled & TensorRecord<T>>(table: T): T {
  const { columns } = tableSize(table.x, "dropMissing()");
  const values = table.x.data as Float32Array;
  return keepRows(
    table,
    "dropMissing()",
    (row) => !values.subarray(row * columns, (row + 1) * columns).some(Number.isNaN),
  );
}

/** bool [N, F]: which values lie outside the range of their column. Missing values do not. */
export function flagOutliers(x: Tensor, { low, high }: Clip): Tensor<"bool"> {
  const { columns } = tableSize(x, "flagOutliers()");
  if (columns !== low.length)
    throw new DataError(
      `flagOutliers(): the table has ${columns} columns, the ranges are for ${low.length}; pass the same columns`,
    );
  const flags = Uint8Array.from(x.data as Float32Array, (value, i) => {
    const column = i % columns;
    return value < (low[column] as number) || value > (high[column] as number) ? 1 : 0;
  });
  return new Tensor("bool", x.shape, flags);
}

/**
 * The table without rows in which any value is an outlier: outside the range that `fitOutliers` found for its column.
 */
export function dropOutliers<T extends Labelled & TensorRecord<T>>(table: T, ranges: Clip): T {
  const { columns } = tableSize(table.x, "dropOutliers()");
  const flags = flagOutliers(table.x, ranges).data;
  return keepRows(table, "dropOutliers()", (row) => !flags.subarray(row * columns, (row + 1) * columns).includes(1));
}

/** The table with only the first of each set of rows that agree bit for bit, in x and y alike. */
export function dropDuplicates<T extends TensorRecord<T>>(table: T): T {
  const rows = rowCount(table, "dropDuplicates()");
  const parts = Object.values<Tensor>(table).map(({ data }) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { bytes, width: bytes.length / rows };
  });
  const seen = new Set<string>();
  return keepRows(table, "dropDuplicates()", (row) => {
    const text = parts.map(({ bytes, width }) => bytes.subarray(row * width, (row + 1) * width).join()).join(";");
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew;
  });
}
