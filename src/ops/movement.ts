/** Operators that move elements without arithmetic: reshape, transpose, join, split, repeat. */
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
import type { Tensor } from "../core/tensor.ts";
import { broadcastPosition, moveElements } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, makeNode, type OpDef, requireSameDType } from "../graph/op.ts";
import { type Rows, rowOrder, rowShape } from "../graph/rows.ts";
import { int64s, requireConstant, scalar } from "./constant.ts";
import { attributesToOperands, storedNode } from "./reading.ts";
import { reduceSum, sumTo } from "./reduce.ts";
import { commonAxis, onlyFirst, samplesAcross, samplesBeside, samplesReshaped } from "./samples.ts";
import { slice } from "./slicing.ts";

const free = () => 0;

/** Evaluates an operator that gives the same elements another shape. */
function relabel(
  [source]: readonly (Tensor | undefined)[],
  { outputs: [y] }: { readonly outputs: readonly [Value, ...Value[]] },
): readonly Tensor[] | undefined {
  return source && [source.reshape(y.shape)];
}

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
  halves: () => [0],
  target: 1,
  samples: ({ inputs: [x], outputs: [y], axes, count }) => samplesReshaped(x.shape, axes, count, y.shape),
  read: attributesToOperands({ shape: 1 }),
  evaluate: relabel,
  simplify: ({ inputs: [x], outputs: [y] }) => {
    const source = x.producer?.op === Reshape ? x.producer.inputs[0] : undefined;
    if (source) return [reshape(source, y.shape)];
    return sameShape(x.shape, y.shape) ? [x] : undefined;
  },
  byRows: ({ inputs: [x], outputs: [y], layout, has, rows }) => {
    const [batch = 1, channels = 1, ...spatial] = x.shape;
    if (!has(x) || y.rank < 2 || y.shape[0] !== batch) return undefined;
    if (layout.innermost === "batch") return { rows: [reshape(rows(x), [...y.shape.slice(1), batch])] };
    // Of channels at one position the order is the same.
    return size(spatial) === 1 && y.shape[1] === channels
      ? { rows: [reshape(rows(x), rowShape(y.shape, layout))] }
      : undefined;
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
  samples: ({ inputs: [x], outputs: [y], axes, count }) => samplesReshaped(x.shape, axes, count, y.shape),
  evaluate: relabel,
});

/** The axes that a Squeeze removes: those listed, or all of extent 1. */
const squeezedAxes = (x: Value, axes: Value | undefined): readonly number[] =>
  axes
    ? normalizeAxes(requireConstant("Squeeze", "axes", axes), x.rank)
    : x.shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []));

export const Squeeze: OpDef = defineOp("Squeeze", {
  arity: "1-2",
  infer: ([x, axes]) => {
    const listed = squeezedAxes(x, axes);
    for (const axis of listed)
      if (x.shape[axis] !== 1)
        throw new ShapeError(`Squeeze: axis ${axis} of ${showShape(x.shape)} is not 1; name an axis of extent 1`);
    return { dtype: x.dtype, shape: x.shape.filter((_, axis) => !listed.includes(axis)) };
  },
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape), undefined],
  flops: free,
  samples: ({ inputs: [x, squeezed], axes }) => samplesAcross(axes, squeezedAxes(x, squeezed), false),
  read: attributesToOperands({ axes: 1 }),
  evaluate: relabel,
});

/** The axes of the output that an Unsqueeze inserts. */
const insertedAxes = (x: Value, axes: Value): readonly number[] => {
  const listed = requireConstant("Unsqueeze", "axes", axes);
  return normalizeAxes(listed, x.rank + listed.length);
};

