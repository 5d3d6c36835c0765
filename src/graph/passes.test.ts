/** Passes leave every result as it was, on random graphs; and each does what it is for, on small ones. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { foldIn, keyOf, Random } from "../core/random.ts";
import { size } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { pipeline } from "../jit/compile.ts";
import { encodeModel } from "../onnx/model.ts";
import { Constant } from "../ops/constant.ts";
import * as ops from "../ops/index.ts";
import { backend } from "../runtime/node.ts";
import { constantOf, graphOf, input, nodesOf, type Value } from "./ir.ts";
import { foldConstants, lower, type Pass, shareCommon, simplify } from "./passes.ts";
import { printGraph } from "./print.ts";
import { verify } from "./verify.ts";

const passes: Readonly<Record<string, Pass>> = {
  simplify: (outputs) => simplify(outputs),
  foldConstants: foldConstants(Constant),
  shareCommon,
  lower,
  pipeline: (outputs) => pipeline.reduce((current, pass) => pass(current), outputs),
};

/** Builds a value from two earlier ones and a number; most results stay within a few units. */
const steps: Readonly<Record<string, (a: Value, b: Value, n: number) => Value>> = {
  neg: (a) => ops.neg(a),
  tanh: (a) => ops.tanh(a),
  relu: (a) => ops.relu(a),
  abs: (a) => ops.abs(a),
  gelu: (a) => ops.gelu(ops.tanh(a)),
  addNumber: (a, _, n) => ops.add(a, n % 2),
  mulNumber: (a, _, n) => ops.mul(n % 2, a),
  subZero: (a) => ops.sub(a, 0),
  divOne: (a) => ops.div(a, 1),
  addConstants: (a, _, n) => ops.add(a, ops.exp(ops.neg(ops.mul(ops.full(a.shape.slice(1), n), 0.5)))),
  add: (a, b) => (fits(a, b) ? ops.add(a, b) : a),
  mul: (a, b) => (fits(a, b) ? ops.tanh(ops.mul(a, b)) : b),
  sameAgain: (a) => ops.sub(ops.sin(a), ops.sin(ops.identity(a))),
  transpose: (a) => ops.transpose(a),
  flatten: (a) => ops.reshape(a, [1, size(a.shape)]),
  column: (a) => ops.reshape(a, [size(a.shape), 1]),
  reduceRows: (a) => ops.reduceMean(a, 1, { keepDims: true }),
  reduceColumns: (a) => ops.reduceMax(a, 0, { keepDims: true }),
  gram: (a) => ops.tanh(ops.matmul(a, a, { transB: true })),
  product: (a, b) => (a.shape[1] === b.shape[0] ? ops.tanh(ops.matmul(a, b)) : a),
  pool: (a) => {
    const image = ops.reshape(a, [1, 1, ...a.shape]);
    return ops.reshape(ops.maxPool(ops.relu(image), [1, 1]), a.shape);
  },
  smooth: (a) => {
    const signal = ops.reshape(a, [1, 1, size(a.shape)]);
    const kernel = ops.constant(tensor([[[0.25, 0.5, 0.25]]]));
    return ops.reshape(ops.convTranspose(signal, kernel, { padding: [[1, 1]] }), a.shape);
  },
};
const fits = (a: Value, b: Value) =>
  a.shape.every((extent, axis) => extent === b.shape[axis] || extent === 1 || b.shape[axis] === 1);

const program = fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(99), fc.nat(99), fc.nat(3)), {
  minLength: 1,
  maxLength: 14,
});

test.each(Object.entries(passes))("%s preserves the outputs of random graphs", async (_, pass) => {
  const shapes = [
    [2, 3],
    [3, 1],
    [1, 3],
  ];
  const random = new Random(foldIn(keyOf(7), "passes"));
  const feeds = shapes.map(
    (shape) =>
      new Tensor(
        "float32",
        shape,
        Float32Array.from({ length: size(shape) }, () => random.uniform(-1, 1)),
      ),
  );
  await fc.assert(
    fc.asyncProperty(program, async (lines) => {
      const inputs = shapes.map((shape) => input("float32", shape));
      const values = [...inputs];
      for (const [name, a, b, n] of lines) {
        const pick = (at: number) => values[values.length - 1 - (at % Math.min(values.length, 5))] as Value;
        const value = steps[name]?.(pick(a), pick(b), n) as Value;
        if (size(value.shape) <= 64) values.push(value);
      }
      const outputs = values.slice(-2);
      const changed = pass(outputs);
      verify(graphOf(inputs, changed));
      const session = await backend.compile(encodeModel(graphOf(inputs, [...outputs, ...changed])), { threads: 1 });
      const results = await session.run(feeds);
      for (const i of [0, 1]) {
        const [before, after] = [results[i], results[i + 2]];
        expect(after?.shape).toEqual(before?.shape);
        // Reassociated sums round differently: a few units of float32, some 1e-7 of the value, in each of 14 steps.
        const numbers = Array.from((before?.data ?? []) as ArrayLike<number>, Number);
        for (const [k, element] of numbers.entries())
          expect(Math.abs(Number(after?.data[k]) - element)).toBeLessThan(1e-5 * Math.max(1, Math.abs(element)));
      }
    }),
    { numRuns: 60, seed: 2024 },
  );
});

const x = input("float32", [2, 3], "x");
const typesOf = (outputs: readonly Value[]) => nodesOf(outputs).map((node) => node.op.type);
const image = input("float32", [1, 1, 4, 4], "image");
const cube = input("float32", [2, 3, 4]);

