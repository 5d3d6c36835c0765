/**
 * Cases of convolution and its relatives. FLOPs by hand: 2 for each output element (of a transposed convolution: input
 * element), kernel element and channel of a group that meet.
 */
import { apply } from "../../graph/op.ts";
import { normal, opCase } from "../define.cases.ts";
import { Conv, ConvTranspose, ConvWeightGradient, conv, convTranspose } from "./convolution.ts";

const oneDimension = [
  opCase(Conv, "1-D", {
    inputs: { x: normal([2, 3, 6]), w: normal([2, 3, 3]) },
    build: ({ x, w }) => conv(x, w),
    torch: "F.conv1d(x, w)",
    flops: 2 * (2 * 2 * 4) * 3 * 3,
  }),
  opCase(Conv, "1-D, stride 2, dilation 2, uneven padding, bias", {
    inputs: { x: normal([2, 2, 7]), w: normal([3, 2, 2]), b: normal([3]) },
    build: ({ x, w, b }) => conv(x, w, { strides: [2], dilations: [2], padding: [[2, 1]], bias: b }),
    torch: "F.conv1d(F.pad(x, (2, 1)), w, b, stride=2, dilation=2)",
    flops: 2 * (2 * 3 * 4) * 2 * 2,
  }),
];

const image = normal([2, 2, 5, 4]);
const twoDimensions = [
  opCase(Conv, "2-D, bias", {
    inputs: { x: image, w: normal([3, 2, 2, 3]), b: normal([3]) },
    build: ({ x, w, b }) => conv(x, w, { bias: b }),
    torch: "F.conv2d(x, w, b)",
    flops: 2 * (2 * 3 * 4 * 2) * (2 * 3) * 2,
  }),
  opCase(Conv, "2-D, strides that leave a rest", {
    inputs: { x: image, w: normal([2, 2, 2, 2]) },
    build: ({ x, w }) => conv(x, w, { strides: [2, 3] }),
    torch: "F.conv2d(x, w, stride=(2, 3))",
    flops: 2 * (2 * 2 * 2 * 1) * (2 * 2) * 2,
  }),
  opCase(Conv, "2-D, dilations", {
    inputs: { x: image, w: normal([2, 2, 2, 2]) },
    build: ({ x, w }) => conv(x, w, { dilations: [3, 2] }),
    torch: "F.conv2d(x, w, dilation=(3, 2))",
    flops: 2 * (2 * 2 * 2 * 2) * (2 * 2) * 2,
  }),
  opCase(Conv, "2-D, uneven padding", {
    inputs: { x: image, w: normal([2, 2, 3, 3]) },
    build: ({ x, w }) =>
      conv(x, w, {
        padding: [
          [0, 1],
          [2, 0],
        ],
      }),
    torch: "F.conv2d(F.pad(x, (2, 0, 0, 1)), w)",
    flops: 2 * (2 * 2 * 4 * 4) * (3 * 3) * 2,
  }),
  opCase(Conv, "2-D, one pixel", {
    inputs: { x: normal([1, 3, 2, 2]), w: normal([2, 3, 1, 1]) },
    build: ({ x, w }) => conv(x, w),
    torch: "F.conv2d(x, w)",
    flops: 2 * (2 * 2 * 2) * 3,
  }),
  opCase(Conv, "2-D, two groups", {
    inputs: { x: normal([2, 4, 3, 3]), w: normal([6, 2, 2, 2]), b: normal([6]) },
    build: ({ x, w, b }) => conv(x, w, { groups: 2, bias: b }),
    torch: "F.conv2d(x, w, b, groups=2)",
    flops: 2 * (2 * 6 * 2 * 2) * (2 * 2) * 2,
  }),
  opCase(Conv, "2-D, depthwise with a multiplier of 2, padded", {
    inputs: { x: normal([1, 3, 4, 4]), w: normal([6, 1, 3, 3]) },
    build: ({ x, w }) =>
      conv(x, w, {
        groups: 3,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.conv2d(x, w, padding=1, groups=3)",
    flops: 2 * (6 * 4 * 4) * (3 * 3) * 1,
  }),
  opCase(Conv, "2-D, everything at once", {
    inputs: { x: normal([2, 4, 7, 6]), w: normal([2, 2, 3, 2]), b: normal([2]) },
    build: ({ x, w, b }) =>
      conv(x, w, {
        strides: [2, 2],
        dilations: [2, 3],
        groups: 2,
        bias: b,
        padding: [
          [1, 0],
          [0, 1],
        ],
      }),
    torch: "F.conv2d(F.pad(x, (0, 1, 1, 0)), w, b, stride=2, dilation=(2, 3), groups=2)",
    flops: 2 * (2 * 2 * 2 * 2) * (3 * 2) * 2,
  }),
  opCase(Conv, "2-D, SAME_UPPER", {
    inputs: { x: image, w: normal([1, 2, 2, 3]) },
    build: ({ x, w }) => apply(Conv, [x, w], { auto_pad: "SAME_UPPER", strides: [1, 2] }),
    torch: "F.conv2d(F.pad(x, (0, 1, 0, 1)), w, stride=(1, 2))",
    flops: 2 * (2 * 1 * 5 * 2) * (2 * 3) * 2,
  }),
  opCase(Conv, "2-D, SAME_LOWER", {
    inputs: { x: image, w: normal([1, 2, 2, 3]) },
    build: ({ x, w }) => apply(Conv, [x, w], { auto_pad: "SAME_LOWER", strides: [1, 2] }),
    torch: "F.conv2d(F.pad(x, (1, 0, 1, 0)), w, stride=(1, 2))",
    flops: 2 * (2 * 1 * 5 * 2) * (2 * 3) * 2,
  }),
  opCase(Conv, "3-D", {
    inputs: { x: normal([1, 2, 3, 3, 2]), w: normal([2, 2, 2, 2, 2]) },
    build: ({ x, w }) => conv(x, w, { strides: [1, 2, 1] }),
    torch: "F.conv3d(x, w, stride=(1, 2, 1))",
    flops: 2 * (2 * 2 * 1 * 1) * 8 * 2,
  }),
];

const transposed = [
  opCase(ConvTranspose, "1-D", {
    inputs: { x: normal([2, 3, 4]), w: normal([3, 2, 3]) },
    build: ({ x, w }) => convTranspose(x, w),
    torch: "F.conv_transpose1d(x, w)",
    flops: 2 * (2 * 3 * 4) * 3 * 2,
  }),
  opCase(ConvTranspose, "1-D, stride 3, dilation 2, output padding, bias", {
    inputs: { x: normal([1, 2, 3]), w: normal([2, 2, 3]), b: normal([2]) },
    build: ({ x, w, b }) => convTranspose(x, w, { strides: [3], dilations: [2], outputPadding: [1], bias: b }),
    torch: "F.conv_transpose1d(x, w, b, stride=3, dilation=2, output_padding=1)",
    flops: 2 * (2 * 3) * 3 * 2,
  }),
  opCase(ConvTranspose, "2-D, stride 2, padding, bias", {
    inputs: { x: normal([2, 2, 3, 2]), w: normal([2, 3, 3, 3]), b: normal([3]) },
    build: ({ x, w, b }) =>
      convTranspose(x, w, {
        strides: [2, 2],
        bias: b,
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
    torch: "F.conv_transpose2d(x, w, b, stride=2, padding=1)",
    flops: 2 * (2 * 2 * 3 * 2) * (3 * 3) * 3,
  }),
  opCase(ConvTranspose, "2-D, stride 1, more padding than the kernel reaches", {
    inputs: { x: normal([1, 2, 5, 5]), w: normal([2, 1, 2, 2]) },
    build: ({ x, w }) =>
      convTranspose(x, w, {
        padding: [
          [2, 1],
          [2, 2],
        ],
      }),
    torch: "F.conv_transpose2d(x, w)[:, :, 2:-1, 2:-2]",
    flops: 2 * (2 * 5 * 5) * (2 * 2) * 1,
  }),
  opCase(ConvTranspose, "2-D, two groups, uneven strides and output padding", {
    inputs: { x: normal([1, 4, 2, 3]), w: normal([4, 2, 2, 2]) },
    build: ({ x, w }) => convTranspose(x, w, { groups: 2, strides: [3, 2], outputPadding: [2, 1] }),
    torch: "F.conv_transpose2d(x, w, stride=(3, 2), output_padding=(2, 1), groups=2)",
    flops: 2 * (4 * 2 * 3) * (2 * 2) * 2,
  }),
  opCase(ConvTranspose, "2-D, depthwise at stride 1, uneven padding, bias", {
    inputs: { x: normal([2, 3, 3, 3]), w: normal([3, 1, 2, 3]), b: normal([3]) },
    build: ({ x, w, b }) =>
      convTranspose(x, w, {
        groups: 3,
        bias: b,
        padding: [
          [1, 0],
          [0, 2],
        ],
      }),
    torch: "F.conv_transpose2d(x, w, b, groups=3)[:, :, 1:, :-2]",
    flops: 2 * (2 * 3 * 3 * 3) * (2 * 3) * 1,
  }),
  opCase(ConvTranspose, "2-D, output shape", {
    inputs: { x: normal([1, 1, 2, 2]), w: normal([1, 2, 3, 3]) },
    build: ({ x, w }) => apply(ConvTranspose, [x, w], { strides: [2, 2], output_shape: [4, 4] }),
    // One row and one column too many: they go at the beginning.
    torch: "F.conv_transpose2d(x, w, stride=2)[:, :, 1:, 1:]",
    flops: 2 * (2 * 2) * (3 * 3) * 2,
  }),
  opCase(ConvTranspose, "2-D, SAME_UPPER", {
    inputs: { x: normal([1, 1, 2, 2]), w: normal([1, 2, 3, 3]) },
    build: ({ x, w }) => apply(ConvTranspose, [x, w], { strides: [2, 2], auto_pad: "SAME_UPPER" }),
    torch: "F.conv_transpose2d(x, w, stride=2)[:, :, :-1, :-1]",
    flops: 2 * (2 * 2) * (3 * 3) * 2,
  }),
];

const weightGradients = [
  opCase(ConvWeightGradient, "2-D, strides that leave a rest, uneven padding", {
    inputs: { x: normal([2, 2, 5, 4]), g: normal([2, 3, 2, 2]) },
    build: ({ x, g }) =>
      apply(ConvWeightGradient, [x, g], {
        kernel_shape: [3, 2],
        strides: [2, 2],
        dilations: [1, 1],
        pads: [0, 1, 1, 0],
      }),
    torch: "conv_weight_gradient(F.pad(x, (1, 0, 0, 1)), (3, 2, 3, 2), g, stride=2)",
    flops: 2 * (2 * 3 * 2 * 2) * (3 * 2) * 2,
  }),
  opCase(ConvWeightGradient, "2-D, two groups, dilation", {
    inputs: { x: normal([1, 4, 4, 4]), g: normal([1, 2, 2, 3]) },
    build: ({ x, g }) =>
      apply(ConvWeightGradient, [x, g], {
        kernel_shape: [2, 2],
        strides: [1, 1],
        dilations: [2, 1],
        pads: [0, 0, 0, 0],
        group: 2,
      }),
    torch: "conv_weight_gradient(x, (2, 2, 2, 2), g, dilation=(2, 1), groups=2)",
    flops: 2 * (2 * 2 * 3) * (2 * 2) * 2,
  }),
  opCase(ConvWeightGradient, "1-D", {
    inputs: { x: normal([2, 1, 5]), g: normal([2, 2, 3]) },
    build: ({ x, g }) =>
      apply(ConvWeightGradient, [x, g], { kernel_shape: [3], strides: [1], dilations: [1], pads: [0, 0] }),
    torch: "conv_weight_gradient(x, (2, 1, 3), g)",
    flops: 2 * (2 * 2 * 3) * 3 * 1,
  }),
];

export const convolutionCases = [...oneDimension, ...twoDimensions, ...transposed, ...weightGradients];
