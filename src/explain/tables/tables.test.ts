/** Columns of tables: importance by shuffling and partial dependence, by hand and as scikit-learn has them; what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { dense, lambda, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { accuracy, reading, rootMeanSquaredError } from "../../train/index.ts";
import { messageOf, recorded } from "../testing/recorded.ts";
import { partialDependence } from "./partial-dependence.ts";
import { permutationImportance } from "./permutation-importance.ts";

const column = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });
/** tanh(2 x1) x2 + x3², [rows, 1], as it was recorded of scikit-learn. */
const wave = lambda((x: Value) =>
  ops.add(ops.mul(ops.tanh(ops.mul(2, column(x, 0))), column(x, 1)), ops.square(column(x, 2))),
);
const rows = signed("rows", [40, 3]);
const tables = recorded["tables"] as Readonly<Record<"importance" | "deviation" | "grid" | "mean", number[]>> & {
  readonly individual: number[][];
};

describe("permutationImportance", () => {
  const y = tensor(
    Array.from({ length: 40 }, (_, row) => {
      const [a = 0, b = 0, c = 0] = rows.data.subarray(3 * row, 3 * row + 3);
      return [Math.tanh(2 * a) * b + c ** 2];
    }),
  );

  test("is scikit-learn's, by as many shuffles of others", async () => {
    const { columns, score, metric } = await permutationImportance(
      wave,
      { x: rows, y },
      { metric: rootMeanSquaredError(), repeats: 100 },
    );
    expect(metric).toBe(rootMeanSquaredError().name);
    expect(score).toBeLessThan(1e-6);
    for (const { name, mean, deviation } of columns) {
      const [theirs, spread] = [tables.importance[Number(name)] ?? 0, tables.deviation[Number(name)] ?? 0];
      // Four standard errors of the difference of two means, of 400 and of 100 shuffles.
      expect(Math.abs(mean - theirs)).toBeLessThan(4 * spread * Math.sqrt(1 / 400 + 1 / 100));
      expect(deviation / spread).toBeGreaterThan(0.7);
      expect(deviation / spread).toBeLessThan(1.4);
    }
  });

  test("is twice the variance of a column's term on average, by hand, 0 of one that is not read", async () => {
    // A perfect model of y = 3 x1: shuffling x1 has the squared error 9 · 2 · variance on average; the variance of 0, 1, 2, 3 is 5/4.
    const model = lambda((x: Value) => ops.mul(3, column(x, 0)));
    const x = tensor([
      [0, 5],
      [1, 1],
      [2, 7],
      [3, 2],
    ]);
    const data = { x, y: tensor([[0], [3], [6], [9]]) };
    const { columns, notes } = await permutationImportance(model, data, {
      metric: rootMeanSquaredError(),
      repeats: 200,
    });
    expect(columns.map(({ name }) => name)).toEqual(["0", "1"]);
    const squared = (columns[0]?.each ?? []).reduce((sum, root) => sum + root ** 2 / 200, 0);
    expect(Math.abs(squared - 22.5)).toBeLessThan(3);
    expect(columns[1]).toEqual({ name: "1", mean: 0, deviation: 0, each: new Array(200).fill(0) });
    expect(notes).toEqual([]);
  });

  test("goes by what is better, takes groups by name and any chunk, and draws by the key", async () => {
    // The class is the sign of x1 + x2, which stand in for one another only together.
    const model = lambda((x: Value) =>
      ops.concat([ops.neg(ops.add(column(x, 0), column(x, 1))), ops.add(column(x, 0), column(x, 1))], 1),
    );
    const labels = Int32Array.from({ length: 40 }, (_, i) =>
      Number((rows.data[3 * i] ?? 0) + (rows.data[3 * i + 1] ?? 0) > 0),
    );
    const data = { x: rows, y: tensor([...labels], { dtype: "int32" }) };
    const columns = { both: [0, 1], first: [0], other: [2] };
    const ask = (key: number, chunk: number) =>
      permutationImportance(model, data, { metric: accuracy(), columns, repeats: 3, key: keyOf(key), chunk });
    const found = await ask(1, 256);
    expect(found.score).toBe(1);
    expect(found.columns.map(({ name }) => name)).toEqual(["both", "first", "other"]);
    expect(found.columns[0]?.mean).toBeGreaterThan(0.2);
    expect(found.columns[2]?.mean).toBe(0);
    expect(await ask(1, 7)).toEqual(found);
    expect((await ask(2, 256)).columns[0]?.each).not.toEqual(found.columns[0]?.each);
  });

  test("reads the output and the target that the metric names", async () => {
    const two = lambda((x: Value) => ({ first: column(x, 0), second: ops.mul(2, column(x, 1)) }) as never);
    const twice = tensor(Array.from({ length: 40 }, (_, row) => [2 * (rows.data[3 * row + 1] ?? 0)]));
    const metric = reading(rootMeanSquaredError(), { output: "second", target: "twice" });
    const { score, columns } = await permutationImportance(two, { x: rows, twice }, { metric });
    expect(score).toBeLessThan(1e-6);
    expect(columns[0]?.name).toBe("1");
    expect(columns.slice(1).map(({ mean }) => mean)).toEqual([0, 0]);
    const bad = (own: object) => messageOf(permutationImportance(two, { x: rows, twice }, own as never));
    expect(await bad({ metric: reading(rootMeanSquaredError(), { output: "third", target: "twice" }) })).toMatch(
      /reads the output "third", which the model does not give/,
    );
    expect(await bad({ metric: rootMeanSquaredError() })).toMatch(/the data are no \{ x, y \} of tensors/);
  });

  test("notes that no column matters, and refuses data, columns and metrics that are none", async () => {
    const constant = lambda((x: Value) => ops.mul(0, column(x, 0)));
    const metric = rootMeanSquaredError();
    expect((await permutationImportance(constant, { x: rows, y }, { metric })).notes[0]).toMatch(
      /^no column alone makes/,
    );
    const bad = (data: object, options: object) =>
      messageOf(permutationImportance(wave, data as never, { metric, ...options }));
    expect(await bad({ x: tensor([1, 2]), y }, {})).toMatch(
      /^ShapeError: permutationImportance: x is \[2\]; pass 2 rows or more/,
    );
    expect(await bad({ x: rows, y: tensor([1]) }, {})).toMatch(
      /x has 40 rows, y is \[1\]; pass as many labels as rows/,
    );
    expect(await bad({ x: rows }, {})).toMatch(/the data are no \{ x, y \} of tensors/);
    expect(await bad({ x: rows, y }, { columns: { size: [3] } })).toBe(
      'OptionError: permutationImportance: columns "size" are [3]; pass a list of numbers from 0 to 2',
    );
    expect(await bad({ x: rows, y }, { metric: "accuracy" })).toMatch(/metric is "accuracy"; pass a metric/);
  });
});

