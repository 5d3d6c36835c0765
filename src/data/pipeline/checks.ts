/** Checks of data before anything is trained on it: finite numbers, labels in range. */
import { DataError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";

/** Throws DataError naming row and column of the first NaN or infinity in a tensor [N, …]. `columns` are their names. */
export function checkFinite(t: Tensor, where: string, columns?: readonly string[]): void {
  const at = (t.data as Float32Array).findIndex((value) => !Number.isFinite(Number(value)));
  if (at < 0) return;
  const width = size(t.shape.slice(1));
  const column = at % width;
  const name = columns?.[column] === undefined ? "" : ` ("${columns[column]}")`;
  throw new DataError(
    `${where}: row ${Math.floor(at / width)}, column ${column}${name} is ${t.data[at]}, expected a finite number; ` +
      "fill missing values in with fitImpute(), or leave such rows out with dropMissing()",
  );
}

/** Throws DataError naming the row of the first label outside 0 to classes - 1 that is not `ignored`. */
export function checkLabels(labels: Tensor, classes: number, where: string, ignored?: number): void {
  for (let row = 0; row < labels.data.length; row++) {
    const label = Number(labels.data[row]);
    if (label === ignored) continue;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new DataError(
        `${where}: the label of row ${row} is ${label}, expected a whole number from 0 to ${classes - 1}; ` +
          "correct the row or the number of classes",
      );
  }
}

/** Labels stored as bytes, as int32, the dtype of targets. */
export const labelsOf = (bytes: Uint8Array): Tensor<"int32"> =>
  new Tensor("int32", [bytes.length], Int32Array.from(bytes));
