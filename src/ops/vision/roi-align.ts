/** Regions of images brought to one size: RoiAlign (He et al. 2017), by interpolation at samples that are spread evenly over each part. */
import { GradientError, ShapeError, UnsupportedError } from "../../core/errors.ts";
import { count, extentsType, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat, requireSameDType } from "../../graph/op.ts";
import { iota, scalar } from "../constant.ts";
import { add, maximum, mul, sub } from "../elementwise.ts";
import { floor } from "../functions.ts";
import { gather, gatherElements } from "../indexing.ts";
import { and, greaterOrEqual } from "../logic.ts";
import { expand, reshape, split } from "../movement.ts";
import { storedNode } from "../reading.ts";
import { reduceMax, reduceMean } from "../reduce.ts";
import { clipped, type Tap, weightedTaps } from "./taps.ts";

const schema = {
  mode: "string",
  output_height: "int",
  output_width: "int",
  sampling_ratio: "int",
  spatial_scale: "float",
  coordinate_transformation_mode: "string",
} as const;

type Attributes = { readonly [K in keyof typeof schema]?: (typeof schema)[K] extends "string" ? string : number };

/** Where the elements of each part lie, with every default written out. */
function settingsOf(attributes: Attributes) {
  const {
    mode = "avg",
    sampling_ratio = 0,
    spatial_scale = 1,
    coordinate_transformation_mode = "half_pixel",
  } = attributes;
  if (mode !== "avg" && mode !== "max") throw new UnsupportedError(`RoiAlign: mode is "${mode}"; pass avg or max`);
  return {
    mode,
    extents: [attributes.output_height ?? 1, attributes.output_width ?? 1] as const,
    samples: sampling_ratio,
    scale: spatial_scale,
    isShifted: coordinate_transformation_mode === "half_pixel",
  };
}

/** Regions [R, 4] (left, top, right, bottom) of the images [N, C, H, W] that `of` [R] names: [R, C, height, width]. */
export const RoiAlign: OpDef = defineOp("RoiAlign", {
  arity: "3",
  attributes: schema,
  infer: ([x, regions, of], attributes) => {
    const { extents } = settingsOf(attributes);
    requireSameDType("RoiAlign", requireFloat("RoiAlign", x), regions);
    if (
      x.rank !== 4 ||
      regions.rank !== 2 ||
      regions.shape[1] !== 4 ||
      of.rank !== 1 ||
      of.shape[0] !== regions.shape[0]
    )
      throw new ShapeError(
        `RoiAlign: x is ${showShape(x.shape)}, regions ${showShape(regions.shape)}, their images ${showShape(of.shape)}; pass [N, C, H, W], [R, 4] and [R]`,
      );
    return { dtype: x.dtype, shape: [regions.shape[0] ?? 0, x.shape[1] ?? 0, ...extents] };
  },
  grad: { through: ({ inputs: [x, regions, of], attributes }) => [aligned(x, regions, of, attributes)] },
  // Four elements with their weights for each sample; a count that depends on the regions is taken as 4.
  flops: ({ outputs: [y], attributes }) => 8 * (settingsOf(attributes).samples ** 2 || 4) * size(y.shape),
  read: ({ version, inputs, attributes }, op) =>
    version < 16
      ? storedNode(op, inputs, { ...attributes, coordinate_transformation_mode: "output_half_pixel" }).outputs
      : undefined,
});

/** The two elements around each place along an axis; places more than one element outside count nothing. */
function tapsAlong(places: Value, extent: number): readonly Tap[] {
  const isInside = and(greaterOrEqual(places, -1), greaterOrEqual(extent, places));
  const within = clipped(places, extent);
  const low = floor(within);
  const share = sub(within, low);
  return [
    { index: low, weight: sub(1, share), isInside },
    { index: clipped(add(low, 1), extent), weight: share, isInside },
  ];
}

/** The same in operators that have gradients. Throws GradientError where the number of samples depends on the regions. */
function aligned(x: Value, regions: Value, of: Value, attributes: Attributes): Value {
  const { mode, extents, samples, scale, isShifted } = settingsOf(attributes);
  if (samples < 1)
    throw new GradientError(
      "RoiAlign: the number of samples depends on the regions; set sampling_ratio for a gradient",
    );
  const [images = 1, channels = 1, ...spatial] = x.shape;
  const count = regions.shape[0] ?? 0;
  const corners = split(sub(mul(regions, scale), isShifted ? 0.5 : 0), [1, 1, 1, 1], 1);
  const [left, top, right, bottom] = corners;
  const counts: Shape = extents.map((parts) => parts * samples);
  const along = [
    [top, bottom],
    [left, right],
  ].map(([start, end], axis) => {
    const reach = sub(end as Value, start as Value);
    const each = mul(isShifted ? reach : maximum(reach, 1), 1 / (counts[axis] ?? 1)); // [R, 1]
    const places = add(start as Value, mul(each, add(iota(counts[axis] ?? 1, x.dtype), 0.5)));
    const broadcast = [count, ...counts.map((own, i) => (i === axis ? own : 1))]; // [R, P, 1] and [R, 1, Q]
    return tapsAlong(reshape(places, broadcast), spatial[axis] ?? 1);
  });
  const flat = gather(reshape(x, [images, channels, size(spatial)]), of); // [R, C, H · W]
  const taken = weightedTaps(along, spatial, x.dtype).map(({ index, weight }) => {
    const positions = expand(reshape(index, [count, 1, size(counts)]), [count, channels, size(counts)]);
    const factor = reshape(weight ?? scalar(1, x.dtype), [count, 1, size(counts)]);
    return mul(gatherElements(flat, positions, 2), factor);
  });
  const sums = taken.reduce((total, part) => add(total, part));
  const parts = reshape(sums, [count, channels, ...extents.flatMap((own) => [own, samples])]);
  return mode === "avg" ? reduceMean(parts, [3, 5]) : reduceMax(parts, [3, 5]);
}

/** Options of `roiAlign`. */
export interface RoiAlignOptions {
  /** Height and width of what each region becomes. */
  readonly extents: readonly [number, number];
  /** Samples along each axis of a part, whose mean it is; default 2. */
  readonly samples?: number;
  /** Elements of the images for each unit of the regions' coordinates; default 1. */
  readonly scale?: number;
}

const checkOptions = optionsOf<RoiAlignOptions>("roiAlign", {
  extents: required(extentsType),
  samples: count(),
  scale: positive,
});

/**
 * Regions [R, 4] (left, top, right, bottom) of images [N, C, H, W] at one size, [R, C, height, width]; `of` [R], int64, says of which
 * image each is. Throws ShapeError for operands that do not fit.
 */
export function roiAlign(x: Value, regions: Value, of: Value, options: RoiAlignOptions): Value {
  const { extents, samples = 2, scale = 1 } = checkOptions(options);
  const [output_height, output_width] = extents;
  return apply(RoiAlign, [x, regions, of], {
    output_height,
    output_width,
    sampling_ratio: samples,
    spatial_scale: scale,
  });
}
