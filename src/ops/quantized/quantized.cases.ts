/** Cases of operators of quantized tensors: ONNX Runtime's own kernels against PyTorch, and against what the operators are read as. */
import type { Shape } from "../../core/shape.ts";
import { apply, type OpDef } from "../../graph/op.ts";
import { QAttention } from "../attention/contrib-attention.ts";
import { scalar } from "../constant.ts";
import { bools, given, integers, normal, opCase } from "../define.cases.ts";
import * as q from "./linear.ts";
import * as p from "./products.ts";

const none = { derivative: "none" } as const;
const bytes = (shape: Shape) => integers(shape, 0, 256, "uint8");
const signed = (shape: Shape) => integers(shape, -127, 128, "int8");
const zero = (value: number) => scalar(value, "uint8");
/** Scales and zero points of two operands, and of the result. */
const [ofX, ofW, ofY] = [
  [scalar(0.02), zero(120)],
  [scalar(0.03), zero(130)],
  [scalar(0.05), zero(100)],
] as const;
const [x, w] = ["((x.double() - 120) * 0.02)", "((w.double() - 130) * 0.03)"];
const quantized = (y: string) => `((${y}) / 0.05).round().add(100).clamp(0, 255)`;

const binary = (op: OpDef, torch: string) =>
  opCase(op, "broadcast", {
    inputs: { x: bytes([2, 3, 4]), w: bytes([3, 1]) },
    build: ({ x, w }) => apply(op, [x, ...ofX, w, ...ofW, ...ofY]),
    torch: quantized(torch),
    ...none,
  });

const unary = (op: OpDef, name: string, shape: Shape, torch: string, attributes = {}) =>
  opCase(op, name, {
    inputs: { x: bytes(shape) },
    build: ({ x }) => apply(op, [x, ...ofX, ...ofY], attributes),
    torch: quantized(torch),
    ...none,
  });

export const quantizedCases = [
  binary(q.QLinearAdd, `${x} + ${w}`),
  binary(q.QLinearMul, `${x} * ${w}`),
  unary(q.QLinearSigmoid, "each", [9], `${x}.sigmoid()`),
  unary(q.QLinearLeakyRelu, "each", [9], `F.leaky_relu(${x}, 0.2)`, { alpha: 0.2 }),
  unary(q.QLinearSoftmax, "last axis", [2, 5], `${x}.softmax(-1)`, { axis: -1, opset: 13 }),
  unary(q.QLinearGlobalAveragePool, "of images", [1, 2, 3, 3], `${x}.mean((2, 3), keepdim=True)`),
  unary(q.QLinearAveragePool, "windows of two", [1, 2, 4, 4], `F.avg_pool2d(${x}, 2)`, {
    kernel_shape: [2, 2],
    strides: [2, 2],
  }),
  opCase(q.QLinearWhere, "two tensors", {
    inputs: { c: bools([2, 3]), x: bytes([2, 3]), w: bytes([2, 3]) },
    build: ({ c, x, w }) => apply(q.QLinearWhere, [c, x, ...ofX, w, ...ofW, ...ofY]),
    torch: quantized(`torch.where(c, ${x}, ${w})`),
    ...none,
  }),
  opCase(q.NhwcMaxPool, "windows of two", {
    inputs: { x: bytes([1, 4, 4, 16]) },
    build: ({ x }) => apply(q.NhwcMaxPool, [x], { kernel_shape: [2, 2], strides: [2, 2] }),
    torch: "F.max_pool2d(x.double().permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)",
    ...none,
  }),
  opCase(q.ContribQLinearConv, "channels last, padded", {
    inputs: { x: bytes([1, 3, 3, 2]), w: bytes([4, 2, 3, 3]) },
    build: ({ x, w }) =>
      apply(q.ContribQLinearConv, [x, ...ofX, w, ...ofW, ...ofY], { pads: [1, 1, 1, 1], channels_last: 1 }),
    torch: quantized(`F.conv2d(${x}.permute(0, 3, 1, 2), ${w}, padding=1).permute(0, 2, 3, 1)`),
    flops: 4 * 3 * 3 * (2 * 3 * 3) * 2,
    ...none,
  }),
  opCase(q.QLinearConcat, "along the rows", {
    inputs: { x: bytes([2, 3]), w: bytes([2, 2]) },
    build: ({ x, w }) => apply(q.QLinearConcat, [...ofY, x, ...ofX, w, ...ofW], { axis: 1 }),
    torch: quantized(`torch.cat([${x}, ${w}], 1)`),
    ...none,
  }),
  opCase(q.ContribQuantizeLinear, "one scale", {
    inputs: { y: normal([5]) },
    build: ({ y }) => apply(q.ContribQuantizeLinear, [y, ...ofY]),
    torch: quantized("y"),
    ...none,
  }),
  opCase(q.ContribDequantizeLinear, "one scale", {
    inputs: { x: bytes([5]) },
    build: ({ x }) => apply(q.ContribDequantizeLinear, [x, ...ofX]),
    torch: x,
    ...none,
  }),
  opCase(p.MatMulIntegerToFloat, "a bias", {
    inputs: { x: bytes([2, 4]), w: bytes([4, 3]), b: normal([3]) },
    build: ({ x, w, b }) => apply(p.MatMulIntegerToFloat, [x, w, ofX[0], ofW[0], ofX[1], ofW[1], b]),
    torch: `${x} @ ${w} + b`,
    ...none,
  }),
  opCase(p.DynamicQuantizeMatMul, "numbers that are quantized without loss", {
    inputs: { a: given([-1, 0, 0.55, 1.55], [2, 2]), w: signed([2, 3]) },
    build: ({ a, w }) => apply(p.DynamicQuantizeMatMul, [a, w, scalar(0.5)]),
    torch: "a @ (w.double() * 0.5)",
    ...none,
  }),
  opCase(p.QGemm, "whole sums", {
    inputs: { x: bytes([2, 4]), w: bytes([4, 3]), c: integers([3], -500, 500, "int32") },
    build: ({ x, w, c }) => apply(p.QGemm, [x, ...ofX, w, ...ofW, c, ...ofY]),
    torch: quantized(`${x} @ ${w} + c * (0.02 * 0.03)`),
    ...none,
  }),
  opCase(QAttention, "with projections", {
    inputs: { x: bytes([1, 3, 4]), w: bytes([4, 24]), b: normal([24]) },
    build: ({ x, w, b }) => apply(QAttention, [x, w, b, ofX[0], ofW[0], undefined, ofX[1], ofW[1]], { num_heads: 2 }),
    torch: `attention(*(${x} @ ${w} + b).chunk(3, -1), 2, 2)`,
    ...none,
  }),
];
