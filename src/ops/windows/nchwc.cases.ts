/** Cases of operators in blocks of channels. The filters are of one number, since how they stand depends on the processor. */
import type { Shape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { type Attributes, apply, type OpDef } from "../../graph/op.ts";
import { full } from "../constant.ts";
import { normal, opCase } from "../define.cases.ts";
import * as n from "./nchwc.ts";

/** Blocks have 4, 8 or 16 channels, by the processor. */
const shape: Shape = [2, 16, 4, 4];
const blocked = (x: Value) => apply(n.ReorderInput, [x], { channels_last: 0 });
const plain = (x: Value, channels = 16) => apply(n.ReorderOutput, [x], { channels, channels_last: 0 });

const unary = (op: OpDef, torch: string, attributes: Attributes = {}) =>
  opCase(op, torch, {
    inputs: { x: normal(shape) },
    build: ({ x }) => plain(apply(op, [blocked(x)], attributes)),
    torch,
  });

export const nchwcCases = [
  opCase(n.ReorderInput, "there and back", {
    inputs: { x: normal(shape) },
    build: ({ x }) => plain(blocked(x)),
    torch: "x",
  }),
  opCase(n.ReorderOutput, "some of the channels", {
    inputs: { x: normal(shape) },
    build: ({ x }) => plain(blocked(x), 12),
    torch: "x[:, :12]",
  }),
  opCase(n.NchwcConv, "padded, strides, rectified", {
    inputs: { x: normal(shape) },
    build: ({ x }) =>
      plain(
        apply(n.NchwcConv, [blocked(x), full([16, 16, 3, 3], 0.5), full([16], 0.25)], {
          kernel_shape: [3, 3],
          strides: [2, 2],
          pads: [1, 1, 1, 1],
          activation: "Relu",
        }),
      ),
    torch: "F.conv2d(x, x.new_full((16, 16, 3, 3), 0.5), x.new_full((16,), 0.25), 2, 1).relu()",
    flops: 2 * 16 * 2 * 2 * (16 * 3 * 3) * 2,
  }),
  unary(n.NchwcMaxPool, "F.max_pool2d(x, 2)", { kernel_shape: [2, 2], strides: [2, 2] }),
  unary(n.NchwcAveragePool, "F.avg_pool2d(x, 2)", { kernel_shape: [2, 2], strides: [2, 2] }),
  unary(n.NchwcGlobalMaxPool, "x.amax((2, 3), keepdim=True)"),
  unary(n.NchwcGlobalAveragePool, "x.mean((2, 3), keepdim=True)"),
  unary(n.NchwcUpsample, "F.interpolate(x, scale_factor=2)", { scales: [1, 1, 2, 2], mode: "nearest" }),
];
