/** Operators that cut along axes or grow them: slices and padding. */
import { ShapeError, UnsupportedError } from "../core/errors.ts";
import { normalizeAxis, type Shape, showShape } from "../core/shape.ts";
import { requireTable } from "../core/tables.ts";
import { zerosTensor } from "../core/tensor.ts";
import { moveElements } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";
import { int64s, type Operand, requireConstant, scalar } from "./constant.ts";
import { sub } from "./elementwise.ts";
import { shortIntegers, through } from "./kernels.ts";
import { reshape } from "./movement.ts";
import { attributesToOperands } from "./reading.ts";
import { reduceSum } from "./reduce.ts";
import { samplesBeside } from "./samples.ts";
import { scatterAlong } from "./selection/scatter.ts";

interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** ONNX slice semantics: bounds clamped to the extent, negative ones from the end. */
export function resolveSlice(x: Value, starts: Value, ends: Value, axes?: Value, steps?: Value): Range[] {
  const [from, to] = [requireConstant("Slice", "starts", starts), requireConstant("Slice", "ends", ends)];
  const along = axes ? requireConstant("Slice", "axes", axes) : from.map((_, i) => i);
  const by = steps ? requireConstant("Slice", "steps", steps) : from.map(() => 1);
  const ranges: Range[] = x.shape.map((count) => ({ start: 0, step: 1, count }));
  for (const [i, axis] of along.entries()) {
    const extent = x.shape[normalizeAxis(axis, x.rank)] ?? 0;
    const step = by[i] ?? 1;
    const bound = (value: number, low: number, high: number) =>
      Math.min(Math.max(value < 0 ? value + extent : value, low), high);
    const start = step > 0 ? bound(from[i] ?? 0, 0, extent) : bound(from[i] ?? 0, 0, extent - 1);
    const end = step > 0 ? bound(to[i] ?? 0, 0, extent) : bound(to[i] ?? 0, -1, extent - 1);
    ranges[normalizeAxis(axis, x.rank)] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  }
  return ranges;
}

export const Slice: OpDef = defineOp("Slice", {
  arity: "3-5",
  infer: ([x, starts, ends, axes, steps]) => ({
    dtype: x.dtype,
    shape: resolveSlice(x, starts, ends, axes, steps).map(({ count }) => count),
  }),
  // The transpose of a slice: zeros around (and, for a stride, between) the gradient's elements.
  grad: ({ g, inputs: [x, starts, ends, axes, steps] }) => {
    const ranges = resolveSlice(x, starts, ends, axes, steps);
    let grown = g;
    for (const [axis, { step }] of ranges.entries()) {
      if (step < 0) grown = flip(grown, axis);
      grown = dilate(grown, axis, Math.abs(step));
    }
    const pads = ranges.map(({ start, step, count }, axis) => {
      const first = step < 0 ? start + step * (count - 1) : start;
      return [first, (x.shape[axis] ?? 0) - first - (grown.shape[axis] ?? 0)] as const;
    });
    return [pad(grown, pads)];
  },
  flops: () => 0,
  // The provider goes backwards by one alone.
  onWebGpu: ({ inputs: [x, starts, ends, axes, steps] }) => {
    const ranges = resolveSlice(x, starts, ends, axes, steps);
    if (ranges.every(({ step }) => step >= -1)) return undefined;
    const turned = ranges.reduce((value, { step }, axis) => (step < 0 ? flip(value, axis) : value), x);
    const cuts = ranges.map(({ start, step, count }, axis) => {
      const first = step < 0 ? (x.shape[axis] ?? 0) - 1 - start : start;
      return {
        axis,
        start: first,
        end: first + Math.max(0, count - 1) * Math.abs(step) + Math.min(1, count),
        step: Math.abs(step),
      };
    });
    return [slice(turned, ...cuts)];
  },
  samples: ({ inputs: [x, starts, ends, along, steps], axes }) =>
    samplesBeside(
      axes,
      resolveSlice(x, starts, ends, along, steps).flatMap(({ step, count }, axis) =>
        step === 1 && count === x.shape[axis] ? [] : [axis],
      ),
    ),
  read: attributesToOperands({ starts: 1, ends: 2, axes: 3 }),
  evaluate: ([source], { inputs: [x, starts, ends, axes, steps], outputs: [y] }) => {
    const ranges = resolveSlice(x, starts, ends, axes, steps);
    return (
      source && [
        moveElements(y, (position) => [
          source,
          ranges.map(({ start, step }, axis) => start + step * (position[axis] ?? 0)),
        ]),
      ]
    );
  },
});

/** Puts `step - 1` zeros between neighbours along an axis: [..., n, ...] → [..., (n - 1) · step + 1, ...]. */
export function dilate(x: Value, axis: number, step: number): Value {
  if (step === 1) return x;
  const extent = x.shape[axis] ?? 1;
  const split = reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const padded = pad(
    split,
    split.shape.map((_, i) => (i === axis + 1 ? [0, step - 1] : [0, 0])),
  );
  const joined = reshape(
    padded,
    x.shape.map((own, i) => (i === axis ? own * step : own)),
  );
  return slice(joined, { axis, start: 0, end: (extent - 1) * step + 1 });
}