export const Unsqueeze: OpDef = defineOp("Unsqueeze", {
  arity: "2",
  infer: ([x, axes]) => {
    const inserted = new Set(insertedAxes(x, axes));
    const rank = x.rank + inserted.size;
    const rest = [...x.shape];
    return {
      dtype: x.dtype,
      shape: Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() ?? 1))),
    };
  },
  grad: ({ g, inputs: [x] }) => [reshape(g, x.shape), undefined],
  flops: free,
  samples: ({ inputs: [x, inserted], outputs: [y], axes }) => {
    const own = onlyFirst(axes);
    const there = insertedAxes(x, inserted);
    return own === undefined
      ? undefined
      : { outputs: [[...y.shape.keys()].filter((axis) => !there.includes(axis))[own]] };
  },
  read: attributesToOperands({ axes: 1 }),
  evaluate: relabel,
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
  halves: () => [0],
  samples: ({ axes: [own], inputs: [x], attributes: { perm = x.shape.map((_, i) => x.rank - 1 - i) } }) => ({
    outputs: [perm.findIndex((axis) => normalizeAxis(axis, x.rank) === own)],
  }),
  evaluate: ([source], { inputs: [x], outputs: [y], attributes: { perm = x.shape.map((_, i) => x.rank - 1 - i) } }) =>
    source && [moveElements(y, (position) => [source, x.shape.map((_, axis) => position[perm.indexOf(axis)] ?? 0)])],
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
  target: 1,
  samples: ({ inputs: [x], outputs: [y], axes: [own = Number.NaN] }) => {
    const at = own + y.rank - x.rank;
    return y.shape[at] === x.shape[own] ? { outputs: [at] } : undefined;
  },
  evaluate: ([source], { outputs: [y] }) =>
    source && [moveElements(y, (position) => [source, broadcastPosition(position, source.shape)])],
  byRows: ({ inputs: [x], outputs: [y], layout, has, rows }) =>
    has(x) && x.rank === y.rank ? { rows: [expand(rows(x), rowShape(y.shape, layout))] } : undefined,
});

/** Where an axis of a value of a rank is by rows. */
const axisOfRows = (axis: number, rank: number, { innermost }: Rows): number =>
  rowOrder(innermost, rank).indexOf(normalizeAxis(axis, rank));

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
  samples: ({ inputs, outputs: [y], axes, attributes: { axis = 0 } }) => {
    const own = commonAxis(axes);
    if (own === undefined || own === normalizeAxis(axis, y.rank)) return undefined;
    return { outputs: [own], operands: inputs.map(() => own) };
  },
  read: ({ version, inputs, attributes }, op) =>
    version < 4 && attributes.axis === undefined
      ? storedNode(op, inputs, { ...attributes, axis: 1 }).outputs
      : undefined,
  byRows: ({ inputs, outputs: [y], attributes: { axis = 0 }, layout, has, rows }) =>
    inputs.some(has) ? { rows: [concat(inputs.map(rows), axisOfRows(axis, y.rank, layout))] } : undefined,
  evaluate: (sources, { outputs: [y], attributes: { axis = 0 } }) => {
    const along = normalizeAxis(axis, y.rank);
    return [
      moveElements(y, (position) => {
        let [part, index] = [0, position[along] ?? 0];
        for (; index >= (sources[part]?.shape[along] ?? 1); part++) index -= sources[part]?.shape[along] ?? 1;
        return [sources[part] as Tensor, position.with(along, index)];
      }),
    ];
  },
});

/** Tensors that graphics cards bind at once at the least (WebGPU, "Limits": maxStorageBuffersPerShaderStage), less that which is split. */
const mostBound = 8 - 1;

