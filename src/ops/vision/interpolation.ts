/**
 * Resizing of grids. Along each axis it is a linear map, a matrix of a few taps a row: the gradient is the product with
 * its transpose, and where ONNX Runtime has no kernel the operator is the products themselves.
 */
import { UnsupportedError } from "../../core/errors.ts";
import { normalizeAxis, type Shape, size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Attributes, apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { constant, int64s, requireConstant } from "../constant.ts";
import { where } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { shortIntegers, through } from "../kernels.ts";
import { or } from "../logic.ts";
import { matmul } from "../matmul.ts";
import { swapAxes } from "../movement.ts";
import { defineComposition, storedNode, without } from "../reading.ts";
import { samplesBeside } from "../samples.ts";

const schema = {
  mode: "string",
  coordinate_transformation_mode: "string",
  nearest_mode: "string",
  cubic_coeff_a: "float",
  exclude_outside: "int",
  extrapolation_value: "float",
  axes: "ints",
  antialias: "int",
  keep_aspect_ratio_policy: "string",
} as const;

/** One axis: its extents, and output elements for each input element. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** The part of the axis that is resized, from 0 to 1; the whole where there is none. */
  readonly region?: readonly [number, number];
}

/** How coordinates are found and what is taken there, with every default written out. */
interface Settings {
  readonly mode: string;
  readonly transformation: string;
  readonly rounding: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
}

type Taps = readonly (readonly [index: number, weight: number])[];

/** An optional operand that must be known; an empty one counts as left out. */
function knownNumbers(what: string, value: Value | undefined): readonly number[] | undefined {
  const numbers = value && requireConstant("Resize", what, value);
  return numbers?.length ? numbers : undefined;
}

type Operands = readonly [Value, Value?, Value?, Value?];

const cropping = "tf_crop_and_resize";
/** Of operator set 11 alone. */
const retired = "tf_half_pixel_for_nn";

/** The axes of x, resized or not. Throws UnsupportedError without sizes and scales, and without a region to crop. */
function axesOf([x, roi, scales, sizes]: Operands, attributes: Attributes): readonly Axis[] {
  const [factors, extents] = [knownNumbers("scales", scales), knownNumbers("sizes", sizes)];
  if (!factors && !extents) throw new UnsupportedError("Resize: it has neither scales nor sizes; give it one of them");
  const isCropped = attributes.coordinate_transformation_mode === cropping;
  const bounds = isCropped ? knownNumbers("roi", roi) : undefined;
  if (isCropped && !bounds)
    throw new UnsupportedError(`Resize: ${cropping} needs the operand roi; give it starts and ends`);
  const listed = (attributes.axes as readonly number[] | undefined)?.map((axis) => normalizeAxis(axis, x.rank));
  return x.shape.map((from, i) => {
    const at = listed ? listed.indexOf(i) : i;
    const [extent, factor] = [extents?.[at], factors?.[at]];
    const [start = 0, end = 1] = bounds && at >= 0 ? [bounds[at], bounds[at + bounds.length / 2]] : [];
    const region = bounds && at >= 0 ? { region: [start, end] as const } : {};
    if (extent !== undefined) return { from, to: extent, scale: extent / from, ...region };
    if (factor === undefined) return { from, to: from, scale: 1 };
    // In float32, as ONNX Runtime counts.
    return { from, to: Math.floor(Math.fround(Math.fround(from * (end - start)) * factor)), scale: factor, ...region };
  });
}

/** Whether an axis stays as it is. */
const isKept = ({ from, to, scale, region: [start, end] = [0, 1] }: Axis): boolean =>
  from === to && scale === 1 && start === 0 && end === 1;

