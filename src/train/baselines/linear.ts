/** Linear baselines of tables: logistic regression of classes, ridge regression of numbers. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { LabelledRows, Rows } from "../few-shot/classifier.ts";
import { fitLogistic, type Logistic, logitsOf, measure } from "../few-shot/logistic.ts";
import {
  type Attempt,
  bestOf,
  classOf,
  rowsNote,
  rowsWithin,
  sameShare,
  scoreOf,
  secondsOnAll,
  someRows,
  type TableBaseline,
  type TableRows,
} from "./baseline.ts";
import { classCounts } from "./constant.ts";

/** C of scikit-learn's LogisticRegression, 1 / λ. */
const inverseStrengths = [1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3] as const;
/** α of ridge regression that are tried. */
export const alphas = [1e-4, 1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4, 1e5] as const;

/** Steps of L-BFGS, each of a look at all rows; half of that is typical. */
const usual = { maxIterations: 200, tolerance: 1e-5 } as const;
/** Columns whose products among themselves are decomposed in seconds; of wider tables the products of so many rows are. */
const widest = 1500;

/** Rows with those classes that the training part has, which alone can be learned. */
function labelledRows(rows: TableRows, present: readonly number[]): LabelledRows {
  return { ...rows, classes: present, places: Int32Array.from(rows.targets, (label) => present.indexOf(label)) };
}

/** The classes that rows have. */
const presentClasses = (rows: TableRows): readonly number[] =>
  [...classCounts(rows).entries()].flatMap(([label, count]) => (count > 0 ? [label] : []));

/** The class of each row, among those that a model knows. */
const predictBy = (model: Logistic, present: readonly number[], rows: Rows): Float64Array =>
  classOf(logitsOf(model, rows), present.length).map((place) => present[place] as number);

/** Multinomial logistic regression with an L2 penalty, whose strength is chosen on the validation part. */
export const logisticRegression: TableBaseline = {
  name: "logistic regression",
  fit(all, validation, limits) {
    // Three strengths at least; those whose time is over are not tried.
    const steps = { ...usual, maxIterations: 10 };
    const needed = secondsOnAll(all, limits, (own) =>
      fitLogistic(
        labelledRows(
          own,
          Array.from({ length: all.classes }, (_, c) => c),
        ),
        1,
        steps,
      ),
    );
    const train = rowsWithin(all, limits, (3 * needed * usual.maxIterations) / steps.maxIterations);
    const present = presentClasses(train);
    const rows = labelledRows(train, present);
    const known = labelledRows(validation, present);
    const began = performance.now();
    const attempts: (Attempt & { readonly c: number })[] = [];
    // From the middle of the range, so that little time suffices for the usual ones.
    for (const c of [...inverseStrengths].sort((a, b) => Math.abs(Math.log10(a)) - Math.abs(Math.log10(b)))) {
      if (attempts.length > 0 && performance.now() - began > 1000 * limits.seconds) break;
      const model = fitLogistic(rows, 1 / c, usual);
      // Of a class that the training part lacks the loss has no value; the score decides.
      const { loss } = measure(model, known);
      attempts.push({ c, score: scoreOf(predictBy(model, present, validation), validation), loss });
    }
    const { c, score } = bestOf(validation, attempts);
    return {
      settings: `C = ${c}${rowsNote(train, all)}`,
      validation: score,
      refit(more) {
        const own = sameShare(more, train, all, limits.key);
        const classes = presentClasses(own);
        const model = fitLogistic(labelledRows(own, classes), 1 / c, usual);
        return (asked) => predictBy(model, classes, asked);
      },
    };
  },
};

/** Weights [features] and a bias: y = x·w + b. */
export interface Linear {
  readonly weights: Float64Array;
  readonly bias: number;
}

const applied = ({ weights, bias }: Linear, { count, width, values }: Rows): Float64Array => {
  const found = new Float64Array(count).fill(bias);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < width; j++)
      found[i] = (found[i] as number) + (values[i * width + j] as number) * (weights[j] as number);
  return found;
};

/**
 * Ridge regression of rows for any targets and any α: the weights that minimize ‖y - Xw - b‖² + α‖w‖² with a free bias, (XᵀX + αI)⁻¹ Xᵀy of
 * centred columns (Hoerl and Kennard 1970), or Xᵀ(XXᵀ + αI)⁻¹ y, which is the same, where there are fewer rows than columns. The smaller
 * product, Q Λ Qᵀ, is decomposed once.
 */
export function ridge({ count, width, values }: Rows): (targets: Float64Array) => (alpha: number) => Linear {
  const x = Matrix.from1DArray(count, width, values);
  const means = x.mean("column");
  x.subRowVector(means);
  const transposed = x.transpose();
  const isWide = width > count;
  const { realEigenvalues, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    isWide ? x.mmul(transposed) : transposed.mmul(x),
    { assumeSymmetric: true },
  );
  const turned = vectors.transpose();
  return (targets) => {
    const middle = targets.reduce((sum, value) => sum + value, 0) / count;
    const y = Matrix.columnVector(targets).sub(middle);
    const projected = turned.mmul(isWide ? y : transposed.mmul(y)); // Qᵀ y or Qᵀ Xᵀ y
    return (alpha) => {
      const scaled = realEigenvalues.map((value, i) => projected.get(i, 0) / (Math.max(0, value) + alpha));
      const solved = vectors.mmul(Matrix.columnVector(scaled));
      const weights = Float64Array.from((isWide ? transposed.mmul(solved) : solved).to1DArray());
      return { weights, bias: weights.reduce((sum, weight, j) => sum - weight * (means[j] as number), middle) };
    };
  };
}

/** Linear regression with an L2 penalty, whose strength is chosen on the validation part. */
export const ridgeRegression: TableBaseline = {
  name: "ridge regression",
  fit(all, validation, limits) {
    const affordable = rowsWithin(
      all,
      limits,
      secondsOnAll(all, limits, (own) => ridge(own)(own.targets)),
    );
    const train = all.width > widest ? someRows(affordable, widest, limits.key) : affordable;
    const solve = ridge(train)(train.targets);
    const attempts = [...alphas].reverse().map((alpha) => {
      const model = solve(alpha);
      const score = scoreOf(applied(model, validation), validation);
      return { alpha, score, loss: score };
    });
    const { alpha, score } = bestOf(validation, attempts);
    return {
      settings: `alpha = ${alpha}${rowsNote(train, all)}`,
      validation: score,
      refit(more) {
        const own = sameShare(more, train, all, limits.key);
        const model = ridge(own)(own.targets)(alpha);
        return (asked) => applied(model, asked);
      },
    };
  },
};
