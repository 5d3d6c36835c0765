/** Accuracy of retrieval, within a batch and among all. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { jit } from "../../jit/jit.ts";
import { inBatchAccuracy, retrievalAccuracy } from "./retrieval.ts";

test("in a batch, by hand", async () => {
  const metric = inBatchAccuracy("positive");
  const measure = jit((scores: never) => metric.update(scores, scores));
  // Own columns: 0.9 is highest, 0.1 is not, 0.5 is as high as the best other one.
  const scores = tensor([
    [0.9, 0.2, 0.3, 0],
    [0.2, 0.1, 0.3, 0],
    [0.5, 0.2, 0.5, 0.4],
  ]);
  expect((await measure(scores as never)).toNumbers()).toEqual([2, 3]);
  expect(metric.result(Float64Array.of(2, 3))).toBeCloseTo(2 / 3, 10);
  await expect(measure(tensor([[1], [2]]) as never)).rejects.toThrow("a column for each row, M ≥ N");
});

test("among all, by hand", () => {
  const queries = tensor([
    [1, 0],
    [0, 1],
  ]);
  const candidates = tensor([
    [0.6, 0.8],
    [0.8, 0.6],
    [0, 1],
  ]);
  expect(retrievalAccuracy(queries as never, candidates as never, (i, j) => j === i + 1)).toBe(1);
  expect(retrievalAccuracy(queries as never, candidates as never, (i, j) => i === j)).toBe(0);
  expect(() => retrievalAccuracy(queries as never, tensor([[1, 2, 3]]) as never, () => true)).toThrow("one width");
});