describe("partialDependence", () => {
  test.each(["module", "file"])("is scikit-learn's, of the mean and of each row, from a %s", async (form) => {
    const named = sequential([wave]);
    named.trace({ dtype: "float32", shape: [40, 3] });
    const model =
      form === "file"
        ? modelFromOnnx(encodeOnnx(named, { inputs: { dtype: "float32", shape: [40, 3] } }).bytes)
        : named;
    const { mean, individual, grid, notes } = await partialDependence(model, rows, {
      column: 0,
      grid: tables.grid,
      chunk: 16,
    });
    expect(grid).toEqual(tables.grid);
    for (const [at, own] of mean.entries()) expect(own).toBeCloseTo(tables.mean[at] ?? 0, 5);
    for (const [row, curve] of tables.individual.entries())
      for (const [at, own] of curve.entries()) expect(individual[row]?.[at]).toBeCloseTo(own, 5);
    // x2 has both signs: rows go up and down with x1.
    expect(notes[0]).toMatch(/^the mean hides that rows differ/);
  });

  test("is a line of a linear model, over the values of the column or its percentiles", async () => {
    const model = dense(2);
    model.trace({ dtype: "float32", shape: [1, 2] });
    for (const [name, parameter] of model.own)
      parameter.value =
        name === "bias"
          ? tensor([0, 1])
          : tensor([
              [1, 0],
              [2, -3],
            ]);
    const x = tensor([
      [0, 1],
      [1, 1],
      [0, 4],
    ]);
    // Class 1: 2 x1 - 3 x2 + 1 with the mean of x2, 2
    const few = await partialDependence(model, x, { column: 0, target: 1 });
    expect(few).toMatchObject({ column: 0, grid: [0, 1], mean: [-5, -3], notes: [] });
    expect(few.individual).toEqual([
      [-2, 0],
      [-2, 0],
      [-11, -9],
    ]);
    const many = tensor(Array.from({ length: 101 }, (_, i) => [i, 0]));
    expect((await partialDependence(model, many, { column: 0, target: 0, points: 4 })).grid).toEqual([5, 35, 65, 95]);
    const target = (scores: Value) => ops.reduceSum(scores, [1]);
    expect((await partialDependence(model, x, { column: 0, target })).mean).toEqual([-5, -2]);
  });

  test.each(["int32", "int64", "uint8"] as const)("takes columns of %s, at whole numbers", async (dtype) => {
    const model = lambda((x: Value) => ops.cast(column(x, 0), "float32"));
    const x = tensor(
      Array.from({ length: 60 }, (_, i) => [i, 1]),
      { dtype },
    );
    const { grid, mean } = await partialDependence(model, x, { column: 0, points: 4 });
    expect(grid).toEqual([3, 21, 38, 56]);
    expect(mean).toEqual(grid);
    const data = { x, y: tensor(Array.from({ length: 60 }, (_, i) => [i])) };
    const { columns } = await permutationImportance(model, data, { metric: rootMeanSquaredError() });
    expect(columns.map(({ name }) => name)).toEqual(["0", "1"]);
  });

  test("refuses rows, columns and classes that there are not", async () => {
    const two = lambda((x: Value) => x);
    const bad = (x: Tensor, options: object) => messageOf(partialDependence(two, x, { column: 0, ...options }));
    expect(await bad(tensor([1, 2]), {})).toMatch(/^ShapeError: partialDependence: x is \[2\]; pass rows/);
    expect(await bad(rows, { column: 3 })).toBe(
      "OptionError: partialDependence: there is no column 3 in rows of 3; pass 0 to 2",
    );
    expect(await bad(rows, {})).toBe(
      "OptionError: partialDependence: the model gives 3 scores; name one: { target: 0 }",
    );
    expect(await bad(rows, { target: 5 })).toMatch(/^OptionError: target: there is no class 5 in scores of 3/);
    expect(await bad(rows, { grid: ["a"] })).toMatch(/grid\[0\] is "a"; pass a number/);
    expect(await bad(tensor([[Number.NaN, 1, 1]]), { target: 0 })).toMatch(
      /column 0 has no number to start from; pass a grid/,
    );
  });
});