export const Pad: OpDef = defineOp("Pad", {
  arity: "2-4",
  settings: [2],
  attributes: { mode: "string" },
  infer: ([x, pads, , axes]) => {
    const widths = fullPads(x, pads, axes);
    const shape = x.shape.map((extent, axis) => extent + (widths[axis] ?? 0) + (widths[axis + x.rank] ?? 0));
    if (shape.some((extent) => extent < 0))
      throw new ShapeError(`pad: ${showShape(widths)} cuts more than ${showShape(x.shape)} has; cut less`);
    return { dtype: x.dtype, shape };
  },
  grad: ({ g, inputs: [x, pads, value, axes], attributes: { mode = "constant" }, needs }) => {
    const widths = fullPads(x, pads, axes);
    if (mode !== "constant") return [returned(g, x.shape, widths, mode)];
    const dx = pad(
      g,
      x.shape.map((_, axis) => [-(widths[axis] ?? 0), -(widths[axis + x.rank] ?? 0)]),
    );
    return [dx, undefined, value && needs[2] ? reshape(sub(reduceSum(g), reduceSum(dx)), value.shape) : undefined];
  },
  flops: () => 0,
  samples: ({ inputs: [x, pads, , along], axes }) => {
    const widths = fullPads(x, pads, along);
    return samplesBeside(
      axes,
      x.shape.flatMap((_, axis) => (widths[axis] === 0 && widths[axis + x.rank] === 0 ? [] : [axis])),
    );
  },
  read: attributesToOperands({ pads: 1, value: 2 }),
  lower: through(shortIntegers, [0, 2]),
  evaluate: ([source, , value], { inputs: [x, pads, , axes], outputs: [y], attributes: { mode = "constant" } }) => {
    if (!source || mode !== "constant") return undefined;
    const widths = fullPads(x, pads, axes);
    const outside = value ?? zerosTensor(x.dtype, []);
    return [
      moveElements(y, (position) => {
        const at = position.map((index, axis) => index - (widths[axis] ?? 0));
        const isInside = at.every((index, axis) => index >= 0 && index < (x.shape[axis] ?? 0));
        return isInside ? [source, at] : [outside, []];
      }),
    ];
  },
});

/** Where the elements around an axis of `extent` come from: of its mirror image, of its ends, or of it again from the other end. */
const sources: Readonly<Record<string, (index: number, extent: number) => number>> = {
  reflect: (index, extent) => {
    const period = Math.max(1, 2 * (extent - 1));
    const within = ((index % period) + period) % period;
    return Math.min(within, period - within);
  },
  edge: (index, extent) => Math.min(Math.max(index, 0), extent - 1),
  wrap: (index, extent) => ((index % extent) + extent) % extent,
};

/** The gradient of x: each element of g is added to the one that it came from, axis by axis. */
function returned(g: Value, shape: Shape, widths: readonly number[], mode: string): Value {
  const source = sources[mode];
  if (!source) throw new UnsupportedError(`pad: mode is "${mode}"; pass constant, reflect, edge or wrap`);
  return shape.reduce((sum, extent, axis) => {
    const [before = 0, after = 0] = [widths[axis], widths[axis + shape.length]];
    if (before === 0 && after === 0) return sum;
    requireTable("pad: an axis", before + extent + after);
    const from = Array.from({ length: before + extent + after }, (_, i) => source(i - before, extent));
    const target = sum.shape.with(axis, extent);
    return scatterAlong(target, int64s(from), sum, axis);
  }, g);
}

/** Pads for every axis: begins, then ends. */
function fullPads(x: Value, pads: Value, axes?: Value): number[] {
  const listed = requireConstant("Pad", "pads", pads);
  const along = axes
    ? requireConstant("Pad", "axes", axes).map((axis) => normalizeAxis(axis, x.rank))
    : x.shape.map((_, i) => i);
  const result = new Array<number>(2 * x.rank).fill(0);
  for (const [i, axis] of along.entries()) {
    result[axis] = listed[i] ?? 0;
    result[axis + x.rank] = listed[i + along.length] ?? 0;
  }
  return result;
}

/** Options of `slice`. */
export interface SliceOptions {
  /** The axis to cut; negative counts from the end. */
  readonly axis: number;
  /** First element; negative counts from the end; default 0. */
  readonly start?: number;
  /** The element behind the last; negative counts from the end; default the extent. */
  readonly end?: number;
  /** Distance from one element that is taken to the next; default 1. */
  readonly step?: number;
}
/** Elements start, start+step, … before end, along each given axis. */
export function slice(x: Value, ...ranges: readonly SliceOptions[]): Value {
  const far = 2 ** 31 - 1;
  const by = ranges.map(({ step = 1 }) => step);
  return apply(Slice, [
    x,
    int64s(ranges.map(({ start }, i) => start ?? ((by[i] ?? 1) > 0 ? 0 : far))),
    int64s(ranges.map(({ end }, i) => end ?? ((by[i] ?? 1) > 0 ? far : -far))),
    int64s(ranges.map(({ axis }) => normalizeAxis(axis, x.rank))),
    int64s(by),
  ]);
}
/** Reverses an axis. */
export const flip = (x: Value, axis: number): Value => slice(x, { axis, step: -1 });

/** Pads each axis by [before, after]; negative widths cut. */
export function pad(
  x: Value,
  widths: readonly (readonly [number, number] | readonly number[])[],
  value: Operand = 0,
): Value {
  if (widths.every(([before, after]) => before === 0 && after === 0)) return x;
  const pads = [...widths.map(([before = 0]) => before), ...widths.map(([, after = 0]) => after)];
  return apply(Pad, [x, int64s(pads), typeof value === "number" ? scalar(value, x.dtype) : value]);
}
