/** Sums and means over the rows of large matrices, which are taken in stages, are those of all rows. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, input } from "../graph/ir.ts";
import { lower } from "../graph/passes.ts";
import { jit } from "../jit/jit.ts";
import { reduceMean, reduceSum } from "./reduce.ts";

const rows = 30 * 20;
const numbers = new Random(keyOf(1)).normals(rows * 5);
const columns = Array.from({ length: 5 }, (_, j) =>
  Array.from({ length: rows }, (_, i) => numbers[i * 5 + j] as number).reduce((sum, x) => sum + x, 0),
);

test.each([
  [[rows, 5], [0], false],
  [[30, 20, 5], [0, 1], true],
] as const)("%j over axes %j, kept: %s", async (shape, axes, keepDims) => {
  const x = input("float32", shape);
  const stages = lower([reduceSum(x, axes, { keepDims })]);
  expect(graphOf([x], stages).nodes.filter(({ op }) => op.type === "ReduceSum")).toHaveLength(2);
  const both = jit((given: typeof x) => [reduceSum(given, axes, { keepDims }), reduceMean(given, axes, { keepDims })]);
  const [sum, mean] = (await both(new Tensor("float32", shape, numbers))) as Tensor[];
  expect(sum?.shape).toEqual(keepDims ? [1, 1, 5] : [5]);
  for (const [j, column] of columns.entries()) {
    expect(Number(sum?.data[j])).toBeCloseTo(column, 3);
    expect(Number(mean?.data[j])).toBeCloseTo(column / rows, 6);
  }
});

test("a mean of whole numbers is rounded once", () => {
  const x = input("int32", [rows, 5]);
  const stages = lower([reduceMean(x, [0])]);
  expect(graphOf([x], stages).nodes.filter(({ op }) => op.type === "ReduceMean")).toHaveLength(1);
});

test("sums along rows, and of few rows, are one operator", () => {
  for (const [shape, axis] of [
    [[rows, 5], 1],
    [[100, 5], 0],
    [[257, 5], 0],
  ] as const) {
    const x = input("float32", shape);
    expect(graphOf([x], lower([reduceSum(x, [axis])])).nodes.filter(({ op }) => op.type === "ReduceSum")).toHaveLength(
      1,
    );
  }
});
