/** Sampling at computed places: GridSample (Jaderberg et al. 2015), which interpolates between the elements around each. */
import { ShapeError, UnsupportedError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { add, mul, sub, where } from "../elementwise.ts";
import { otherFloats } from "../float-function.ts";
import { abs, floor, round } from "../functions.ts";
import { gatherElements } from "../indexing.ts";
import { and, greaterOrEqual, less } from "../logic.ts";
import { expand, reshape } from "../movement.ts";
import { storedNode } from "../reading.ts";
import { commonAxis } from "../samples.ts";
import { slice } from "../slicing.ts";
import { clipped, type Tap, weightedTaps } from "./taps.ts";

const modes = { linear: 2, nearest: 1, cubic: 4 } as const;
type Mode = keyof typeof modes;
const paddings = ["zeros", "border", "reflection"];

interface GridSettings {
  readonly mode: Mode;
  readonly padding: string;
  readonly alignCorners: boolean;
}

function settingsOf(attributes: {
  readonly mode?: string;
  readonly padding_mode?: string;
  readonly align_corners?: number;
}): GridSettings {
  const { mode = "linear", padding_mode = "zeros", align_corners = 0 } = attributes;
  if (!Object.hasOwn(modes, mode))
    throw new UnsupportedError(`GridSample: mode is "${mode}"; pass linear, nearest or cubic`);
  if (!paddings.includes(padding_mode))
    throw new UnsupportedError(`GridSample: padding_mode is "${padding_mode}"; pass ${paddings.join(", ")}`);
  return { mode: mode as Mode, padding: padding_mode, alignCorners: align_corners === 1 };
}

/** The places of x [N, C, d…] that a grid [N, o…, axes] names, by coordinates from -1 to 1, the last axis first: [N, C, o…]. */
export const GridSample: OpDef = defineOp("GridSample", {
  arity: "2",
  attributes: { mode: "string", padding_mode: "string", align_corners: "int" },
  infer: ([x, grid], attributes) => {
    const { mode } = settingsOf(attributes);
    requireFloat("GridSample", x);
    requireFloat("GridSample", grid);
    if (grid.rank !== x.rank || grid.shape[0] !== x.shape[0] || grid.shape.at(-1) !== x.rank - 2)
      throw new ShapeError(
        `GridSample: the grid is ${showShape(grid.shape)}, x ${showShape(x.shape)} needs [${x.shape[0]}, …, ${x.rank - 2}] of rank ${x.rank}`,
      );
    if (mode === "cubic" && x.rank !== 4)
      throw new ShapeError(`GridSample: mode cubic takes [N, C, H, W], got ${showShape(x.shape)}`);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] };
  },
  grad: { through: ({ inputs: [x, grid], attributes }) => [sampled(x, grid, settingsOf(attributes))] },
  // Two operations for each element that is taken.
  flops: ({ inputs: [x], outputs: [y], attributes }) =>
    2 * modes[settingsOf(attributes).mode] ** (x.rank - 2) * size(y.shape),
  samples: ({ axes }) => (commonAxis(axes) === 0 ? { outputs: [0], operands: [0, 0] } : undefined),
  // ONNX Runtime samples float32 only.
  lower: ({ inputs: [x, grid], attributes }) => otherFloats(x, () => sampled(x, grid, settingsOf(attributes))),
  // Before operator set 20 the modes had the names of two axes.
  read: ({ inputs, attributes }, op) => {
    const { mode = "linear" } = attributes;
    const names: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };
    return storedNode(op, inputs, { ...attributes, mode: names[mode as string] ?? mode }).outputs;
  },
});

/** Coordinates from -1 to 1 as places along an axis: the corners are the centres of its ends, or their outer edges. */
const placesOf = (coordinates: Value, extent: number, alignCorners: boolean): Value =>
  alignCorners ? mul(add(coordinates, 1), (extent - 1) / 2) : sub(mul(add(coordinates, 1), extent / 2), 0.5);

/** Places mirrored at `low` and `low + range` as often as it takes. */
function reflected(places: Value, low: number, range: number): Value {
  if (range === 0) return expand(scalar(low, places.dtype), places.shape);
  const from = sub(places, low);
  const wrapped = sub(from, mul(floor(mul(from, 1 / (2 * range))), 2 * range)); // in [0, 2 range)
  return sub(low + range, abs(sub(wrapped, range)));
}

