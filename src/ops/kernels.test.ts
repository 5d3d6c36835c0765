/** Every operator in every dtype that it takes: it runs, or says that ONNX Runtime does not compute it. */
import { describe, expect, test } from "vitest";
import { type DType, dtypes, isFloat } from "../core/dtype.ts";
import { InternalError, SardonyxError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { compile } from "../jit/compile.ts";
import { caseFamilies } from "./all.cases.ts";
import { inputTensors, type OpCase } from "./define.cases.ts";
import * as ops from "./index.ts";

const integerTypes = dtypes.filter((dtype) => !isFloat(dtype) && dtype !== "bool");

/** Outputs of a graph of integers, as numbers. */
async function run(dtype: DType, rows: readonly (readonly number[])[], build: (...values: Value[]) => Value) {
  const tensors = rows.map((row) => tensor(row, { dtype }));
  const inputs = tensors.map(({ shape }, i) => input(dtype, shape, `x${i}`));
  const [result] = await (await compile(inputs, [build(...inputs)], { threads: 1 })).run(tensors);
  expect(result?.dtype === dtype || result?.dtype === "int64").toBe(true);
  return result?.toNumbers();
}

const [a, b] = [
  [3, 1, 4, 1, 5, 2],
  [2, 7, 1, 1, 8, 2],
];
const image = (x: Value) => ops.reshape(x, [1, 1, 2, 3]);
const flat = (x: Value) => ops.reshape(x, [-1]);
/** An expression, the dtypes that it does not go through, and its value. */
const rows: readonly (readonly [string, (x: Value, y: Value) => Value, readonly number[], (readonly DType[])?])[] = [
  ["maximum", (x, y) => ops.maximum(x, y), [3, 7, 4, 1, 8, 2]],
  ["minimum", (x, y) => ops.minimum(x, y), [2, 1, 1, 1, 5, 2]],
  ["where", (x, y) => ops.where(ops.greater(x, y), x, y), [3, 7, 4, 1, 8, 2]],
  ["clip", (x) => ops.clip(x, 2, 4), [3, 2, 4, 2, 4, 2]],
  ["power", (x, y) => ops.pow(x, ops.minimum(y, 2)), [9, 1, 4, 1, 25, 4], ["uint64"]],
  ["pad", (x) => ops.pad(x, [[1, 2]], 9), [9, 3, 1, 4, 1, 5, 2, 9, 9]],
  ["sum", (x) => ops.reduceSum(x, 0, { keepDims: true }), [16], ["uint64"]],
  ["maximum of all", (x) => ops.reduceMax(x, 0, { keepDims: true }), [5], ["uint64"]],
  ["position of the maximum", (x) => ops.argMax(ops.reshape(x, [2, 3])), [2, 1], ["uint64"]],
  ["largest", (x) => ops.topK(x, 2).values, [5, 4], ["uint64"]],
  ["running sum", (x) => ops.cumulativeSum(x), [3, 4, 8, 9, 14, 16], ["uint64"]],
  ["product", (x, y) => flat(ops.matmul(ops.reshape(x, [2, 3]), ops.reshape(y, [3, 2]))), [39, 30, 23, 16]],
  ["dense", (x, y) => flat(ops.linear(ops.reshape(x, [2, 3]), ops.reshape(y, [2, 3]))), [17, 19, 39, 45]],
  ["triangle", (x) => flat(ops.lowerTriangle(ops.reshape(x, [2, 3]))), [3, 0, 0, 1, 5, 0]],
  ["pool", (x) => flat(ops.maxPool(image(x), [2, 2], { strides: [1, 1] })), [5, 5], ["int64", "uint64"]],
  ["resize", (x) => flat(ops.resize(image(x), [2, 6])), [3, 3, 1, 1, 4, 4, 1, 1, 5, 5, 2, 2]],
  [
    "blocks to channels",
    (x) =>
      flat(apply(ops.SpaceToDepth, [ops.reshape(ops.slice(x, { axis: 0, end: 4 }), [1, 1, 2, 2])], { blocksize: 2 })),
    [3, 1, 4, 1],
  ],
];

describe("integers without a kernel go through a dtype that holds them", () => {
  for (const [name, build, expected, without = []] of rows)
    test.each(integerTypes.filter((dtype) => !without.includes(dtype)))(`${name} of %s`, async (dtype) => {
      expect(await run(dtype, [a, b], (x = input(dtype, []), y = x) => build(x, y))).toEqual(expected);
    });

  test.each(dtypes)("one-hot of values of %s", async (dtype) => {
    for (const index of ["int32", "int64", "uint8"] as const) {
      const at = tensor([2, 0, 1], { dtype: index });
      const indices = input(index, at.shape, "indices");
      const [hot] = await (await compile([indices], [ops.oneHot(indices, 3, dtype)])).run([at]);
      expect([hot?.dtype, hot?.toNumbers()]).toEqual([dtype, [0, 0, 1, 1, 0, 0, 0, 1, 0]]);
    }
  });
});

test("sums of scattered halves are taken in float32", async () => {
  const [x, at] = [input("float16", [3], "x"), input("int64", [3], "at")];
  const { run: scatter } = await compile([x, at], [ops.scatterElements([2], at, x)]);
  const [y] = await scatter([tensor([1, 2.5, 4], { dtype: "float16" }), tensor([1, 1, 0], { dtype: "int64" })]);
  expect(y?.toNumbers()).toEqual([4, 3.5]);
});

test("x times its sigmoid runs in float64", async () => {
  const x = input("float64", [2], "x");
  const [y] = await (await compile([x], [ops.mul(x, ops.sigmoid(x))])).run([tensor([0, 2], { dtype: "float64" })]);
  expect(y?.data[0]).toBe(0);
  expect(y?.data[1]).toBeCloseTo(2 / (1 + Math.exp(-2)), 15);
});

/** The case with its first input, and what has that one's dtype, in another; `undefined` where the graph is refused. */
function retyped(opCase: OpCase, dtype: DType) {
  const first = Object.values(opCase.inputs)[0]?.dtype;
  const inputs = Object.entries(opCase.inputs).map(
    ([name, spec]) => [name, input(spec.dtype === first ? dtype : spec.dtype, spec.shape, name)] as const,
  );
  try {
    return { inputs, outputs: opCase.build(Object.fromEntries(inputs)) };
  } catch (error) {
    if (error instanceof SardonyxError && !(error instanceof InternalError)) return undefined;
    throw error;
  }
}

/** What engines say of uint64 in functions that they compose, and of operators of quantized numbers with mixed signs. */
const foreign = /implementation for ReduceSum|_inlfunc_ReduceLogSum|bound to different types/;

describe("a dtype that is not computed is named with its operator", () => {
  for (const [family, cases] of Object.entries(caseFamilies))
    test.each(dtypes)(`${family} of %s`, async (dtype) => {
      for (const opCase of cases) {
        const graph = retyped(opCase, dtype);
        if (!graph) continue;
        const tensors = inputTensors(opCase);
        const feeds = graph.inputs.map(([name, { dtype: own, shape }]) => {
          const elements = (tensors[name]?.toNumbers() ?? []).map((x) =>
            isFloat(own) ? x : own === "bool" ? 1 : (Math.abs(Math.round(x)) % 100) + 1,
          );
          return own === tensors[name]?.dtype ? tensors[name] : tensor(elements, { dtype: own, shape });
        });
        try {
          const executable = await compile(
            graph.inputs.map(([, value]) => value),
            graph.outputs,
            { threads: 1 },
          );
          await executable.run(feeds);
        } catch (error) {
          expect(error).toBeInstanceOf(SardonyxError);
          if (!foreign.test(String(error)))
            expect(error, `${opCase.op.type}, ${opCase.name}`).not.toBeInstanceOf(InternalError);
        }
      }
    });
});
