/** Cases of quantized numbers. FLOPs by hand as of the products that they stand for. */
import { apply, makeNode } from "../../graph/op.ts";
import { scalar } from "../constant.ts";
import { distinct, given, integers, normal, opCase, positive } from "../define.cases.ts";
import * as q from "./quantization.ts";

const bytes = (shape: readonly number[], dtype: "uint8" | "int8" = "uint8") =>
  dtype === "uint8" ? integers(shape, 0, 256, dtype) : integers(shape, -128, 128, dtype);
const zero = (value: number, dtype: "uint8" | "int8" = "uint8") => given([value], [], dtype);

const linearCases = [
  opCase(q.QuantizeLinear, "one scale, cut to the range", {
    inputs: { x: given([-3, 0.24, 0.26, 1.2, 300], [5]), s: given([0.5], []), z: zero(3) },
    build: ({ x, s, z }) => apply(q.QuantizeLinear, [x, s, z]),
    torch: "((x / s).round() + 3).clamp(0, 255)",
  }),
  opCase(q.QuantizeLinear, "a scale for each row, int8", {
    inputs: { x: distinct([2, 4]), s: given([0.013, 0.5], [2]), z: given([0, -3], [2], "int8") },
    build: ({ x, s, z }) => apply(q.QuantizeLinear, [x, s, z], { axis: 0 }),
    torch: "((x / s[:, None]).round() + z[:, None]).clamp(-128, 127)",
  }),
  opCase(q.DequantizeLinear, "one scale, without zero point", {
    inputs: { x: bytes([5]), s: positive([]) },
    build: ({ x, s }) => apply(q.DequantizeLinear, [x, s]),
    torch: "x * s",
  }),
  opCase(q.DequantizeLinear, "a scale and zero point for each channel", {
    inputs: { x: integers([2, 3, 2], -9, 9, "int8"), s: positive([3]), z: integers([3], -3, 3, "int8") },
    build: ({ x, s, z }) => apply(q.DequantizeLinear, [x, s, z]),
    torch: "(x - z[:, None]) * s[:, None]",
  }),
  opCase(q.DequantizeLinear, "a scale and zero point for each block of an axis, the last of them shorter", {
    inputs: { x: integers([5, 2], -9, 9, "int8"), s: positive([3, 2]), z: integers([3, 2], -3, 3, "int8") },
    build: ({ x, s, z }) => apply(q.DequantizeLinear, [x, s, z], { axis: 0, block_size: 2 }),
    torch: "(x - z.repeat_interleave(2, 0)[:5]) * s.repeat_interleave(2, 0)[:5]",
  }),
  opCase(q.QuantizeLinear, "a scale for each block", {
    inputs: { x: normal([2, 4]), s: positive([2, 2]), z: integers([2, 2], 90, 100, "uint8") },
    build: ({ x, s, z }) => apply(q.QuantizeLinear, [x, s, z], { block_size: 2 }),
    torch: "((x / s.repeat_interleave(2, 1)).round() + z.repeat_interleave(2, 1)).clamp(0, 255)",
  }),
  opCase(q.DynamicQuantizeLinear, "range from below 0", {
    inputs: { x: given([-1, -0.26, 0, 1.55, 0.7], [5]) },
    build: ({ x }) => makeNode(q.DynamicQuantizeLinear, [x]).outputs,
    torch: "((x / 0.01).round() + 100, torch.tensor(0.01), torch.tensor(100))",
  }),
];

const blockCases = [
  opCase(q.UnpackBlocks, "4 bits, the last block longer than the row", {
    inputs: { b: bytes([3, 2, 4]), s: positive([3, 2]) },
    build: ({ b, s }) => apply(q.UnpackBlocks, [b, s], { bits: 4, columns: 13 }),
    torch: "unpack_blocks(b, s, 4)[:, :13]",
  }),
  opCase(q.UnpackBlocks, "8 bits", {
    inputs: { b: bytes([2, 3, 8]), s: positive([2, 3]) },
    build: ({ b, s }) => apply(q.UnpackBlocks, [b, s], { bits: 8, columns: 24 }),
    torch: "unpack_blocks(b, s, 8)",
  }),
];

