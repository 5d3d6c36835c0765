/** What losses are made of: terms and their weights, which are added up before they are divided, once. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { cast, checkNumbers, div, expand, maximum, mul, reduceMean, reduceSum, reshape } from "../../ops/index.ts";

/** Σ terms / Σ weights: the terms are weighted already. */
export interface LossTerms {
  /** One for each row or element, [N, …]. */
  readonly terms: Value;
  /** What each counts for, of the shape of the terms; default 1 each. */
  readonly weights?: Value | undefined;
}

/** A mean, and how much it stands for: means of several batches are averaged by their weights. */
export interface WeightedMean {
  /** A scalar. */
  readonly mean: Value;
  /** A scalar, or a number that is known. */
  readonly weight: Value | number;
}

/** Kept from dividing by zero: far below the weight of any row. */
const smallest = 1e-12;

/** Σ terms / Σ weights; 0 where nothing counts. */
export const meanOf = ({ terms, weights }: LossTerms): Value =>
  weights ? div(reduceSum(terms), maximum(reduceSum(weights), smallest)) : reduceMean(terms);

/**
 * The loss of each sample, [N]: the mean of its own terms by their weights, where it has several. Terms of one for each sample are weighted as they are.
 */
export function sampleMeans({ terms, weights }: LossTerms): Value {
  const [samples = 1, ...rest] = terms.shape;
  if (rest.length === 0) return terms;
  const sums = (value: Value) => reduceSum(reshape(value, [samples, size(rest)]), 1);
  return weights ? div(sums(terms), maximum(sums(weights), smallest)) : div(sums(terms), size(rest));
}

/** The mean of terms, with their weight. */
export const weightedMeanOf = (terms: LossTerms): WeightedMean => ({
  mean: meanOf(terms),
  weight: terms.weights ? reduceSum(terms.weights) : size(terms.terms.shape),
});

/**
 * The terms with each sample counting as much as its weight, [N] or [N, 1]. Throws ShapeError for weights of another shape,
 * OptionError for terms that are no longer apart.
 */
export function weighted(where: string, { terms, weights }: LossTerms, samples: Value | undefined): LossTerms {
  if (!samples) return { terms, weights };
  if (terms.rank === 0)
    throw new OptionError(
      `${where}: the batch has weights of samples, and the loss is one number already; return one term a sample, [batch]`,
    );
  const own = spread(where, samples, terms);
  return { terms: mul(terms, own), weights: weights ? mul(weights, own) : own };
}

/** Weights of samples, [N] or [N, 1], for every element of a value [N, …]. Throws ShapeError, and DataError for what is fed if it is below 0. */
export function spread(where: string, samples: Value, { shape, dtype }: Value): Value {
  const [batch = 1, ...rest] = shape;
  if (!sameShape(samples.shape, [batch]) && !sameShape(samples.shape, [batch, 1]))
    throw new ShapeError(
      `${where}: the weights of samples are ${showShape(samples.shape)}, expected [${batch}]; pass one number a sample`,
    );
  checkNumbers(samples, "weight", {
    mend: "correct the row; signed factors, such as advantages, belong in an objective, since a loss is divided by the sum of its weights",
  });
  return expand(reshape(cast(samples, dtype), [batch, ...rest.map(() => 1)]), shape);
}
