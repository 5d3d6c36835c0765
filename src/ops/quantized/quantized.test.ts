/** Operators of quantized tensors in the forms that files have, beside ONNX Runtime's own kernels. */
import { describe, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { expectAsRuntime, uniform, whole } from "../../onnx/testing/beside-runtime.ts";
import { fileOfGraph, node, stored, typed } from "../../onnx/testing/build-file.ts";

type Attributes = NonNullable<Parameters<typeof node>[3]>;
/** Operands by name; "" for one that is left out. What is no input is a tensor of the file. */
interface Form {
  readonly fed: Readonly<Record<string, Tensor>>;
  readonly held?: Readonly<Record<string, Tensor>>;
  readonly operands: readonly string[];
  readonly attributes?: Attributes;
}

async function compare(type: string, { fed, held = {}, operands, attributes = {} }: Form): Promise<void> {
  const file = fileOfGraph(
    {
      input: Object.entries(fed).map(([name, { dtype, shape }]) => typed(name, dtype, ...shape)),
      node: [node(type, operands, ["y"], attributes)],
      output: [{ name: "y" }],
      initializer: Object.entries(held).map(([name, value]) => stored(name, value)),
    },
    17,
  );
  await expectAsRuntime(file, fed);
}

const bytes = (seed: number, ...shape: readonly number[]) =>
  tensor(whole(seed, shape, 0, 256), { dtype: "uint8", shape });
const signed = (seed: number, ...shape: readonly number[]) =>
  tensor(whole(seed, shape, -127, 128), { dtype: "int8", shape });
const scale = (value: number) => tensor(value);
const zero = (value: number, dtype: "uint8" | "int8" = "uint8") => tensor(value, { dtype });

const scales = { sx: scale(0.02), zx: zero(120), sw: scale(0.03), zw: zero(130), sy: scale(0.05), zy: zero(100) };

describe("sums, products and choices", () => {
  const pair = { fed: { x: bytes(1, 2, 3, 4), w: bytes(2, 3, 1) }, held: scales };
  const operands = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy"];
  test.each(["QLinearAdd", "QLinearMul"])("%s", (type) => compare(`com.microsoft.${type}`, { ...pair, operands }));

  test("of signed numbers without zero points", () =>
    compare("com.microsoft.QLinearAdd", {
      fed: { x: signed(1, 5), w: signed(2, 5) },
      held: { ...scales, zy: zero(3, "int8"), zero: zero(0, "int8") },
      operands: ["x", "sx", "zero", "w", "sw", "zero", "sy", "zy"],
    }));

  test("QLinearWhere", () =>
    compare("com.microsoft.QLinearWhere", {
      fed: { c: tensor([1, 0, 1], { dtype: "bool", shape: [3] }), ...pair.fed, x: bytes(1, 2, 3), w: bytes(2, 2, 3) },
      held: scales,
      operands: ["c", "x", "sx", "zx", "w", "sw", "zw", "sy", "zy"],
    }));

  test("QLinearConcat", () =>
    compare("com.microsoft.QLinearConcat", {
      fed: { x: bytes(1, 2, 3), w: bytes(2, 2, 2) },
      held: scales,
      operands: ["sy", "zy", "x", "sx", "zx", "w", "sw", "zw"],
      attributes: { axis: 1 },
    }));
});

describe("of one tensor", () => {
  const operands = ["x", "sx", "zx", "sy", "zy"];
  const small = { ...scales, sy: scale(1 / 256), zy: zero(0) };
  const image = { fed: { x: bytes(1, 2, 3, 4, 4) }, held: scales, operands };

  test.each<[string, Form]>([
    ["QLinearSigmoid", { fed: { x: bytes(1, 2, 40) }, held: small, operands }],
    ["QLinearLeakyRelu", { ...image, attributes: { alpha: { float: 0.2 } } }],
    ["QLinearSoftmax", { fed: { x: bytes(1, 2, 9) }, held: small, operands, attributes: { axis: -1, opset: 13 } }],
    ["QLinearSoftmax", { fed: { x: bytes(1, 2, 3, 3) }, held: small, operands, attributes: { axis: 1, opset: 11 } }],
    ["QLinearGlobalAveragePool", { ...image, attributes: { channels_last: 0 } }],
    ["QLinearGlobalAveragePool", { ...image, attributes: { channels_last: 1 } }],
    ["QLinearAveragePool", { ...image, attributes: { kernel_shape: [2, 2], strides: [2, 2] } }],
    [
      "QLinearAveragePool",
      {
        ...image,
        fed: { x: bytes(1, 2, 4, 4, 3) },
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], channels_last: 1 },
      },
    ],
  ])("%s", (type, form) => compare(`com.microsoft.${type}`, form));
});

