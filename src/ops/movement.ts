/** Operators that move elements without arithmetic: reshape, transpose, slice, pad, join, split, repeat. */
import { ShapeError } from "../core/errors.ts";
import {
  broadcastShapes,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  showShape,
  size,
} from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, makeNode, type OpDef, requireSameDType } from "../graph/op.ts";
import { int64s, type Operand, requireConstant, scalar } from "./constant.ts";
import { sub } from "./elementwise.ts";
import { reduceSum, sumTo } from "./reduce.ts";

const free = () => 0;

/** Resolves 0 (keep) and -1 (what is left) in a reshape target. */
function resolveShape(from: Shape, target: readonly number[], allowZero: boolean): Shape {
  const kept = target.map((extent, axis) => (extent === 0 && !allowZero ? (from[axis] ?? 0) : extent));
  const known = kept.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  const resolved = kept.map((extent) => (extent === -1 ? size(from) / known : extent));
  if (
    kept.filter((extent) => extent === -1).length > 1 ||
    size(resolved) !== size(from) ||
    !resolved.every(Number.isInteger)
  )
    throw new ShapeError(
      `reshape: ${showShape(from)} has ${size(from)} elements, ${showShape(target)} does not; pass a shape with as many`,
    );
  return resolved;
}

export const Reshape: OpDef = defineOp("Reshape", {
  arity: "2",
  attributes: { allowzero: "int" },
  infer: ([x, shape], { allowzero = 0 }) => ({
    dtype: x.dtype,
    shape: resolveShape(x.shape, requireConstant("Reshape", "shape", shape), allowzero === 1),
  }),
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape), undefined],
  flops: free,
  simplify: ({ inputs: [x], outputs: [y] }) => {
    const source = x.producer?.op === Reshape ? x.producer.inputs[0] : undefined;
    if (source) return [reshape(source, y.shape)];
    return sameShape(x.shape, y.shape) ? [x] : undefined;
  },
  batchLast: ({ inputs: [x], outputs: [y], has, last }) => {
    const [batch = 1] = x.shape;
    if (!has(x) || y.rank < 2 || y.shape[0] !== batch) return undefined;
    return { last: [reshape(last(x), [...y.shape.slice(1), batch])] };
  },
});

/** Joins the axes before and from `axis` into two. */
export const Flatten: OpDef = defineOp("Flatten", {
  arity: "1",
  attributes: { axis: "int" },
  infer: ([x], { axis = 1 }) => {
    const cut = axis < 0 ? axis + x.rank : axis;
    return { dtype: x.dtype, shape: [size(x.shape.slice(0, cut)), size(x.shape.slice(cut))] };
  },
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape)],
  flops: free,
});

export const Squeeze: OpDef = defineOp("Squeeze", {
  arity: "1-2",
  infer: ([x, axes]) => {
    const listed = axes
      ? normalizeAxes(requireConstant("Squeeze", "axes", axes), x.rank)
      : x.shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []));
    for (const axis of listed)
      if (x.shape[axis] !== 1)
        throw new ShapeError(`Squeeze: axis ${axis} of ${showShape(x.shape)} is not 1; name an axis of extent 1`);
    return { dtype: x.dtype, shape: x.shape.filter((_, axis) => !listed.includes(axis)) };
  },
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape), undefined],
  flops: free,
});

export const Unsqueeze: OpDef = defineOp("Unsqueeze", {
  arity: "2",
  infer: ([x, axes]) => {
    const listed = requireConstant("Unsqueeze", "axes", axes);
    const rank = x.rank + listed.length;
    const inserted = new Set(normalizeAxes(listed, rank));
    const rest = [...x.shape];
    return {
      dtype: x.dtype,
      shape: Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() ?? 1))),
    };
  },
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape), undefined],
  flops: free,
});

export const Transpose: OpDef = defineOp("Transpose", {
  arity: "1",
  attributes: { perm: "ints" },
  infer: ([x], { perm = x.shape.map((_, i) => x.rank - 1 - i) }) => {
    if (perm.length !== x.rank || new Set(perm).size !== x.rank)
      throw new ShapeError(
        `transpose: ${showShape(perm)} does not name each axis of ${showShape(x.shape)} once; pass a permutation of 0 to ${x.rank - 1}`,
      );
    return { dtype: x.dtype, shape: perm.map((axis) => x.shape[normalizeAxis(axis, x.rank)] ?? 1) };
  },
  grad: ({ g, inputs: [x], attributes: { perm = x.shape.map((_, i) => x.rank - 1 - i) } }) => [
    transpose(
      g,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  flops: free,
  simplify: ({ inputs: [x], outputs: [y], attributes: { perm } }) => {
    const inner = x.producer?.op === Transpose ? x.producer : undefined;
    const first = inner?.attributes.perm as readonly number[] | undefined;
    if (perm && first && inner?.inputs[0])
      return [
        transpose(
          inner.inputs[0],
          perm.map((axis) => first[axis] ?? 0),
        ),
      ];
    // Moving axes of extent 1 moves no element.
    const moved = perm?.filter((axis) => x.shape[axis] !== 1) ?? [];
    return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0)) && perm ? [reshape(x, y.shape)] : undefined;
  },
});

export const Expand: OpDef = defineOp("Expand", {
  arity: "2",
  infer: ([x, shape]) => ({
    dtype: x.dtype,
    shape: broadcastShapes(x.shape, requireConstant("Expand", "shape", shape)),
  }),
  grad: ({ g, inputs: [x] }) => [sumTo(g, x.shape), undefined],
  flops: free,
  batchLast: ({ inputs: [x], outputs: [y], has, last }) =>
    has(x) && x.rank === y.rank ? { last: [expand(last(x), [...y.shape.slice(1), y.shape[0] ?? 1])] } : undefined,
});

interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** ONNX slice semantics: bounds clamped to the extent, negative ones from the end. */
function resolveSlice(x: Value, starts: Value, ends: Value, axes?: Value, steps?: Value): Range[] {
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
  flops: free,
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
    if (mode !== "constant") throw new ShapeError(`pad: mode "${mode}" has no gradient; pad with a constant`);
    const widths = fullPads(x, pads, axes);
    const dx = pad(
      g,
      x.shape.map((_, axis) => [-(widths[axis] ?? 0), -(widths[axis + x.rank] ?? 0)]),
    );
    return [dx, undefined, value && needs[2] ? reshape(sub(reduceSum(g), reduceSum(dx)), value.shape) : undefined];
  },
  flops: free,
});

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

export const Concat: OpDef = defineOp("Concat", {
  arity: "1-",
  attributes: { axis: "int" },
  infer: (values, { axis = 0 }) => {
    requireSameDType("concat", ...values);
    const [first] = values;
    const along = normalizeAxis(axis, first.rank);
    for (const value of values)
      if (value.rank !== first.rank || value.shape.some((extent, i) => i !== along && extent !== first.shape[i]))
        throw new ShapeError(
          `concat along axis ${axis}: ${values.map((v) => showShape(v.shape)).join(", ")} differ on another axis; make those equal`,
        );
    const total = values.reduce((sum, value) => sum + (value.shape[along] ?? 0), 0);
    return { dtype: first.dtype, shape: first.shape.map((extent, i) => (i === along ? total : extent)) };
  },
  grad: ({ g, inputs, attributes: { axis = 0 } }) => {
    const along = normalizeAxis(axis, g.rank);
    return split(
      g,
      inputs.map((value) => value.shape[along] ?? 0),
      along,
    );
  },
  flops: free,
});

export const Split: OpDef = defineOp("Split", {
  arity: "1-2",
  attributes: { axis: "int", num_outputs: "int" },
  infer: ([x, lengths], { axis = 0, num_outputs = 2 }) => {
    const along = normalizeAxis(axis, x.rank);
    const extent = x.shape[along] ?? 0;
    const each = Math.ceil(extent / num_outputs);
    const parts = lengths
      ? requireConstant("Split", "lengths", lengths)
      : Array.from({ length: num_outputs }, (_, i) => Math.min(each, extent - i * each));
    if (parts.reduce((sum, part) => sum + part, 0) !== extent)
      throw new ShapeError(
        `split: lengths ${showShape(parts)} do not sum to the ${extent} of axis ${axis}; make them sum to it`,
      );
    return parts.map((part) => ({ dtype: x.dtype, shape: x.shape.map((own, i) => (i === along ? part : own)) }));
  },
  grad: ({ gs, outputs, attributes: { axis = 0 } }) => [
    concat(
      outputs.map((y, i) => gs[i] ?? expand(scalar(0, y.dtype), y.shape)),
      axis,
    ),
    undefined,
  ],
  flops: free,
});

export const Tile: OpDef = defineOp("Tile", {
  arity: "2",
  infer: ([x, repeats]) => {
    const times = requireConstant("Tile", "repeats", repeats);
    return { dtype: x.dtype, shape: x.shape.map((extent, axis) => extent * (times[axis] ?? 1)) };
  },
  grad: ({ g, inputs: [x, repeats] }) => {
    const times = requireConstant("Tile", "repeats", repeats);
    const folded = reshape(
      g,
      x.shape.flatMap((extent, axis) => [times[axis] ?? 1, extent]),
    );
    return [
      reduceSum(
        folded,
        x.shape.map((_, axis) => 2 * axis),
      ),
      undefined,
    ];
  },
  flops: free,
});

export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(Reshape, [x, int64s(shape)]);
/** Joins all axes from `axis` on into one. */
export const flatten = (x: Value, axis = 1): Value =>
  reshape(x, [...x.shape.slice(0, axis), size(x.shape.slice(axis))]);
/** Removes axes of extent 1. */
export const squeeze = (x: Value, axes: readonly number[]): Value => apply(Squeeze, [x, int64s(axes)]);
/** Inserts axes of extent 1. */
export const unsqueeze = (x: Value, axes: readonly number[]): Value => apply(Unsqueeze, [x, int64s(axes)]);
/** Permutes axes; reverses them by default. */
export const transpose = (x: Value, permutation?: readonly number[]): Value => {
  const perm = permutation ?? x.shape.map((_, i) => x.rank - 1 - i);
  return perm.every((axis, i) => axis === i) ? x : apply(Transpose, [x], { perm });
};
/** Exchanges two axes. */
export const swapAxes = (x: Value, a: number, b: number): Value => {
  const [i, j] = [normalizeAxis(a, x.rank), normalizeAxis(b, x.rank)];
  return transpose(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  );
};
/** Broadcasts to `shape`. */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(Expand, [x, int64s(shape)]);
export const concat = (values: readonly Value[], axis = 0): Value =>
  values.length === 1 && values[0] ? values[0] : apply(Concat, values, { axis });
/** Joins equal shapes along a new axis. */
export const stack = (values: readonly Value[], axis = 0): Value =>
  concat(
    values.map((value) => unsqueeze(value, [axis])),
    axis,
  );
/** Cuts into parts of the given lengths. */
export const split = (x: Value, lengths: readonly number[], axis = 0): readonly Value[] =>
  makeNode(Split, [x, int64s(lengths)], { axis }).outputs;
export const tile = (x: Value, repeats: readonly number[]): Value => apply(Tile, [x, int64s(repeats)]);

export interface SliceOptions {
  readonly axis: number;
  readonly start?: number;
  /** Exclusive; negative counts from the end. */
  readonly end?: number;
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