function settingsOf(attributes: Attributes): Settings {
  const { mode = "nearest", coordinate_transformation_mode = "half_pixel" } = attributes as Readonly<
    Record<string, string | undefined>
  >;
  const { antialias = 0, keep_aspect_ratio_policy = "stretch" } = attributes;
  if (!Object.hasOwn(takers, mode))
    throw new UnsupportedError(`Resize: mode is "${mode}"; pass nearest, linear or cubic`);
  if (!Object.hasOwn(coordinates, coordinate_transformation_mode))
    throw new UnsupportedError(
      `Resize: coordinate_transformation_mode is "${coordinate_transformation_mode}"; pass one of ${Object.keys(coordinates).join(", ")}`,
    );
  if (antialias !== 0 || keep_aspect_ratio_policy !== "stretch")
    throw new UnsupportedError("Resize: antialias and keep_aspect_ratio_policy are not supported; leave them out");
  return {
    mode,
    transformation: coordinate_transformation_mode,
    rounding: (attributes.nearest_mode as string | undefined) ?? "round_prefer_floor",
    cubic: (attributes.cubic_coeff_a as number | undefined) ?? -0.75,
    excludeOutside: attributes.exclude_outside === 1,
  };
}

/** Where an output element lies among the input's, by ONNX's transformations; in float32, which decides ties. */
const coordinates: Readonly<Record<string, (at: number, axis: Axis) => number>> = {
  half_pixel: (at, { scale }) => Math.fround(Math.fround((at + 0.5) / Math.fround(scale)) - 0.5),
  half_pixel_symmetric: (at, { from, to, scale }) => {
    const outside = (from / 2) * (1 - to / (from * scale));
    return outside + (at + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (at, axis) => (axis.to > 1 ? (coordinates.half_pixel?.(at, axis) ?? 0) : 0),
  align_corners: (at, { from, to }) => (to > 1 ? Math.fround((at * (from - 1)) / (to - 1)) : 0),
  asymmetric: (at, { scale }) => Math.fround(at / Math.fround(scale)),
  [retired]: (at, { scale }) => Math.fround((at + 0.5) / Math.fround(scale)),
  [cropping]: (at, { from, to, region: [start, end] = [0, 1] }) =>
    (from - 1) * (to > 1 ? start + (at * (end - start)) / (to - 1) : (start + end) / 2),
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const within = (index: number, extent: number): number => Math.min(Math.max(index, 0), extent - 1);

/** The input elements that an output element is made of. */
const takers: Readonly<Record<string, (x: number, axis: Axis, settings: Settings) => Taps>> = {
  nearest: (x, { from }, { rounding }) => [[within(roundings[rounding]?.(x) ?? 0, from), 1]],
  linear: (x, { from }) => {
    const inside = within(x, from);
    const low = Math.floor(inside);
    return [
      [low, 1 - (inside - low)],
      [within(low + 1, from), inside - low],
    ];
  },
  // Cubic convolution (Keys 1981, eq. 4) with its free coefficient a.
  cubic: (x, { from }, { cubic: a, excludeOutside }) => {
    const low = Math.floor(x);
    const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
    const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    const t = x - low;
    const taps = [far(1 + t), near(t), near(1 - t), far(2 - t)].map((weight, i) => [low - 1 + i, weight] as const);
    const counted = excludeOutside ? taps.filter(([index]) => index >= 0 && index < from) : taps;
    const total = counted.reduce((sum, [, weight]) => sum + weight, 0);
    return counted.map(([index, weight]) => [within(index, from), weight / total]);
  },
};

/** Whether a place is one of which a cropped region has no element. */
const isOutside = (x: number, { from, region }: Axis): boolean => region !== undefined && (x < 0 || x > from - 1);

/** Which output elements lie outside x, true where one of their places does; `undefined` when nothing is cropped. */
function outsideOf(axes: readonly Axis[], { transformation }: Settings): Value | undefined {
  if (axes.every(({ region }) => region === undefined)) return undefined;
  const along = axes.map((axis, i) => {
    requireTable("Resize: an axis", axis.to);
    const flags = Array.from({ length: axis.to }, (_, at) =>
      isOutside(coordinates[transformation]?.(at, axis) ?? 0, axis),
    );
    return constant(tensor(flags, { shape: axes.map((_, k) => (k === i ? axis.to : 1)) }));
  });
  return along.reduce((any, flags) => or(any, flags));
}

/** The map along an axis, [to, from]. */
function matrixOf(axis: Axis, settings: Settings, dtype: "float32" | "float64"): Tensor {
  const { from, to } = axis;
  requireTable("Resize: an axis", to, from);
  const matrix = new Float64Array(to * from);
  for (let at = 0; at < to; at++) {
    const x = coordinates[settings.transformation]?.(at, axis) ?? 0;
    if (isOutside(x, axis)) continue;
    for (const [index, weight] of takers[settings.mode]?.(x, axis, settings) ?? [])
      matrix[at * from + index] = (matrix[at * from + index] ?? 0) + weight;
  }
  return new Tensor(dtype, [to, from], dtype === "float64" ? matrix : Float32Array.from(matrix));
}

/** x with each axis mapped; `back` takes the transposes. float16 goes through float32. */
function mapAxes(x: Value, axes: readonly Axis[], settings: Settings, back = false): Value {
  if (x.dtype === "float16") return cast(mapAxes(cast(x, "float32"), axes, settings, back), x.dtype);
  return axes.reduce((value, axis, i) => {
    if (isKept(axis)) return value;
    const map = constant(matrixOf(axis, settings, x.dtype as "float32" | "float64"));
    if (i === value.rank - 2) return matmul(map, value, { transA: back }); // columns are mapped where they are
    const last = swapAxes(value, i, -1);
    return swapAxes(matmul(last, map, { transB: !back }), i, -1);
  }, x);
}

/** x resized by coordinates that newer operator sets do not have: the nearest elements are gathered, others mapped. */
function retiredForm(x: Value, axes: readonly Axis[], settings: Settings): Value {
  if (settings.mode !== "nearest") return mapAxes(x, axes, settings);
  return axes.reduce((value, axis, i) => {
    if (isKept(axis)) return value;
    requireTable("Resize: an axis", axis.to);
    const taken = Array.from({ length: axis.to }, (_, at) => {
      const [[index] = [0]] = takers.nearest?.(coordinates[retired]?.(at, axis) ?? 0, axis, settings) ?? [];
      return index;
    });
    return gather(value, int64s(taken), i);
  }, x);
}

/** Taps of an output element along an axis. */
const tapsOf: Readonly<Record<string, number>> = { nearest: 1, linear: 2, cubic: 4 };

const copied = { ...shortIntegers, bool: "uint8", uint32: "float64", int64: "float64", uint64: "float64" } as const;

/** x [N, C, …] by scales or to sizes, one for each axis or for those of `axes`. */
export const Resize: OpDef = defineOp("Resize", {
  arity: "1-4",
  attributes: schema,
  settings: [1, 2],
  target: 3,
  samples: ({ inputs, axes, attributes }) =>
    samplesBeside(
      axes,
      axesOf(inputs, attributes).flatMap((axis, i) => (isKept(axis) ? [] : [i])),
    ),
  infer: (inputs, attributes) => {
    if (settingsOf(attributes).mode === "cubic") requireFloat("Resize, cubic,", inputs[0]);
    return { dtype: inputs[0].dtype, shape: axesOf(inputs, attributes).map(({ to }) => to) };
  },
  grad: ({ g, inputs, attributes }) => [
    mapAxes(g, axesOf(inputs, attributes), settingsOf(attributes), true),
    undefined,
    undefined,
    undefined,
  ],
  flops: ({ inputs, outputs: [y], attributes }) => {
    const resized = axesOf(inputs, attributes).filter(({ from, to }) => from !== to).length;
    const taps = (tapsOf[settingsOf(attributes).mode] ?? 1) ** resized;
    return taps === 1 ? 0 : 2 * taps * size(y.shape);
  },
  // ONNX Runtime resizes no float64; the nearest of long integers pass through float64 whole below 2^53.
  lower: (view) => {
    const { inputs, attributes } = view;
    const [x] = inputs;
    const settings = settingsOf(attributes);
    if (x.dtype === "float64") {
      const axes = axesOf(inputs, attributes);
      const [mapped, outside] = [mapAxes(x, axes, settings), outsideOf(axes, settings)];
      return [outside ? where(outside, attributes.extrapolation_value ?? 0, mapped) : mapped];
    }
    if (settings.transformation === retired) return [retiredForm(x, axesOf(inputs, attributes), settings)];
    return settings.mode === "nearest" ? through(copied)(view) : undefined;
  },
  read: ({ version, inputs, attributes }, op) => {
    if (version > 10) return undefined;
    const [x, scales] = inputs;
    return storedNode(op, [x, undefined, scales], asymmetric(attributes, scales)).outputs;
  },
});

/**
 * Attributes for what operator set 10 and Upsample mean: output i lies at i / scale, and the nearest element is that before it
 * or, when the grid shrinks, after it, as ONNX Runtime has it.
 */
function asymmetric(attributes: Attributes, scales: Value | undefined): Attributes {
  const factors = knownNumbers("scales", scales) ?? [];
  const [grows, shrinks] = [factors.some((factor) => factor > 1), factors.some((factor) => factor < 1)];
  if (grows && shrinks)
    throw new UnsupportedError("Resize: an axis grows, another shrinks; operator set 10 leaves open how");
  const { mode } = attributes;
  return {
    ...attributes,
    ...(mode === "bilinear" && { mode: "linear" }),
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: shrinks ? "ceil" : "floor",
  };
}

/** The name of Resize before operator set 10, with the scales as an attribute before operator set 9. */
export const Upsample: OpDef = defineComposition("Upsample", {
  arity: "1-2",
  attributes: { mode: "string", scales: "floats" },
  settings: [1],
  build: ({ inputs: [x, given], attributes }) => {
    const scales = given ?? constant(tensor(attributes.scales ?? []));
    return [apply(Resize, [x, undefined, scales], asymmetric(without(attributes, ["scales"]), scales))];
  },
});

/** Options of `resize`. */
export interface ResizeOptions {
  /** What is taken: the element at or before, or an interpolation of 2 or 4 along each axis. Default nearest. */
  readonly mode?: "nearest" | "linear" | "cubic";
  /** Of an interpolation: put the corners' centres on one another, rather than the corners; default false. */
  readonly alignCorners?: boolean;
}

/** The float32 number above a positive one. */
function above(x: number): number {
  const [own] = new Uint32Array(Float32Array.of(x).buffer);
  return new Float32Array(Uint32Array.of((own ?? 0) + 1).buffer)[0] ?? x;
}

/** No image is larger along an axis: what a pixel costs may be made one by one. */
export const longestExtent = 1 << 16;

/**
 * The factor by which an extent becomes another, whether counted in float32, as kernels do, or exactly, as ONNX Runtime infers shapes; of
 * the nearest elements it takes those that the extents take. `undefined` if float32 has none.
 */
function factorBetween(from: number, to: number, isNearest: boolean): number | undefined {
  if (to > longestExtent) return undefined;
  const own = Math.fround(to / from);
  const places = Array.from({ length: isNearest ? to : 0 }, (_, at) => at);
  return [own, above(own)].find(
    (factor) =>
      Math.floor(from * factor) === to &&
      Math.floor(Math.fround(from * factor)) === to &&
      places.every((at) => Math.floor(Math.fround(at / factor)) === Math.floor((at * from) / to)),
  );
}

/** x [N, C, …] with its spatial axes resized to `extents`, as PyTorch's interpolate does it. */
export const resize = (
  x: Value,
  extents: Shape,
  { mode = "nearest", alignCorners = false }: ResizeOptions = {},
): Value => {
  const factors = extents.map((extent, i) => factorBetween(x.shape[i + 2] ?? 1, extent, mode === "nearest"));
  // Factors leave the batch open. (Sizes of the resized axes alone would, too, but ONNX Runtime forgets the attribute axes when it moves
  // transpositions.)
  const target = factors.some((factor) => factor === undefined)
    ? [undefined, int64s([...x.shape.slice(0, 2), ...extents])]
    : [constant(tensor([1, 1, ...(factors as number[])]))];
  return apply(Resize, [x, undefined, ...target], {
    mode,
    coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : alignCorners ? "align_corners" : "half_pixel",
    nearest_mode: "floor",
  });
};