test.each<[string, Value, readonly string[]]>([
  ["x · 1", ops.mul(x, 1), []],
  ["1 · x", ops.mul(1, x), []],
  ["x + 0", ops.add(x, 0), []],
  ["x - 0", ops.sub(x, 0), []],
  ["x / 1", ops.div(x, 1), []],
  ["--x", ops.neg(ops.neg(x)), []],
  ["reshape to its own shape", ops.reshape(ops.reshape(x, [6]), [2, 3]), []],
  ["reshape of a reshape", ops.reshape(ops.reshape(x, [6]), [3, 2]), ["Constant", "Reshape"]],
  ["transpose of its inverse", ops.transpose(ops.transpose(x)), []],
  ["transpose of a transpose", ops.transpose(ops.transpose(cube, [1, 2, 0]), [0, 2, 1]), ["Transpose"]],
  ["transpose that moves an extent of 1", ops.transpose(ops.reshape(cube, [1, 24]), [1, 0]), ["Constant", "Reshape"]],
  [
    "sum with an expansion",
    ops.add(cube, ops.expand(ops.reshape(x, [2, 3, 1]), [2, 3, 4])),
    ["Constant", "Reshape", "Add"],
  ],
  ["maximum of rectified elements", ops.maxPool(ops.relu(image), [2, 2]), ["MaxPool", "Relu"]],
  ["0 - x stays", ops.sub(0, x), ["Constant", "Sub"]],
  ["x · 1 that repeats x stays", ops.mul(x, ops.ones([2, 2, 3])), ["Constant", "Mul"]],
])("simplify: %s", (_, value, types) => {
  const [simple] = simplify([value]);
  expect(typesOf([simple as Value])).toEqual(types);
  expect(simple?.shape).toEqual(value.shape);
});

test("simplify leaves the elements of float16 constants alone, which are raw bits", () => {
  const half = input("float16", [1]);
  const bitsOfOne = ops.constant(new Tensor("float16", [1], Uint16Array.of(1)));
  expect(typesOf(simplify([ops.mul(half, bitsOfOne)]))).toEqual(["Constant", "Mul"]);
});

test("simplify keeps the values it is asked to keep, and does not look behind them", () => {
  const kept = ops.relu(image);
  const pooled = ops.maxPool(kept, [2, 2]);
  const [result] = simplify([pooled], [kept]);
  expect(result?.producer?.op.type).toBe("MaxPool");
  expect(result?.producer?.inputs[0]).toBe(kept);
});

test("foldConstants computes elementwise operators of constants, with broadcasting", () => {
  const column = ops.constant(tensor([[1], [2]]));
  const row = ops.constant(tensor([10, 20]));
  const [folded] = foldConstants(Constant)([ops.neg(ops.mul(column, row))]);
  expect(constantOf(folded)?.toArray()).toEqual([
    [-10, -20],
    [-20, -40],
  ]);
});

test("foldConstants divides integers as ONNX does, and leaves what would not be exact, and large constants", () => {
  const int64 = (value: bigint) => ops.constant(tensor(value));
  const fold = (value: Value) => foldConstants(Constant)([value]);
  expect(constantOf(fold(ops.div(int64(-7n), int64(2n)))[0])?.item()).toBe(-3);
  expect(typesOf(fold(ops.div(int64(7n), int64(0n))))).toContain("Div");
  expect(typesOf(fold(ops.mul(int64(2n ** 40n), int64(2n ** 40n))))).toContain("Mul");
  expect(typesOf(fold(ops.equal(int64(2n ** 53n + 1n), int64(2n ** 53n))))).toContain("Equal");
  expect(typesOf(fold(ops.mul(ops.scalar(2 ** 31, "uint32"), ops.scalar(2, "uint32"))))).toContain("Mul");
  expect(typesOf(foldConstants(Constant)([ops.neg(ops.ones([2000]))]))).toContain("Neg");
});

test("shareCommon gives equal nodes one identity, also across equal constants, and keeps different attributes apart", () => {
  const sums = [ops.add(ops.exp(x), 2), ops.add(ops.exp(x), 2)];
  const [a, b] = shareCommon(sums);
  expect(a).toBe(b);
  const [c, d] = shareCommon([ops.softmax(x, 0), ops.softmax(x, 1)]);
  expect(c).not.toBe(d);
  const [e, f] = shareCommon([ops.add(x, 2), ops.add(x, 3)]);
  expect(e).not.toBe(f);
});

test("lower replaces an operator by faster ones, and keeps its layer", () => {
  const w = input("float32", [2, 1, 3, 3]);
  const y = ops.conv(image, w);
  const [gradient] = lower([ops.convTranspose(y, w)]);
  expect(typesOf([gradient as Value])).not.toContain("ConvTranspose");
  const node = ops.convTranspose(y, w).producer;
  if (node) node.scope = { path: "decoder.0" };
  const [scoped] = lower([node?.outputs[0] as Value]);
  expect(scoped?.producer?.scope?.path).toBe("decoder.0");
});

test("printGraph", () => {
  const b = input("float32", [3], "b");
  const y = ops.softmax(ops.add(ops.mul(x, 2), b), -1);
  expect(printGraph(graphOf([x, b], [y]))).toMatchInlineSnapshot(`
    "(%0: float32[2, 3], %1: float32[3]) -> %5
      %2 = Constant(value=float32[] 2)
      %3 = Mul(%0, %2) : float32[2, 3]
      %4 = Add(%3, %1) : float32[2, 3]
      %5 = Softmax(%4, axis=-1) : float32[2, 3]"
  `);
});