describe("products", () => {
  const [a, b] = [bytes(1, 2, 3, 8), signed(2, 8, 5)];
  const columns = { scales: uniform(3, 5), zeros: signed(4, 5), bias: uniform(5, 5) };
  const held = { ...scales, ...columns, b, zb: zero(3, "int8") };

  test.each<[string, Form]>([
    ["MatMulIntegerToFloat", { fed: { a }, held, operands: ["a", "b", "sx", "sw"] }],
    ["MatMulIntegerToFloat", { fed: { a }, held, operands: ["a", "b", "sx", "scales", "zx", "zeros", "bias"] }],
    ["MatMulIntegerToFloat", { fed: { a }, held, operands: ["a", "b", "sx", "sw", "", "zb"] }],
    ["DynamicQuantizeMatMul", { fed: { a: uniform(6, 2, 3, 8) }, held, operands: ["a", "b", "sw", "zb"] }],
    [
      "DynamicQuantizeMatMul",
      { fed: { a: uniform(6, 2, 3, 8) }, held, operands: ["a", "b", "scales", "zeros", "bias"] },
    ],
  ])("%s", (type, form) => compare(`com.microsoft.${type}`, form));

  const sums = tensor(whole(7, [5], -900, 900), { dtype: "int32", shape: [5] });
  test.each<[string, Form]>([
    [
      "to floats",
      { fed: { a: bytes(1, 3, 8) }, held: { ...held, sums }, operands: ["a", "sx", "zx", "b", "sw", "zb", "sums"] },
    ],
    [
      "transposed, scaled, to bytes",
      {
        fed: { a: bytes(1, 3, 8) },
        held: { ...held, b: signed(2, 5, 8), sums },
        operands: ["a", "sx", "zx", "b", "sw", "zb", "sums", "sy", "zy"],
        attributes: { transB: 1, alpha: { float: 0.5 } },
      },
    ],
  ])("QGemm %s", (_, form) => compare("com.microsoft.QGemm", form));

  test("QAttention", () =>
    compare("com.microsoft.QAttention", {
      fed: { x: bytes(1, 2, 5, 12), mask: tensor([5, 3], { dtype: "int32" }) },
      held: { ...scales, w: signed(2, 12, 48), b: uniform(3, 48), zb: zero(4, "int8") },
      operands: ["x", "w", "b", "sx", "sw", "mask", "zx", "zb"],
      attributes: { num_heads: 4 },
    }));
});

describe("quantizing by ONNX Runtime's own operators", () => {
  test("to and from 16 bits", async () => {
    const held = { sx: scale(0.001), zx: tensor(30_000, { dtype: "uint16" }) };
    await compare("com.microsoft.QuantizeLinear", { fed: { x: uniform(1, 2, 9) }, held, operands: ["x", "sx", "zx"] });
    const x = tensor(whole(2, [2, 9], 0, 65_536), { dtype: "uint16", shape: [2, 9] });
    await compare("com.microsoft.DequantizeLinear", { fed: { x }, held, operands: ["x", "sx", "zx"] });
  });
});
