/** Statistics of the columns of a table [N, F]; missing values (NaN) do not count. */
import { DataError, DTypeError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";

/** Numbers of rows and columns. Throws ShapeError or DTypeError unless the tensor is float32 [N, F] with rows. */
export function tableSize(x: Tensor, where: string): { readonly rows: number; readonly columns: number } {
  const [rows = 0, columns = 0] = x.shape;
  if (x.dtype !== "float32")
    throw new DTypeError(`${where}: the table is ${x.dtype}, expected float32; convert it first`);
  if (x.shape.length !== 2)
    throw new ShapeError(`${where}: the table has shape ${showShape(x.shape)}, expected [rows, columns]; reshape it`);
  if (rows === 0) throw new DataError(`${where}: the table has no rows, expected at least one`);
  return { rows, columns };
}

/** The present values of each column, as doubles. Throws DataError for a column that has none, or an infinite one. */
export function presentColumns(x: Tensor, where: string): Float64Array[] {
  const { rows, columns } = tableSize(x, where);
  return Array.from({ length: columns }, (_, column) => {
    const values = new Float64Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const value = x.data[row * columns + column] as number;
      if (Math.abs(value) === Number.POSITIVE_INFINITY)
        throw new DataError(
          `${where}: row ${row}, column ${column} is ${value}, expected a finite number; correct the row`,
        );
      if (!Number.isNaN(value)) values[count++] = value;
    }
    if (count === 0) throw new DataError(`${where}: column ${column} has only missing values; leave the column out`);
    return values.subarray(0, count);
  });
}

export const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of the population (divided by N). */
export function deviationOf(values: Float64Array): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996; NumPy's default). */
export function quantileOf(values: Float64Array, fraction: number): number {
  const sorted = values.slice().sort();
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)] as number;
  return below + (place % 1) * ((sorted[Math.ceil(place)] as number) - below);
}
