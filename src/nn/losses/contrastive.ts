/** The contrastive loss of pairs: what belongs together is more alike than the other rows of the batch. */
import { ShapeError } from "../../core/errors.ts";
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import { type Value, valueType } from "../../graph/ir.ts";
import {
  add,
  cast,
  constant,
  div,
  equal,
  matmul,
  maximum,
  mul,
  reduceSum,
  reshape,
  sqrt,
  square,
  transpose,
} from "../../ops/index.ts";
import { categoricalCrossEntropy, crossEntropy } from "./losses.ts";

/** Kept from dividing by zero: the square of a length. */
const smallest = 1e-12;

/** Vectors [..., D] divided by their lengths; zeros stay zeros, with a finite gradient. */
export function unitLength(x: Value): Value {
  const squared = reduceSum(square(x), x.rank - 1, { keepDims: true });
  return div(x, sqrt(maximum(squared, smallest)));
}

/** The cosine of each vector on the left, [N, D], with each on the right, [M, D]: [N, M], from -1 to 1. Throws ShapeError for others. */
export function cosineSimilarities(left: Value, right: Value): Value {
  if (left.rank !== 2 || right.rank !== 2 || left.shape[1] !== right.shape[1])
    throw new ShapeError(
      `cosineSimilarities: vectors are ${showShape(left.shape)} and ${showShape(right.shape)}, expected rows of one width, [N, D] and [M, D]; project both to it, such as by dense(64)`,
    );
  return matmul(unitLength(left), transpose(unitLength(right)));
}

/** Options of `contrastive`. */
export interface ContrastiveOptions {
  /** Whether each right row looks for its left one, too; default true, for as many of both. */
  readonly symmetric?: boolean;
  /** Integers [N]: pairs of one number belong together, too, such as images with the same caption; default none do. */
  readonly groups?: Value;
}

const checkOptions = optionsOf<ContrastiveOptions>("contrastive", {
  symmetric: flag,
  groups: valueType,
});

/**
 * The mean of -log softmax(scores)ᵢᵢ over rows, and over columns (InfoNCE, van den Oord et al. 2018, eq. 4; both ways as CLIP, Radford et
 * al. 2021, fig. 3): row i of scores [N, M], M ≥ N, belongs to column i. Scores are similarities divided by a temperature, such as
 * `ops.mul(cosineSimilarities(a, b), 20)`. With `groups` the probability is shared by all columns of a row's group (Khosla et al. 2020,
 * eq. 2). Throws ShapeError.
 * @example
 * const objective: Objective<Pairs> = (context, { left, right }) => ({
 *   loss: contrastive(ops.mul(cosineSimilarities(tower.apply(left, context), tower.apply(right, context)), 20)),
 * });
 */
export function contrastive(scores: Value, options: ContrastiveOptions = {}): Value {
  const { symmetric, groups } = checkOptions(options);
  const [rows = 0, columns = 0] = scores.shape;
  if (scores.rank !== 2 || columns < rows)
    throw new ShapeError(
      `contrastive: scores are ${showShape(scores.shape)}, expected [N, M] with a column for each row, M ≥ N; score every left vector with every right one`,
    );
  const both = symmetric ?? rows === columns;
  if ((both || groups) && rows !== columns)
    throw new ShapeError(
      `contrastive: scores are ${showShape(scores.shape)}, expected as many columns as rows ${both ? "to compare both ways; pass symmetric: false" : "with groups; score the pairs alone"}`,
    );
  const likelihood = groups ? sharedBy(groups, rows) : ofPairs(rows);
  const forward = likelihood(scores);
  return both ? mul(add(forward, likelihood(transpose(scores))), 0.5) : forward;
}

function ofPairs(rows: number): (scores: Value) => Value {
  const places = constant(
    tensor(
      Array.from({ length: rows }, (_, i) => i),
      { dtype: "int32" },
    ),
  );
  return (scores) => crossEntropy()(scores, places);
}

function sharedBy(groups: Value, rows: number): (scores: Value) => Value {
  if (!sameShape(groups.shape, [rows]))
    throw new ShapeError(`contrastive: groups are ${showShape(groups.shape)}, expected one integer a row, [${rows}]`);
  const same = cast(equal(reshape(groups, [rows, 1]), reshape(groups, [1, rows])), "float32");
  const shares = div(same, reduceSum(same, 1, { keepDims: true }));
  return (scores) => categoricalCrossEntropy()(scores, shares);
}