export const Split: OpDef = defineOp("Split", {
  arity: "1-2",
  attributes: { axis: "int", num_outputs: "int" },
  infer: ([x, lengths], { axis = 0, num_outputs = 2 }) => {
    const along = normalizeAxis(axis, x.rank);
    const extent = x.shape[along] ?? 0;
    if (!lengths && !(num_outputs >= 1 && num_outputs <= extent))
      throw new ShapeError(
        `split: axis ${axis} of ${showShape(x.shape)} has no ${num_outputs} parts; ask for 1 to ${extent}`,
      );
    const each = Math.ceil(extent / num_outputs);
    const parts = lengths
      ? requireConstant("Split", "lengths", lengths)
      : Array.from({ length: num_outputs }, (_, i) => Math.min(each, extent - i * each));
    if (parts.some((part) => part < 0) || parts.reduce((sum, part) => sum + part, 0) !== extent)
      throw new ShapeError(
        `split: lengths ${showShape(parts)} do not sum to the ${extent} of axis ${axis}; make them sum to it, none below 0`,
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
  samples: ({ inputs: [x], outputs, axes, attributes: { axis = 0 } }) =>
    samplesBeside(axes, [normalizeAxis(axis, x.rank)], outputs.length),
  byRows: ({ inputs: [x], outputs, attributes: { axis = 0 }, layout, has, rows }) => {
    if (!has(x)) return undefined;
    const along = normalizeAxis(axis, x.rank);
    const lengths = outputs.map(({ shape }) => shape[along] ?? 0);
    return { rows: split(rows(x), lengths, axisOfRows(axis, x.rank, layout)) };
  },
  onWebGpu: ({ inputs: [x], outputs, attributes: { axis = 0 } }) => {
    if (outputs.length <= mostBound) return undefined;
    const along = normalizeAxis(axis, x.rank);
    let start = 0;
    return outputs.map(({ shape }) => {
      const end = start + (shape[along] ?? 0);
      const part = slice(x, { axis: along, start, end });
      start = end;
      return part;
    });
  },
  // Without lengths the parts are equal; before operator set 18 their number is that of the outputs.
  read: (stored, op) => {
    const { inputs, attributes, outputs } = stored;
    if (attributes.split !== undefined) return attributesToOperands({ split: 1 })(stored, op);
    if (inputs[1] || attributes.num_outputs !== undefined) return undefined;
    return storedNode(op, inputs, { ...attributes, num_outputs: outputs }).outputs;
  },
  evaluate: ([source], { outputs, attributes: { axis = 0 } }) => {
    if (!source) return undefined;
    const along = normalizeAxis(axis, source.shape.length);
    let start = 0;
    return outputs.map((y) => {
      const first = start;
      start += y.shape[along] ?? 0;
      return moveElements(y, (position) => [source, position.with(along, first + (position[along] ?? 0))]);
    });
  },
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
  samples: ({ inputs: [, repeats], axes }) =>
    samplesBeside(
      axes,
      requireConstant("Tile", "repeats", repeats).flatMap((times, axis) => (times === 1 ? [] : [axis])),
    ),
  evaluate: ([source], { outputs: [y] }) =>
    source && [
      moveElements(y, (position) => [source, position.map((index, axis) => index % (source.shape[axis] ?? 1))]),
    ],
});

/**
 * The elements in row-major order under another shape with as many; one extent may be -1, which the others decide.
 * Throws ShapeError for a shape that does not fit.
 */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(Reshape, [x, int64s(shape)]);
/** Joins all axes from `axis` on into one: [N, C, H, W] → [N, C · H · W]. */
export const flatten = (x: Value, axis = 1): Value =>
  reshape(x, [...x.shape.slice(0, axis), size(x.shape.slice(axis))]);
/** Removes axes of extent 1: [N, 1, F] at 1 → [N, F]. Throws ShapeError for an axis of another extent. */
export const squeeze = (x: Value, axes: readonly number[]): Value => apply(Squeeze, [x, int64s(axes)]);
/** Inserts axes of extent 1, counted in the result: [N, F] at 1 → [N, 1, F]. */
export const unsqueeze = (x: Value, axes: readonly number[]): Value => apply(Unsqueeze, [x, int64s(axes)]);
/** Permutes axes: axis i of the result is axis `permutation[i]` of x. By default it reverses them. */
export const transpose = (x: Value, permutation?: readonly number[]): Value => {
  const perm = permutation ?? x.shape.map((_, i) => x.rank - 1 - i);
  return perm.every((axis, i) => axis === i) ? x : apply(Transpose, [x], { perm });
};
/** Exchanges two axes; negative ones count from the end. */
export const swapAxes = (x: Value, a: number, b: number): Value => {
  const [i, j] = [normalizeAxis(a, x.rank), normalizeAxis(b, x.rank)];
  return transpose(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  );
};
/**
 * Broadcasts to a shape: axes of extent 1 are repeated, and missing ones are added in front. Throws ShapeError for a
 * shape to which x does not broadcast.
 */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply(Expand, [x, int64s(shape)]);
/**
 * Joins values along an axis that they have, one behind the other; their other extents are equal. Throws ShapeError
 * where they are not.
 */
export const concat = (values: readonly Value[], axis = 0): Value =>
  values.length === 1 && values[0] ? values[0] : apply(Concat, values, { axis });
/** Joins values of one shape along a new axis: two of [N, F] at 0 → [2, N, F]. */
export const stack = (values: readonly Value[], axis = 0): Value =>
  concat(
    values.map((value) => unsqueeze(value, [axis])),
    axis,
  );
/**
 * Cuts an axis into parts of the given lengths, which add up to its extent: [N, 6] by [2, 4] at 1 → [N, 2] and [N, 4].
 */
export const split = <const L extends readonly number[]>(
  x: Value,
  lengths: L,
  axis = 0,
): { readonly [K in keyof L]: Value } =>
  makeNode(Split, [x, int64s(lengths)], { axis }).outputs as readonly Value[] as { readonly [K in keyof L]: Value };
/** Repeats the whole tensor along each axis, as many times as `repeats` says: extents are multiplied by them. */
export const tile = (x: Value, repeats: readonly number[]): Value => apply(Tile, [x, int64s(repeats)]);
