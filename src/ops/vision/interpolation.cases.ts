/** Cases of resizing. */
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Attributes, apply } from "../../graph/op.ts";
import { constant, int64s } from "../constant.ts";
import { normal, opCase } from "../define.cases.ts";
import { Resize, resize, Upsample } from "./interpolation.ts";

const image = normal([2, 2, 3, 4]);
const byScales = (x: Value, scales: readonly number[], attributes: Attributes) =>
  apply(Resize, [x, undefined, constant(tensor(scales))], attributes);

const nearestCases = [
  opCase(Resize, "nearest, twice and three times", {
    inputs: { x: image },
    build: ({ x }) => resize(x, [6, 12]),
    torch: "F.interpolate(x, (6, 12))",
  }),
  opCase(Resize, "nearest, to fewer", {
    inputs: { x: image },
    build: ({ x }) => resize(x, [2, 3]),
    torch: "F.interpolate(x, (2, 3))",
  }),
  opCase(Resize, "nearest by half pixels, ties up, scales", {
    inputs: { x: image },
    build: ({ x }) => byScales(x, [1, 1, 2, 0.5], { mode: "nearest", nearest_mode: "round_prefer_ceil" }),
    torch: "F.interpolate(x, scale_factor=(2, 0.5), mode='nearest-exact')",
  }),
];

/** Rows 0.2 to 1.1 and columns 0.5 to 0.8 of the image, as TensorFlow counts: some places lie outside. */
const region = constant(tensor([0, 0, 0.2, 0.5, 1, 1, 1.1, 0.8]));

const croppedCases = [
  opCase(Resize, "a region, linear, another number outside", {
    inputs: { x: image },
    build: ({ x }) =>
      apply(Resize, [x, region, undefined, int64s([2, 2, 4, 2])], {
        mode: "linear",
        coordinate_transformation_mode: "tf_crop_and_resize",
        extrapolation_value: 3,
      }),
    torch: "crop(x, (0.2, 0.5), (1.1, 0.8), (4, 2), 3.0)",
  }),
  opCase(Resize, "nearest behind each half pixel", {
    inputs: { x: normal([1, 1, 4]) },
    build: ({ x }) =>
      byScales(x, [1, 1, 0.75], { coordinate_transformation_mode: "tf_half_pixel_for_nn", nearest_mode: "floor" }),
    torch: "x[:, :, [0, 2, 3]]", // floor((i + 0.5) / 0.75)
  }),
];

const linearCases = [
  opCase(Resize, "linear, more rows and fewer columns", {
    inputs: { x: image },
    build: ({ x }) => resize(x, [5, 3], { mode: "linear" }),
    torch: "F.interpolate(x, (5, 3), mode='bilinear')",
  }),
  opCase(Resize, "linear, corners on one another", {
    inputs: { x: image },
    build: ({ x }) => resize(x, [5, 7], { mode: "linear", alignCorners: true }),
    torch: "F.interpolate(x, (5, 7), mode='bilinear', align_corners=True)",
  }),
  opCase(Resize, "linear by a scale that leaves a rest, of named axes", {
    inputs: { x: image },
    build: ({ x }) => byScales(x, [2.5, 1.3], { mode: "linear", axes: [2, 3] }),
    torch: "F.interpolate(x, scale_factor=(2.5, 1.3), mode='bilinear')",
  }),
  opCase(Resize, "linear, a single row, as PyTorch has it", {
    inputs: { x: image },
    build: ({ x }) =>
      byScales(x, [1, 1, 1 / 3, 2], { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" }),
    torch: "F.interpolate(x[:, :, :1], (1, 8), mode='bilinear')",
  }),
  opCase(Resize, "linear, volumes", {
    inputs: { x: normal([1, 2, 2, 3, 2]) },
    build: ({ x }) => resize(x, [3, 4, 5], { mode: "linear" }),
    torch: "F.interpolate(x, (3, 4, 5), mode='trilinear')",
  }),
];

const cubicCases = [
  opCase(Resize, "cubic", {
    inputs: { x: image },
    build: ({ x }) => resize(x, [7, 6], { mode: "cubic" }),
    torch: "F.interpolate(x, (7, 6), mode='bicubic')",
  }),
];

const upsampleCases = [
  opCase(Upsample, "nearest, scales as an operand", {
    inputs: { x: image },
    build: ({ x }) => apply(Upsample, [x, constant(tensor([1, 1, 2, 3]))]),
    torch: "F.interpolate(x, scale_factor=(2, 3))",
    derivative: "none",
  }),
  opCase(Upsample, "linear, scales as an attribute", {
    inputs: { x: normal([1, 1, 2, 1]) },
    build: ({ x }) => apply(Upsample, [x], { mode: "linear", scales: [1, 1, 2, 1] }),
    torch: "torch.stack([x[:, :, 0], x.mean(2), x[:, :, 1], x[:, :, 1]], 2)",
    derivative: "none",
  }),
];

export const interpolationCases = [...nearestCases, ...croppedCases, ...linearCases, ...cubicCases, ...upsampleCases];