/** The taps along one axis of `extent` elements at places [N, P]. */
function tapsAlong(coordinates: Value, extent: number, { mode, padding, alignCorners }: GridSettings): readonly Tap[] {
  const [low, range] = alignCorners ? [0, extent - 1] : [-0.5, extent];
  const mirror = (places: Value) => reflected(places, low, range);
  const all = placesOf(coordinates, extent, alignCorners);
  const free = mode === "nearest" ? round(all) : all;
  // Inside its axis a place stays exactly where it is.
  const isInside = and(greaterOrEqual(free, low), greaterOrEqual(low + range, free));
  const within = padding === "border" ? clipped(free, extent) : padding === "reflection" ? mirror(free) : free;
  const places = padding === "zeros" ? free : where(isInside, free, within);
  const first = mode === "nearest" ? round(places) : floor(places);
  const taps: readonly (readonly [number, Value | undefined])[] =
    mode === "nearest"
      ? [[0, undefined]]
      : mode === "linear"
        ? linearWeights(sub(places, first))
        : cubicWeights(sub(places, first));
  return taps.map(([step, weight]) => {
    const index = step === 0 ? first : add(first, step);
    if (padding === "zeros")
      return { index: clipped(index, extent), weight, isInside: and(greaterOrEqual(index, 0), less(index, extent)) };
    return { index: clipped(padding === "reflection" ? mirror(index) : index, extent), weight };
  });
}

const linearWeights = (t: Value) => [[0, sub(1, t)] as const, [1, t] as const];

/** Cubic convolution (Keys 1981, eq. 4) with the coefficient -0.75. */
function cubicWeights(t: Value) {
  const a = -0.75;
  const near = (d: Value) => add(mul(mul(sub(mul(d, a + 2), a + 3), d), d), 1);
  const far = (d: Value) => sub(mul(add(mul(sub(mul(d, a), 5 * a), d), 8 * a), d), 4 * a);
  return [
    [-1, far(add(t, 1))] as const,
    [0, near(t)] as const,
    [1, near(sub(1, t))] as const,
    [2, far(sub(2, t))] as const,
  ];
}

/** The same in operators that have gradients. */
function sampled(x: Value, grid: Value, settings: GridSettings): Value {
  if (x.dtype === "float16") return cast(sampled(cast(x, "float32"), cast(grid, "float32"), settings), x.dtype);
  const spatial = x.shape.slice(2);
  const [batch = 1] = x.shape;
  const count = size(grid.shape.slice(1, -1));
  const points = reshape(grid, [batch, count, spatial.length]);
  const along = spatial.map((extent, axis) => {
    const at = spatial.length - 1 - axis;
    return tapsAlong(reshape(slice(points, { axis: 2, start: at, end: at + 1 }), [batch, count]), extent, settings);
  });
  const flat = reshape(x, [...x.shape.slice(0, 2), size(spatial)]);
  const taken = weightedTaps(along, spatial, x.dtype).map(({ index, weight }) => {
    const positions = expand(reshape(index, [batch, 1, count]), [...x.shape.slice(0, 2), count]);
    const elements = gatherElements(flat, positions, 2);
    return weight ? mul(elements, reshape(weight, [batch, 1, count])) : elements;
  });
  const sum = taken.reduce((total, part) => add(total, part));
  return reshape(sum, [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)]);
}

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** What is taken: the nearest element, or an interpolation of 2 or 4 along each axis; default linear. */
  readonly mode?: Mode;
  /** What lies outside x: zeros, its border, or its mirror image; default zeros. */
  readonly padding?: "zeros" | "border" | "reflection";
  /** -1 and 1 are the centres of the outermost elements, rather than their outer edges; default false. */
  readonly alignCorners?: boolean;
}

/**
 * x [N, C, H, W] at the places of a grid [N, h, w, 2] of coordinates (x, y) from -1 to 1: [N, C, h, w]. Also of one or three axes.
 * Throws ShapeError for a grid that does not fit.
 */
export const gridSample = (
  x: Value,
  grid: Value,
  { mode = "linear", padding = "zeros", alignCorners = false }: GridSampleOptions = {},
): Value => apply(GridSample, [x, grid], { mode, padding_mode: padding, align_corners: alignCorners ? 1 : 0 });
