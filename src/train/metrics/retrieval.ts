/** How well vectors find what belongs to them among others. */
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { cast, constant, greaterOrEqual, mul, reduceMax, reduceSum } from "../../ops/index.ts";
import { type Metric, meanStatistics, ratio, rowWeights } from "./metric.ts";

/** Ones where the row is the column, [N, M]. */
function ownPlaces(rows: number, columns: number): Tensor<"float32"> {
  const ones = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) ones[row * columns + row] = 1;
  return new Tensor("float32", [rows, columns], ones);
}

/**
 * Share of the rows of scores [N, M], M ≥ N, whose own column, that of the same number, has the highest score: of embeddings the share of
 * anchors that find their partner in the batch. It is harder in larger batches. `target` names any tensor of the batch that it may stand
 * beside; it is not read. Throws ShapeError.
 * @example { loss: contrastive(scores), outputs: scores } // of an objective, with the metric inBatchAccuracy("positive")
 */
export const inBatchAccuracy = (target: string): Metric => ({
  name: "accuracy",
  size: 2,
  update(scores, _, counting) {
    const [rows = 0, columns = 0] = scores.shape;
    if (scores.rank !== 2 || columns < rows)
      throw new ShapeError(
        `inBatchAccuracy: scores are ${showShape(scores.shape)}, expected [N, M] with a column for each row, M ≥ N; score every left vector with every right one`,
      );
    const own = reduceSum(mul(scores, constant(ownPlaces(rows, columns))), 1);
    const right = cast(greaterOrEqual(own, reduceMax(scores, [1])), "float32");
    return meanStatistics(right, rowWeights("inBatchAccuracy", [rows], counting?.weight));
  },
  result: ratio,
  direction: "up",
  reads: { target },
});

/**
 * Share of queries, unit vectors [N, D], whose most similar candidate, of unit vectors [M, D], is one that `belongs` to it: accuracy@1 of
 * retrieval. Throws ShapeError for vectors of unlike widths.
 */
export function retrievalAccuracy(
  queries: Tensor,
  candidates: Tensor,
  belongs: (query: number, candidate: number) => boolean,
): number {
  const [count = 0, width = 0] = queries.shape;
  if (queries.shape.length !== 2 || candidates.shape.length !== 2 || candidates.shape[1] !== width)
    throw new ShapeError(
      `retrievalAccuracy: vectors are ${showShape(queries.shape)} and ${showShape(candidates.shape)}, expected rows of one width, [N, D] and [M, D]`,
    );
  let right = 0;
  for (let query = 0; query < count; query++) {
    let [best, highest] = [0, Number.NEGATIVE_INFINITY];
    for (let candidate = 0; candidate < (candidates.shape[0] ?? 0); candidate++) {
      let score = 0;
      for (let i = 0; i < width; i++)
        score += Number(queries.data[query * width + i]) * Number(candidates.data[candidate * width + i]);
      if (score > highest) [best, highest] = [candidate, score];
    }
    if (belongs(query, best)) right++;
  }
  return right / count;
}