const productCases = [
  opCase(q.MatMulInteger, "with zero points", {
    inputs: { a: bytes([2, 3]), b: bytes([3, 4]), az: zero(12), bz: zero(200) },
    build: ({ a, b, az, bz }) => apply(q.MatMulInteger, [a, b, az, bz]),
    torch: "(a.long() - 12) @ (b.long() - 200)",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(q.MatMulInteger, "batches, signed weights", {
    inputs: { a: bytes([2, 2, 3]), b: bytes([3, 2], "int8") },
    build: ({ a, b }) => apply(q.MatMulInteger, [a, b]),
    torch: "a.long() @ b",
    flops: 2 * (2 * 2 * 3 * 2),
  }),
  opCase(q.QLinearMatMul, "matrices", {
    inputs: { a: bytes([2, 3]), b: bytes([3, 2]) },
    build: ({ a, b }) =>
      apply(q.QLinearMatMul, [
        ...[a, scalar(0.02), scalar(110, "uint8"), b, scalar(0.01), scalar(130, "uint8")],
        ...[scalar(0.05), scalar(90, "uint8")],
      ]),
    torch: "(((a.long() - 110) * 0.02) @ ((b.long() - 130) * 0.01) / 0.05).round().add(90).clamp(0, 255)",
    flops: 2 * 2 * 3 * 2,
  }),
  opCase(q.MatMulNBits, "blocks of 16, 4 bits", {
    inputs: { a: normal([2, 32]), b: bytes([3, 2, 8]), s: positive([6]) },
    build: ({ a, b, s }) => apply(q.MatMulNBits, [a, b, s], { K: 32, N: 3, bits: 4, block_size: 16 }),
    torch:
      "a @ ((torch.stack([b.long() % 16, b.long() // 16], -1).reshape(3, 2, 16) - 8) * s.reshape(3, 2, 1)).reshape(3, 32).T",
    flops: 2 * 3 * 32 * 2,
  }),
  opCase(q.MatMulNBits, "zero points, a last block that is longer than the row", {
    inputs: { a: normal([1, 2, 24]), b: bytes([3, 2, 8]), s: positive([6]), z: bytes([3]) },
    build: ({ a, b, s, z }) => apply(q.MatMulNBits, [a, b, s, z], { K: 24, N: 3, bits: 4, block_size: 16 }),
    torch:
      "a @ ((torch.stack([b.long() % 16, b.long() // 16], -1).reshape(3, 2, 16) - torch.stack([z.long() % 16, z.long() // 16], -1)[..., None]) * s.reshape(3, 2, 1)).reshape(3, 32)[:, :24].T",
    flops: 2 * 3 * 24 * 2,
  }),
];

const convolutionCases = [
  opCase(q.ConvInteger, "padded, strides, zero point", {
    inputs: { x: bytes([1, 2, 4, 4]), w: bytes([3, 2, 2, 2]), z: zero(7) },
    build: ({ x, w, z }) => apply(q.ConvInteger, [x, w, z], { pads: [1, 1, 1, 1], strides: [2, 2] }),
    torch: "F.conv2d(x.double() - 7, w.double(), stride=2, padding=1)",
    flops: 2 * (3 * 3 * 3) * (2 * 2) * 2,
  }),
  opCase(q.QLinearConv, "groups, bias", {
    inputs: { x: bytes([1, 2, 3, 3]), w: bytes([2, 1, 2, 2]), b: given([100, -200], [2], "int32") },
    build: ({ x, w, b }) =>
      apply(
        q.QLinearConv,
        [
          ...[x, scalar(0.02), scalar(120, "uint8"), w, scalar(0.01), scalar(125, "uint8")],
          ...[scalar(0.05), scalar(90, "uint8"), b],
        ],
        { group: 2 },
      ),
    torch:
      "(F.conv2d(x.double() - 120, w.double() - 125, b.double(), groups=2) * 0.02 * 0.01 / 0.05).round().add(90).clamp(0, 255)",
    flops: 2 * (2 * 2 * 2) * (2 * 2) * 1,
  }),
];

export const quantizationCases = [...linearCases, ...blockCases, ...productCases, ...convolutionCases];
