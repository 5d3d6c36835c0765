/** The contrastive loss by hand, its gradient by differences, and what is refused. */
import { expect, test } from "vitest";
import { valueAndGrad } from "../../autodiff/transform.ts";
import { ShapeError } from "../../core/errors.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { mul } from "../../ops/index.ts";
import { type ContrastiveOptions, contrastive, cosineSimilarities, unitLength } from "./contrastive.ts";

const left = [
  [3, 4],
  [0, -2],
  [1, 1],
];
const right = [
  [1, 0],
  [0, 5],
  [-2, 2],
];

/** -log softmax of a row at the columns, their shares being equal. */
const termOf = (row: readonly number[], columns: readonly number[]): number => {
  const total = Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0));
  return columns.reduce((sum, column) => sum + total - (row[column] ?? 0), 0) / columns.length;
};
const meanOf = (terms: readonly number[]): number => terms.reduce((sum, term) => sum + term, 0) / terms.length;
const turned = (rows: readonly (readonly number[])[]) =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? 0));
const cosines = left.map(([a = 0, b = 0]) =>
  right.map(([c = 0, d = 0]) => (a * c + b * d) / (Math.hypot(a, b) * Math.hypot(c, d))),
);
const scores = cosines.map((row) => row.map((cosine) => 5 * cosine));

const lossOf = async (options?: (groups: Value) => ContrastiveOptions): Promise<number> => {
  const compute = jit((a: Value, b: Value, groups: Value) =>
    contrastive(mul(cosineSimilarities(a, b), 5), options?.(groups)),
  );
  return (await compute(tensor(left), tensor(right), tensor([7, 8, 7], { dtype: "int32" }))).item();
};

test("cosines of all pairs", async () => {
  const found = await jit(cosineSimilarities)(tensor(left), tensor(right));
  expect(found.shape).toEqual([3, 3]);
  for (const [i, value] of found.toNumbers().entries()) expect(value).toBeCloseTo(cosines.flat()[i] ?? Number.NaN, 6);
});

test("each row, and each column, finds its partner", async () => {
  const rows = meanOf(scores.map((row, i) => termOf(row, [i])));
  const columns = meanOf(turned(scores).map((row, i) => termOf(row, [i])));
  expect(await lossOf(() => ({ symmetric: false }))).toBeCloseTo(rows, 5);
  expect(await lossOf()).toBeCloseTo((rows + columns) / 2, 5);
});

test("pairs of one group belong together", async () => {
  const groups = [[0, 2], [1], [0, 2]];
  const rows = meanOf(scores.map((row, i) => termOf(row, groups[i] ?? [])));
  const columns = meanOf(turned(scores).map((row, i) => termOf(row, groups[i] ?? [])));
  expect(await lossOf((own) => ({ groups: own }))).toBeCloseTo((rows + columns) / 2, 5);
});

test("a vector of zeros has a finite gradient", async () => {
  const step = jit((x: Value) => valueAndGrad((y: Value) => contrastive(cosineSimilarities(y, y)))(x));
  const [loss, slope] = await step(
    tensor([
      [0, 0],
      [1, 2],
    ]),
  );
  expect(Number.isFinite(loss.item())).toBe(true);
  expect((slope as Tensor).toNumbers().every(Number.isFinite)).toBe(true);
  expect(
    (
      await jit(unitLength)(
        tensor([
          [0, 0],
          [3, 4],
        ]),
      )
    ).toNumbers(),
  ).toEqual([0, 0, expect.closeTo(0.6), expect.closeTo(0.8)]);
});

test("what does not fit is refused", () => {
  const scored = (shape: readonly number[]) => input("float32", shape, "scores");
  expect(() => cosineSimilarities(scored([3, 4]), scored([3, 5]))).toThrow(ShapeError);
  expect(() => contrastive(scored([3, 2]))).toThrow(/expected \[N, M\] with a column for each row/);
  expect(() => contrastive(scored([2, 3]), { symmetric: true })).toThrow(/pass symmetric: false/);
  expect(() => contrastive(scored([2, 2]), { groups: input("int32", [3], "groups") })).toThrow(
    /one integer a row, \[2\]/,
  );
});
