/** Cases of pooling. Elements are distinct, so that each window has one maximum. */
import { apply, makeNode } from "../../graph/op.ts";
import { int64s } from "../constant.ts";
import { distinct, given, normal, opCase } from "../define.cases.ts";
import { div } from "../elementwise.ts";
import * as p from "./pooling.ts";

const image = { x: distinct([2, 2, 4, 4]) };
const odd = { x: distinct([1, 2, 5, 5]) };
const maxCases = [
  opCase(p.MaxPool, "windows side by side, with positions", {
    inputs: image,
    build: ({ x }) =>
      makeNode(p.MaxPool, [x], { kernel_shape: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] })
        .outputs,
    torch: "max_pool_with_positions(x, 2)",
  }),
  opCase(p.MaxPool, "overlapping", {
    inputs: odd,
    build: ({ x }) => p.maxPool(x, [3, 3], { strides: [1, 2] }),
    torch: "F.max_pool2d(x, 3, (1, 2))",
  }),
  opCase(p.MaxPool, "padded, side by side", {
    inputs: image,
    build: ({ x }) =>
      p.maxPool(x, [2, 2], {
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.max_pool2d(x, 2, padding=1)",
  }),
  opCase(p.MaxPool, "uneven padding, overlapping", {
    inputs: odd,
    build: ({ x }) =>
      p.maxPool(x, [3, 2], {
        strides: [2, 1],
        padding: [
          [0, 1],
          [1, 0],
        ],
      }),
    torch: "F.max_pool2d(F.pad(x, (1, 0, 0, 1), value=-9), (3, 2), (2, 1))",
  }),
  opCase(p.MaxPool, "windows apart", {
    inputs: odd,
    build: ({ x }) => p.maxPool(x, [2, 1], { strides: [3, 2] }),
    torch: "F.max_pool2d(x, (2, 1), (3, 2))",
  }),
  opCase(p.MaxPool, "rest left out", {
    inputs: odd,
    build: ({ x }) => p.maxPool(x, [2, 2]),
    torch: "F.max_pool2d(x, 2)",
  }),
  opCase(p.MaxPool, "ceil mode", {
    inputs: odd,
    build: ({ x }) => p.maxPool(x, [2, 2], { ceilMode: true }),
    torch: "F.max_pool2d(x, 2, ceil_mode=True)",
  }),
  opCase(p.MaxPool, "ceil mode, padded, no window in the padding", {
    inputs: odd,
    build: ({ x }) =>
      p.maxPool(x, [2, 2], {
        ceilMode: true,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.max_pool2d(x, 2, padding=1, ceil_mode=True)",
  }),
  opCase(p.MaxPool, "dilated", {
    inputs: odd,
    build: ({ x }) => p.maxPool(x, [2, 2], { strides: [1, 1], dilations: [2, 3] }),
    torch: "F.max_pool2d(x, 2, 1, dilation=(2, 3))",
  }),
  opCase(p.MaxPool, "1-D", {
    inputs: { x: distinct([2, 2, 7]) },
    build: ({ x }) => p.maxPool(x, [3], { strides: [2] }),
    torch: "F.max_pool1d(x, 3, 2)",
  }),
  opCase(p.MaxPool, "positions by column", {
    inputs: image,
    build: ({ x }) => apply(p.MaxPool, [x], { kernel_shape: [2, 2], strides: [2, 2], storage_order: 1 }),
    torch: "F.max_pool2d(x, 2)",
  }),
  opCase(p.MaxPool, "default strides of 1", {
    inputs: { x: distinct([1, 1, 3, 3]) },
    build: ({ x }) => apply(p.MaxPool, [x], { kernel_shape: [2, 2] }),
    torch: "F.max_pool2d(x, 2, 1)",
  }),
];

const unpoolCases = [
  opCase(p.MaxUnpool, "positions in the whole tensor", {
    inputs: { x: normal([1, 2, 2, 1]), at: given([1, 6, 9, 15], [1, 2, 2, 1], "int64") },
    build: ({ x, at }) => apply(p.MaxUnpool, [x, at, int64s([1, 2, 4, 2])], { kernel_shape: [2, 2], strides: [2, 2] }),
    torch: "torch.zeros(16).double().index_put((at.flatten(),), x.flatten()).reshape(1, 2, 4, 2)",
  }),
  opCase(p.MaxPoolGradient, "one position twice", {
    inputs: { x: normal([1, 2, 2, 1]), at: given([1, 1, 9, 15], [1, 2, 2, 1], "int64") },
    build: ({ x, at }) => apply(p.MaxPoolGradient, [x, at], { input_shape: [1, 2, 4, 2] }),
    torch: "torch.zeros(16).double().index_put((at.flatten(),), x.flatten(), accumulate=True).reshape(1, 2, 4, 2)",
  }),
];

const averageCases = [
  opCase(p.RepeatOverWindows, "unlike extents", {
    inputs: { x: normal([2, 3, 2, 3]) },
    build: ({ x }) => apply(p.RepeatOverWindows, [x], { kernel_shape: [3, 2] }),
    torch: "x.repeat_interleave(3, 2).repeat_interleave(2, 3)",
  }),
  opCase(p.AveragePool, "windows side by side", {
    inputs: image,
    build: ({ x }) => p.averagePool(x, [2, 2]),
    torch: "F.avg_pool2d(x, 2)",
  }),
  opCase(p.AveragePool, "overlapping", {
    inputs: odd,
    build: ({ x }) => p.averagePool(x, [3, 2], { strides: [1, 2] }),
    torch: "F.avg_pool2d(x, (3, 2), (1, 2))",
  }),
  opCase(p.AveragePool, "padding counts", {
    inputs: odd,
    build: ({ x }) =>
      p.averagePool(x, [3, 3], {
        strides: [2, 2],
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.avg_pool2d(x, 3, 2, padding=1)",
  }),
  opCase(p.AveragePool, "padding does not count", {
    inputs: odd,
    build: ({ x }) =>
      p.averagePool(x, [3, 3], {
        strides: [2, 2],
        countIncludePad: false,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)",
  }),
  opCase(p.AveragePool, "uneven padding counts", {
    inputs: odd,
    build: ({ x }) =>
      p.averagePool(x, [2, 3], {
        strides: [1, 2],
        padding: [
          [0, 1],
          [2, 0],
        ],
      }),
    torch: "F.avg_pool2d(F.pad(x, (2, 0, 0, 1)), (2, 3), (1, 2))",
  }),
  opCase(p.AveragePool, "rest left out", {
    inputs: odd,
    build: ({ x }) => p.averagePool(x, [2, 2]),
    torch: "F.avg_pool2d(x, 2)",
  }),
  opCase(p.AveragePool, "ceil mode", {
    inputs: odd,
    build: ({ x }) => p.averagePool(x, [2, 2], { ceilMode: true }),
    torch: "F.avg_pool2d(x, 2, ceil_mode=True)",
  }),
  opCase(p.AveragePool, "ceil mode, padding counts", {
    inputs: { x: distinct([1, 1, 6, 6]) },
    build: ({ x }) =>
      p.averagePool(x, [3, 3], {
        strides: [2, 2],
        ceilMode: true,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True)",
  }),
  opCase(p.AveragePool, "ceil mode, padding does not count", {
    inputs: { x: distinct([1, 1, 6, 6]) },
    build: ({ x }) =>
      p.averagePool(x, [3, 3], {
        strides: [2, 2],
        ceilMode: true,
        countIncludePad: false,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True, count_include_pad=False)",
  }),
  opCase(p.AveragePool, "ceil mode, padded, no window in the padding", {
    inputs: odd,
    build: ({ x }) =>
      p.averagePool(x, [2, 2], {
        ceilMode: true,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.avg_pool2d(x, 2, padding=1, ceil_mode=True)",
  }),
  opCase(p.AveragePool, "dilated", {
    inputs: odd,
    build: ({ x }) => p.averagePool(x, [2, 2], { strides: [1, 1], dilations: [2, 1] }),
    torch: "(x[:, :, :3, :4] + x[:, :, 2:, :4] + x[:, :, :3, 1:] + x[:, :, 2:, 1:]) / 4",
  }),
  opCase(p.AveragePool, "1-D", {
    inputs: { x: distinct([2, 2, 7]) },
    build: ({ x }) => p.averagePool(x, [3], { strides: [2] }),
    torch: "F.avg_pool1d(x, 3, 2)",
  }),
];

const globalCases = [
  opCase(p.GlobalAveragePool, "2-D", {
    inputs: image,
    build: ({ x }) => p.globalAveragePool(x),
    torch: "x.mean((2, 3), keepdim=True)",
  }),
  opCase(p.GlobalAveragePool, "1-D", {
    inputs: { x: normal([2, 2, 3]) },
    build: ({ x }) => p.globalAveragePool(x),
    torch: "x.mean(2, keepdim=True)",
  }),
  opCase(p.GlobalMaxPool, "2-D", {
    inputs: image,
    build: ({ x }) => p.globalMaxPool(x),
    torch: "x.amax((2, 3), keepdim=True)",
  }),
  opCase(p.GlobalMaxPool, "1-D, of a quotient", {
    inputs: { x: distinct([2, 2, 3]) },
    build: ({ x }) => p.globalMaxPool(div(x, 2)),
    torch: "(x / 2).amax(2, keepdim=True)",
  }),
];

export const poolingCases = [...maxCases, ...unpoolCases, ...averageCases, ...globalCases];
