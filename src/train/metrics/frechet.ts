/** The Fréchet distance between two sets of feature vectors, taken as Gaussian (Heusel et al. 2017, eq. 6). */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { DataError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";

interface Gaussian {
  readonly mean: readonly number[];
  readonly covariance: Matrix;
}

function gaussianOf(features: Tensor, where: string): Gaussian {
  const [rows = 0, columns = 0] = features.shape;
  if (features.shape.length !== 2)
    throw new ShapeError(
      `frechetDistance: ${where} is ${showShape(features.shape)}; pass features [samples, features]`,
    );
  if (rows < 2) throw new DataError(`frechetDistance: ${where} has ${rows} samples; a covariance needs two at least`);
  const values = features.toNumbers();
  const mean = Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += values[i * columns + j] ?? 0;
    return sum / rows;
  });
  const centred = new Matrix(rows, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) centred.set(i, j, (values[i * columns + j] ?? 0) - (mean[j] ?? 0));
  return {
    mean,
    covariance: centred
      .transpose()
      .mmul(centred)
      .div(rows - 1),
  };
}

/** The root of a symmetric matrix without negative eigenvalues; those that rounding made are taken for 0. */
function rootOf(matrix: Matrix): Matrix {
  const { eigenvectorMatrix: vectors, realEigenvalues } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  const roots = Matrix.diag(realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))));
  return vectors.mmul(roots).mmul(vectors.transpose());
}

/**
 * |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½) of features [N, F] and [M, F]: 0 for equal means and covariances. The trace of the root
 * is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric. Throws ShapeError or DataError.
 */
export function frechetDistance(a: Tensor, b: Tensor): number {
  const [first, second] = [gaussianOf(a, "the first set"), gaussianOf(b, "the second set")];
  if (first.mean.length !== second.mean.length)
    throw new ShapeError(`frechetDistance: ${first.mean.length} and ${second.mean.length} features; make them equal`);
  const root = rootOf(first.covariance);
  const shared = rootOf(root.mmul(second.covariance).mmul(root));
  const apart = first.mean.reduce((sum, value, i) => sum + (value - (second.mean[i] ?? 0)) ** 2, 0);
  return apart + first.covariance.trace() + second.covariance.trace() - 2 * shared.trace();
}
