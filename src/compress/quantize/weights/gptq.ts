/** GPTQ: rounding column by column, where what is left of the row makes up for the error (Frantar et al. 2023). */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { type BlockForm, BlockWeight } from "./blocks.ts";

/** Share of the mean of the diagonal that is added to it, so that it can be inverted (sec. 3, step 3). */
const dampening = 0.01;

/**
 * Rows [rows, columns] in blocks, of the least squared error of their products with inputs whose second moments XᵀX are known. In the order of the
 * columns; each block takes its scale when its first column comes (Frantar et al. 2023, algorithm 1).
 * @param moments XᵀX, [columns, columns]
 */
export function gptq(weight: Float32Array, rows: number, moments: Float64Array, form: BlockForm): BlockWeight {
  const columns = weight.length / rows;
  const left = Float64Array.from(weight);
  const upper = upperOfInverse(dampened(moments, columns), columns);
  const result = new BlockWeight(rows, columns, form);
  for (let column = 0; column < columns; column++) {
    const pivot = upper[column * columns + column] as number;
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      if (column % form.block === 0)
        result.fit(
          row,
          column / form.block,
          left.subarray(start + column, start + Math.min(columns, column + form.block)),
        );
      const w = left[start + column] as number;
      const error = (w - result.put(row, column, w)) / pivot;
      if (error === 0) continue;
      for (let other = column + 1; other < columns; other++)
        left[start + other] = (left[start + other] as number) - error * (upper[column * columns + other] as number);
    }
  }
  return result;
}

/** Moments that can be inverted: inputs that never come count as one that comes alone. */
function dampened(moments: Float64Array, size: number): Float64Array {
  const result = moments.slice();
  let mean = 0;
  for (let i = 0; i < size; i++) mean += (moments[i * size + i] as number) / size;
  for (let i = 0; i < size; i++) {
    const at = i * size + i;
    result[at] = ((moments[at] as number) || mean || 1) + dampening * (mean || 1);
  }
  return result;
}

/**
 * The upper factor U of the inverse of a positive definite matrix, H⁻¹ = Uᵀ U: the inverse of the upper V with H = V Vᵀ, which is the lower factor of H
 * with its rows and columns in reverse.
 */
export function upperOfInverse(matrix: Float64Array, size: number): Float64Array {
  const reversed = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) reversed.set(i, j, matrix[(size - 1 - i) * size + size - 1 - j] as number);
  const lower = new CholeskyDecomposition(reversed).lowerTriangularMatrix;
  const v = (i: number, j: number) => lower.get(size - 1 - i, size - 1 - j);
  const upper = new Float64Array(size * size);
  // V U = 1, from the last row on: U[i] = (1[i] - Σ V[i, k] U[k]) / V[i, i]
  for (let i = size - 1; i >= 0; i--) {
    const own = upper.subarray(i * size, (i + 1) * size);
    own[i] = 1;
    for (let k = i + 1; k < size; k++) {
      const factor = v(i, k);
      if (factor === 0) continue;
      const row = upper.subarray(k * size, (k + 1) * size);
      for (let j = k; j < size; j++) own[j] = (own[j] as number) - factor * (row[j] as number);
    }
    const pivot = v(i, i);
    for (let j = i; j < size; j++) own[j] = (own[j] as number) / pivot;
  }
  return upper;
}
