/** Mixed precision: what is computed in float16 and what is not, on the processor and on cards that have it, and what is said of those that do not. */
import { describe, expect, test } from "vitest";
import { hasHalfGpu } from "../../test/half-gpu.ts";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { gradients } from "../autodiff/gradients.ts";
import { OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import { size } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { graphOf, input, nodesOf, type Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { printGraph } from "../graph/print.ts";
import { caseFamilies, keyOfCase } from "../ops/all.cases.ts";
import { inputValues } from "../ops/define.cases.ts";
import * as ops from "../ops/index.ts";
import { allOps } from "../ops/registry.ts";
import { distance, farthest, numbersOf, type Run, recordingsOf } from "../ops/testing/recordings.ts";
import { LabelLogSoftmax } from "../ops/training/label-scores.ts";
import type { Device, HalfSums } from "../runtime/session.ts";
import { compile, optimize, pipelineFor } from "./compile.ts";
import { jit } from "./jit.ts";

/** A layer of 3 inputs and 2 outputs, its gradient, and what a device that computes so makes of them. */
function layer(halfSums: HalfSums): string {
  const [x, w, b] = [input("float32", [4, 3], "x"), input("float32", [2, 3], "w"), input("float32", [2], "b")];
  const loss = ops.reduceMean(ops.square(ops.linear(x, w, b)));
  const outputs = [loss, ...gradients([loss], [ops.ones([], "float32")], [w])];
  const device = halfSums === "rounded" ? "cpu" : "cuda";
  return printGraph(optimize(graphOf([x, w, b], outputs), pipelineFor({ device, blocks: false, halfSums }, "float16")));
}

test("products take float16 and give it, gradients alike; all else is float32, and each operand is cast once", () => {
  expect(layer("float32")).toMatchInlineSnapshot(`
    "(%0: float32[4, 3], %1: float32[2, 3], %2: float32[2]) -> %10, %16
      %3 = Cast(%0, to=10) : float16[4, 3]
      %4 = Cast(%1, to=10) : float16[2, 3]
      %5 = Cast(%2, to=10) : float16[2]
      %6 = Gemm(%3, %4, %5, transB=1) : float16[4, 2]
      %7 = Cast(%6, to=1) : float32[4, 2]
      %8 = Mul(%7, %7) : float32[4, 2]
      %9 = Constant(value=int64[2] 0 1)
      %10 = ReduceMean(%8, %9, keepdims=0) : float32[]
      %11 = Constant(value=float32[1, 1] 0.125)
      %12 = Mul(%11, %7) : float32[4, 2]
      %13 = Add(%12, %12) : float32[4, 2]
      %14 = Cast(%13, to=10) : float16[4, 2]
      %15 = FusedMatMul(%14, %3, transA=1, transB=0) : float16[2, 3]
      %16 = Cast(%15, to=1) : float32[2, 3]"
  `);
});

test("where the engine has no products of float16, float32 numbers are rounded before and after", () => {
  expect(layer("rounded")).toMatchInlineSnapshot(`
    "(%0: float32[4, 3], %1: float32[2, 3], %2: float32[2]) -> %14, %22
      %3 = Cast(%0, to=10) : float16[4, 3]
      %4 = Cast(%3, to=1) : float32[4, 3]
      %5 = Cast(%1, to=10) : float16[2, 3]
      %6 = Cast(%5, to=1) : float32[2, 3]
      %7 = Cast(%2, to=10) : float16[2]
      %8 = Cast(%7, to=1) : float32[2]
      %9 = Gemm(%4, %6, %8, transB=1) : float32[4, 2]
      %10 = Cast(%9, to=10) : float16[4, 2]
      %11 = Cast(%10, to=1) : float32[4, 2]
      %12 = Mul(%11, %11) : float32[4, 2]
      %13 = Constant(value=int64[2] 0 1)
      %14 = ReduceMean(%12, %13, keepdims=0) : float32[]
      %15 = Constant(value=float32[1, 1] 0.125)
      %16 = Mul(%15, %11) : float32[4, 2]
      %17 = Add(%16, %16) : float32[4, 2]
      %18 = Cast(%17, to=10) : float16[4, 2]
      %19 = Cast(%18, to=1) : float32[4, 2]
      %20 = FusedMatMul(%19, %4, transA=1, transB=0) : float32[2, 3]
      %21 = Cast(%20, to=10) : float16[2, 3]
      %22 = Cast(%21, to=1) : float32[2, 3]"
  `);
});

test("between products elements move as float16, and what came as float16 is not rounded again", () => {
  const [x, w, v] = [input("float32", [2, 3, 4]), input("float32", [4, 5]), input("float32", [3, 6])];
  const y = ops.matmul(ops.transpose(ops.matmul(x, w), [0, 2, 1]), v);
  const { nodes } = optimize(
    graphOf([x, w, v], [y]),
    pipelineFor({ device: "cuda", blocks: false, halfSums: "float32" }, "float16"),
  );
  expect(nodes.map(({ op, outputs: [{ dtype }] }) => `${op.type} ${dtype}`)).toEqual([
    ...["Cast float16", "Cast float16", "MatMul float16", "Transpose float16", "Cast float16", "MatMul float16"],
    "Cast float32",
  ]);
});

test("whole numbers and float64 stay as they are", () => {
  for (const dtype of ["int32", "float64"] as const) {
    const [a, b] = [input(dtype, [2, 3]), input(dtype, [3, 2])];
    const { nodes } = optimize(
      graphOf([a, b], [ops.matmul(a, b)]),
      pipelineFor({ device: "cuda", blocks: false, halfSums: "float32" }, "float16"),
    );
    expect(nodes.some(({ outputs: [y] }) => y.dtype === "float16")).toBe(false);
  }
});

test("a device that adds up in float16 takes long sums in float32", () => {
  const isHalf = (inner: number) => {
    const [a, b] = [input("float32", [2, inner]), input("float32", [inner, 2])];
    const { nodes } = optimize(
      graphOf([a, b], [ops.matmul(a, b)]),
      pipelineFor({ device: "webgpu", blocks: false, halfSums: "float16" }, "float16"),
    );
    return nodes.some(({ outputs: [y] }) => y.dtype === "float16");
  };
  expect([isHalf(4096), isHalf(4097)]).toEqual([true, false]);
});

test("every operator that multiplies says which operands may be float16, or is fused, quantized or holds graphs", () => {
  const without = allOps.filter(({ contracts }) => contracts).filter((op) => !halving.has(op.type));
  expect(without.map(({ type }) => type).sort()).toEqual([
    ...["ConvInteger", "GRU", "If", "LSTM", "MatMulInteger", "MatMulNBits", "QLinearConv", "QLinearMatMul", "RNN"],
  ]);
});

/** Products of float32 behind values. */
const halvable = (outputs: readonly Value[]) =>
  nodesOf(outputs).filter(
    (node) => node.op.contracts && node.op.halves(node).some((i) => node.inputs[i]?.dtype === "float32"),
  );
const allCases = Object.entries(caseFamilies).flatMap(([family, cases]) =>
  cases.flatMap((opCase) => {
    const halved = halvable(opCase.build(inputValues(opCase))).map(({ op }) => op.type);
    return halved.length > 0 ? [{ family, opCase, halved }] : [];
  }),
);
const halving = new Set(allCases.flatMap(({ halved }) => halved));

const onDevice =
  (device: Device): Run =>
  async (inputs, outputs, given) => {
    const { run, session } = await compile(inputs, outputs, { device, precision: "float16" });
    const results = await run(given);
    await session.release();
    return results;
  };

/** A rounding to float16 errs by 2^-11, 5e-4, of a number; the results of these cases are near 1, and up to four roundings lie behind one. */
const fourRoundings = 2e-3;
/** What float32 itself errs by in these cases, see `sweep.test.ts`. */
const float32Tolerance = 2e-5;

test("every case of an operator that is halved, with its gradients, within four roundings of what PyTorch computes in float32", async () => {
  let rounded = 0;
  for (const { family, opCase } of allCases) {
    const far = await farthest(opCase, recordingsOf(family)[keyOfCase(opCase)], onDevice("cpu"));
    expect(far, `${family} ${keyOfCase(opCase)}`).toBeLessThan(fourRoundings);
    if (far > float32Tolerance) rounded++;
  }
  // The others have numbers that float16 has.
  expect(rounded).toBeGreaterThan(0.9 * allCases.length);
});

test("float16 overflows, on the processor too, and rounds", async () => {
  const product = jit((a: Value, b: Value) => ops.matmul(a, b), { precision: "float16" });
  expect((await product(tensor([[300]]), tensor([[300]]))).item()).toBe(Number.POSITIVE_INFINITY);
  expect((await product(tensor([[1 + 2 ** -12]]), tensor([[1]]))).item()).toBe(1);
  expect(() => jit((a: Value) => a, { precision: "half" as "float16" })).toThrow('"float32" or "float16"');
});

test("scores in pieces keep their logarithms and sums in float32", async () => {
  const random = new Random(keyOf(5));
  const draw = (...shape: readonly number[]) =>
    new Tensor(
      "float32",
      shape,
      Float32Array.from({ length: size(shape) }, () => random.normal()),
    );
  const given = [draw(6, 8), draw(50, 8), new Tensor("int32", [6, 1], Int32Array.of(3, 0, 49, 7, 7, 20))];
  const inputs = given.map(({ dtype, shape }) => input(dtype, shape));
  const outputs = [apply(LabelLogSoftmax, inputs, { pieces: 3 })];
  const { outputs: halved } = optimize(
    graphOf(inputs, outputs),
    pipelineFor({ device: "cuda", blocks: false, halfSums: "float32" }, "float16"),
  );
  expect(halved[0]?.dtype).toBe("float32");
  const half = (await onDevice("cpu")(inputs, outputs, given)).map(numbersOf);
  const { run, session } = await compile(inputs, outputs);
  const whole = (await run(given)).map(numbersOf);
  await session.release();
  expect(distance(half[0] ?? [], whole[0] ?? [])).toBeLessThan(fourRoundings);
});

test.skipIf(!hasSoftwareGpu || hasHalfGpu)("a card without float16 is told before anything is compiled", async () => {
  const [x, w] = [input("float32", [2, 2]), input("float32", [2, 2])];
  const refused = compile([x, w], [ops.matmul(x, w)], { device: "webgpu", precision: "float16" });
  await expect(refused).rejects.toThrow(OptionError);
  await expect(refused).rejects.toThrow(
    'precision "float16" needs a graphics card whose driver has half floats (WebGPU\'s feature "shader-f16"), and the one of device "webgpu" has none; compute in float32 (--precision float32), or update the driver',
  );
});

describe.skipIf(!hasHalfGpu)("on a card with float16, which adds up in it", () => {
  test.each(allCases.map(({ family, opCase }) => [`${family} ${keyOfCase(opCase)}`, family, opCase] as const))(
    "%s",
    async (_, family, opCase) => {
      const far = await farthest(opCase, recordingsOf(family)[keyOfCase(opCase)], onDevice("webgpu"));
      expect(far).toBeLessThan(2 * fourRoundings);
    },
  );
});
