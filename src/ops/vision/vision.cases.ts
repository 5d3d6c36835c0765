/** Cases of sampling at computed places. */
import { apply } from "../../graph/op.ts";
import { distinct, given, indices, normal, opCase, small } from "../define.cases.ts";
import { GridSample, gridSample } from "./grid-sample.ts";
import { GlobalLpPool, LpPool } from "./lp-pool.ts";
import { RoiAlign, roiAlign } from "./roi-align.ts";

const image = normal([2, 2, 3, 4]);
/** Some places outside. */
const grid = distinct([2, 2, 3, 2]);

/** Regions in images of 6 by 5, one of them partly outside, by opposite corners. */
const regions = given([0.3, 0.4, 3.7, 2.9, 1.1, -1.7, 4.6, 5.2, 2.2, 1.3, 2.9, 4.4], [3, 4]);
const images = normal([2, 2, 6, 5]);

const regionCases = [
  opCase(RoiAlign, "means of 4 samples", {
    inputs: { x: images, regions, of: indices([3], 2) },
    build: ({ x, regions, of }) => roiAlign(x, regions, of, { extents: [2, 3], samples: 2 }),
    torch: "roi_align(x, regions, of, 2, 3, samples=2)",
  }),
  opCase(RoiAlign, "scaled, not shifted, at least one element large", {
    inputs: { x: images, regions, of: indices([3], 2) },
    build: ({ x, regions, of }) =>
      apply(RoiAlign, [x, regions, of], {
        output_height: 2,
        output_width: 2,
        sampling_ratio: 1,
        spatial_scale: 0.5,
        coordinate_transformation_mode: "output_half_pixel",
      }),
    torch: "roi_align(x, regions, of, 2, 2, samples=1, scale=0.5, shift=0)",
  }),
];

const poolCases = [
  opCase(LpPool, "2-norm", {
    inputs: { x: normal([2, 2, 5, 4]) },
    build: ({ x }) => apply(LpPool, [x], { kernel_shape: [3, 2], strides: [2, 1] }),
    torch: "F.lp_pool2d(x.abs(), 2, (3, 2), (2, 1))",
    flops: 2 * 6 * 24,
  }),
  opCase(LpPool, "3-norm, padded, rounded up", {
    inputs: { x: normal([1, 2, 6]) },
    build: ({ x }) => apply(LpPool, [x], { kernel_shape: [3], strides: [2], pads: [1, 0], ceil_mode: 1, p: 3 }),
    torch: "F.pad(x, (1, 1)).abs().pow(3).unfold(2, 3, 2).sum(3).pow(1 / 3)",
  }),
  opCase(GlobalLpPool, "2-norm", {
    inputs: { x: normal([2, 3, 2, 2]) },
    build: ({ x }) => apply(GlobalLpPool, [x]),
    torch: "x.norm(2, (2, 3), keepdim=True)",
    derivative: "none",
  }),
  opCase(GlobalLpPool, "3-norm", {
    inputs: { x: normal([2, 3, 4]) },
    build: ({ x }) => apply(GlobalLpPool, [x], { p: 3 }),
    torch: "x.norm(3, 2, keepdim=True)",
    derivative: "none",
  }),
];

export const visionCases = [
  ...poolCases,
  ...regionCases,
  opCase(GridSample, "linear, zeros outside", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid),
    torch: "F.grid_sample(x, grid, align_corners=False)",
    flops: 2 * 4 * 24,
  }),
  opCase(GridSample, "linear, corners aligned, the border outside", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid, { alignCorners: true, padding: "border" }),
    torch: "F.grid_sample(x, grid, padding_mode='border', align_corners=True)",
  }),
  opCase(GridSample, "linear, mirrored outside", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid, { padding: "reflection" }),
    torch: "F.grid_sample(x, grid, padding_mode='reflection', align_corners=False)",
  }),
  opCase(GridSample, "linear, corners aligned, mirrored outside", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid, { alignCorners: true, padding: "reflection" }),
    torch: "F.grid_sample(x, grid, padding_mode='reflection', align_corners=True)",
  }),
  opCase(GridSample, "nearest", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid, { mode: "nearest" }),
    torch: "F.grid_sample(x, grid, mode='nearest', align_corners=False)",
  }),
  opCase(GridSample, "cubic, zeros outside", {
    inputs: { x: image, grid },
    build: ({ x, grid }) => gridSample(x, grid, { mode: "cubic", alignCorners: true }),
    torch: "F.grid_sample(x, grid, mode='bicubic', align_corners=True)",
  }),
  opCase(GridSample, "three axes", {
    inputs: { x: normal([1, 2, 2, 3, 2]), grid: small([1, 2, 1, 2, 3]) },
    build: ({ x, grid }) => gridSample(x, grid),
    torch: "F.grid_sample(x, grid, align_corners=False)",
  }),
];
