/** Reading and writing at computed positions: gather, scatter, one-hot. */
import type { DType } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { normalizeAxis, type Shape, sameShape, showShape, size, stridesOf } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { forEachPosition, moveElements, offsetOf, type Position } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import {
  apply,
  defineOp,
  type OpDef,
  requireNumbers,
  requireSameDType,
  type SampleAxes,
  type SampledNode,
} from "../graph/op.ts";
import { cast } from "./cast.ts";
import { checkPositions } from "./checks.ts";
import { constant, int64s, iota, requireConstant, scalar, zeros } from "./constant.ts";
import { where } from "./elementwise.ts";
import { through } from "./kernels.ts";
import { concat, expand, reshape, transpose } from "./movement.ts";
import { defineComposition } from "./reading.ts";
import { commonAxis, onlyFirst } from "./samples.ts";
import { reductionGradients } from "./selection/scatter-reductions.ts";

function requireIndices(op: string, indices: Value): void {
  if (indices.dtype !== "int64" && indices.dtype !== "int32")
    throw new DTypeError(`${op}: indices must be int32 or int64, got ${indices.dtype}; cast(indices, "int64")`);
}

/** How many axes of x the last axis of `indices` addresses. */
function addressDepth(op: string, x: Value, indices: Value): number {
  if (indices.dtype !== "int64")
    throw new DTypeError(`${op}: indices must be int64, got ${indices.dtype}; cast(indices, "int64")`);
  const depth = indices.shape.at(-1) ?? 0;
  if (depth < 1 || depth > x.rank)
    throw new ShapeError(
      `${op}: indices ${showShape(indices.shape)} address ${depth} axes, ${showShape(x.shape)} has ${x.rank}; make their last extent 1 to ${x.rank}`,
    );
  return depth;
}

/** Reads indices of an axis of `extent`, where negative ones count from its end. Throws ShapeError for one outside. */
function indexReader(indices: Tensor): (position: Position, extent: number) => number {
  const strides = stridesOf(indices.shape);
  return (position, extent) => {
    const index = Number(indices.data[offsetOf(position, strides)]);
    if (!(index >= -extent && index < extent))
      throw new ShapeError(`index ${index} is outside an axis of ${extent}; pass ${-extent} to ${extent - 1}`);
    return index < 0 ? index + extent : index;
  };
}

/** Reads the addresses in the last axis of the indices, each of the first axes of `shape`. */
function addressReader(indices: Tensor, shape: Shape): (position: Position) => Position {
  const lookUp = indexReader(indices);
  const depth = indices.shape.at(-1) ?? 0;
  return (position) => shape.slice(0, depth).map((extent, axis) => lookUp([...position, axis], extent));
}

function positionsOf(shape: Shape): readonly Position[] {
  const positions: Position[] = [];
  forEachPosition(shape, (position) => positions.push(position));
  return positions;
}

/** The source with the updates, row-major, put at the targets; the last one stays where some share a target. */
function withUpdates(source: Tensor, targets: readonly Position[], updates: Tensor): Tensor {
  const result = new Tensor(source.dtype, source.shape, source.data.slice() as typeof source.data);
  const strides = stridesOf(source.shape);
  for (const [i, target] of targets.entries()) result.data[offsetOf(target, strides)] = updates.data[i] as number;
  return result;
}

/** Rows of x along an axis: output axis `axis` is replaced by the shape of the indices. */
export const Gather: OpDef = defineOp("Gather", {
  arity: "2",
  attributes: { axis: "int" },
  infer: ([x, indices], { axis = 0 }) => {
    requireIndices("gather", indices);
    const along = normalizeAxis(axis, x.rank);
    checkPositions(indices, x.shape[along] ?? 0);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)] };
  },
  grad: ({ g, inputs: [x, indices], attributes: { axis = 0 } }) => [
    scatterAlong(x.shape, indices, g, normalizeAxis(axis, x.rank)),
    undefined,
  ],
  flops: () => 0,
  samples: ({ inputs: [x, indices], axes: [own, ofIndices], attributes: { axis = 0 } }) => {
    const along = normalizeAxis(axis, x.rank);
    if (own === undefined) return ofIndices === undefined ? undefined : { outputs: [along + ofIndices] };
    if (ofIndices !== undefined || own === along) return undefined;
    return { outputs: [own < along ? own : own + indices.rank - 1] };
  },
  evaluate: ([source, indices], { outputs: [y], attributes: { axis = 0 } }) => {
    if (!source || !indices) return undefined;
    const along = normalizeAxis(axis, source.shape.length);
    const rank = indices.shape.length;
    const lookUp = indexReader(indices);
    return [
      moveElements(y, (position) => {
        const index = lookUp(position.slice(along, along + rank), source.shape[along] ?? 1);
        return [source, [...position.slice(0, along), index, ...position.slice(along + rank)]];
      }),
    ];
  },
});

interface ElementsView {
  readonly inputs: readonly [Value, ...Value[]];
  readonly axes: SampleAxes;
  readonly attributes: { readonly axis?: number };
}

/** Positions along one axis, the same place along the others: samples may lie along those. */
function samplesOfElements({ inputs, axes, attributes: { axis = 0 } }: ElementsView): SampledNode | undefined {
  const own = commonAxis(axes);
  if (own === undefined || own === normalizeAxis(axis, inputs[0].rank)) return undefined;
  return { outputs: [own], operands: inputs.map(() => own) };
}

/** out[i][j] = x[indices[i][j]][j] for axis 0, and so on. */
export const GatherElements: OpDef = defineOp("GatherElements", {
  arity: "2",
  attributes: { axis: "int" },
  infer: ([x, indices], { axis = 0 }) => {
    requireIndices("gatherElements", indices);
    const along = normalizeAxis(axis, x.rank);
    checkPositions(indices, x.shape[along] ?? 0);
    if (indices.rank !== x.rank || indices.shape.some((extent, i) => i !== along && extent > (x.shape[i] ?? 0)))
      throw new ShapeError(
        `gatherElements: indices ${showShape(indices.shape)} do not fit ${showShape(x.shape)} off axis ${axis}; make those extents equal or smaller`,
      );
    return { dtype: x.dtype, shape: indices.shape };
  },
  grad: ({ g, inputs: [x, indices], attributes: { axis = 0 } }) => [
    scatterElements(x.shape, indices, g, axis),
    undefined,
  ],
  flops: () => 0,
  samples: (view) => samplesOfElements(view),
  evaluate: ([source, indices], { outputs: [y], attributes: { axis = 0 } }) => {
    if (!source || !indices) return undefined;
    const along = normalizeAxis(axis, source.shape.length);
    const lookUp = indexReader(indices);
    return [moveElements(y, (position) => [source, position.with(along, lookUp(position, source.shape[along] ?? 1))])];
  },
});

/** x with updates[i][j] added at (or put into) [indices[i][j]][j] for axis 0, and so on. */
export const ScatterElements: OpDef = defineOp("ScatterElements", {
  arity: "3",
  attributes: { axis: "int", reduction: "string" },
  infer: ([x, indices, updates], { reduction = "none" }) => {
    requireIndices("scatterElements", indices);
    requireSameDType("scatterElements", x, updates);
    if (reduction !== "none") requireNumbers("scatterElements", x);
    if (indices.rank !== x.rank || showShape(indices.shape) !== showShape(updates.shape))
      throw new ShapeError(
        `scatterElements: indices ${showShape(indices.shape)} and updates ${showShape(updates.shape)} must have one shape, of the rank of ${showShape(x.shape)}`,
      );
    return x;
  },
  grad: ({ g, inputs: [x, indices, updates], outputs: [y], attributes: { axis = 0, reduction = "none" } }) => {
    if (reduction === "add") return [g, undefined, gatherElements(g, indices, axis)];
    if (reduction !== "none")
      return reductionGradients(
        "scatterElements",
        reduction,
        { g, x, updates, y },
        {
          take: (from) => gatherElements(from, indices, axis),
          put: (into, given, joined) => apply(ScatterElements, [into, indices, given], { axis, reduction: joined }),
        },
      );
    const cleared = apply(ScatterElements, [g, indices, expand(zeros([1], g.dtype), updates.shape)], {
      axis,
      reduction,
    });
    return [cleared, undefined, gatherElements(g, indices, axis)];
  },
  samples: (view) => samplesOfElements(view),
  flops: ({ inputs: [, , updates], attributes: { reduction } }) => (reduction === "add" ? size(updates.shape) : 0),
  lower: through({ float16: "float32" }, [0, 2]),
  evaluate: ([source, indices, updates], { attributes: { axis = 0, reduction = "none" } }) => {
    if (!source || !indices || !updates || reduction !== "none") return undefined;
    const along = normalizeAxis(axis, source.shape.length);
    const lookUp = indexReader(indices);
    const targets = positionsOf(indices.shape).map((position) =>
      position.with(along, lookUp(position, source.shape[along] ?? 1)),
    );
    return [withUpdates(source, targets, updates)];
  },
});

/** The name of ScatterElements before operator set 11. */
export const Scatter: OpDef = defineComposition("Scatter", {
  arity: "3",
  attributes: { axis: "int" },
  build: ({ inputs, attributes }) => [apply(ScatterElements, inputs, attributes)],
});

/** x[indices[…, :]]: the last axis of the indices addresses the first axes of x. */
export const GatherND: OpDef = defineOp("GatherND", {
  arity: "2",
  attributes: { batch_dims: "int" },
  infer: ([x, indices], { batch_dims = 0 }) => {
    const depth = addressDepth("gatherND", x, indices);
    return { dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batch_dims + depth)] };
  },
  grad: ({ g, inputs: [x, indices], attributes: { batch_dims = 0 } }) => {
    const all = withBatch(indices, batch_dims);
    return [apply(ScatterND, [expand(zeros([1], x.dtype), x.shape), all, g], { reduction: "add" }), undefined];
  },
  flops: () => 0,
  samples: ({ inputs: [, indices], axes, attributes: { batch_dims = 0 } }) => {
    const own = commonAxis(axes);
    if (own === undefined || own >= indices.rank - 1) return undefined;
    if (own < batch_dims) return { outputs: [own], operands: [own, own] };
    return axes[0] === undefined ? { outputs: [own] } : undefined;
  },
  evaluate: ([source, indices], { outputs: [y], attributes: { batch_dims = 0 } }) => {
    if (!source || !indices) return undefined;
    const lookUp = addressReader(indices, source.shape.slice(batch_dims));
    const rank = indices.shape.length - 1;
    return [
      moveElements(y, (position) => {
        const address = lookUp(position.slice(0, rank));
        return [source, [...position.slice(0, batch_dims), ...address, ...position.slice(rank)]];
      }),
    ];
  },
});

/** x with updates added at (or put into) x[indices[…, :]]. */
export const ScatterND: OpDef = defineOp("ScatterND", {
  arity: "3",
  attributes: { reduction: "string" },
  infer: ([x, indices, updates], { reduction = "none" }) => {
    requireSameDType("scatterND", x, updates);
    if (reduction !== "none") requireNumbers("scatterND", x);
    const expected = [...indices.shape.slice(0, -1), ...x.shape.slice(addressDepth("scatterND", x, indices))];
    if (!sameShape(updates.shape, expected))
      throw new ShapeError(
        `scatterND: updates are ${showShape(updates.shape)}, indices ${showShape(indices.shape)} into ${showShape(x.shape)} need ${showShape(expected)}; reshape the updates`,
      );
    if (indices.shape.at(-1) === 1) checkPositions(indices, x.shape[0] ?? 0);
    return x;
  },
  grad: ({ g, inputs: [x, indices, updates], outputs: [y], attributes: { reduction = "none" } }) => {
    const taken = apply(GatherND, [g, indices]);
    if (reduction === "add") return [g, undefined, taken];
    if (reduction !== "none")
      return reductionGradients(
        "scatterND",
        reduction,
        { g, x, updates, y },
        {
          take: (from) => apply(GatherND, [from, indices]),
          put: (into, given, joined) => apply(ScatterND, [into, indices, given], { reduction: joined }),
        },
      );
    return [apply(ScatterND, [g, indices, expand(zeros([1], g.dtype), updates.shape)]), undefined, taken];
  },
  flops: ({ inputs: [, , updates], attributes: { reduction } }) => (reduction === "add" ? size(updates.shape) : 0),
  lower: through({ float16: "float32" }, [0, 2]),
  evaluate: ([source, indices, updates], { attributes: { reduction = "none" } }) => {
    if (!source || !indices || !updates || reduction !== "none") return undefined;
    const lookUp = addressReader(indices, source.shape);
    const rank = indices.shape.length - 1;
    const targets = positionsOf(updates.shape).map((position) => [
      ...lookUp(position.slice(0, rank)),
      ...position.slice(rank),
    ]);
    return [withUpdates(source, targets, updates)];
  },
});

/** Addresses within each entry of the first axes as addresses of all. */
function withBatch(indices: Value, batchAxes: number): Value {
  if (batchAxes === 0) return indices;
  const rows = indices.shape.slice(0, -1);
  const own = Array.from({ length: batchAxes }, (_, axis) => {
    const counted = reshape(
      iota(rows[axis] ?? 1),
      rows.map((extent, i) => (i === axis ? extent : 1)),
    );
    return reshape(expand(counted, rows), [...rows, 1]);
  });
  return concat([...own, indices], -1);
}

/** Each sequence of the batch with its first `lengths` steps in reverse order, the others as they are. */
export const ReverseSequence: OpDef = defineOp("ReverseSequence", {
  arity: "2",
  attributes: { time_axis: "int", batch_axis: "int" },
  infer: ([x, lengths], { batch_axis = 1 }) => {
    const batch = x.shape[normalizeAxis(batch_axis, x.rank)];
    if (lengths.dtype !== "int64")
      throw new DTypeError(`reverseSequence: lengths must be int64, got ${lengths.dtype}; cast(lengths, "int64")`);
    if (lengths.rank !== 1 || lengths.shape[0] !== batch)
      throw new ShapeError(
        `reverseSequence: lengths are ${showShape(lengths.shape)}, the batch axis of ${showShape(x.shape)} has ${batch}; pass one for each`,
      );
    return x;
  },
  // It undoes itself.
  grad: ({ g, inputs: [, lengths], attributes }) => [apply(ReverseSequence, [g, lengths], attributes), undefined],
  flops: () => 0,
  samples: ({ inputs: [x], axes: [own, ofLengths], attributes: { batch_axis = 1 } }) => {
    const batch = normalizeAxis(batch_axis, x.rank);
    if ((own ?? batch) !== batch || (ofLengths ?? 0) !== 0) return undefined;
    return { outputs: [batch], operands: [batch, 0] };
  },
});

export const OneHot: OpDef = defineOp("OneHot", {
  arity: "3",
  settings: [2],
  attributes: { axis: "int" },
  infer: ([indices, depth, values], { axis = -1 }) => {
    const count = requireConstant("OneHot", "depth", depth)[0] ?? 0;
    const at = axis < 0 ? axis + indices.rank + 1 : axis;
    return { dtype: values.dtype, shape: [...indices.shape.slice(0, at), count, ...indices.shape.slice(at)] };
  },
  grad: "none",
  flops: () => 0,
  samples: ({ outputs: [y], axes, attributes: { axis = -1 } }) => {
    const own = onlyFirst(axes);
    return own === undefined ? undefined : { outputs: [own < normalizeAxis(axis, y.rank) ? own : own + 1] };
  },
  // ONNX Runtime has kernels for indices of int64 with values of float32 or int64.
  lower: ({ inputs: [indices, depth, values], attributes }) => {
    const at = cast(indices, "int64");
    const [length = 0] = requireConstant("OneHot", "depth", depth);
    const count = depth.dtype === "int64" ? depth : scalar(length, "int64");
    if (values.dtype === "float32" || values.dtype === "int64")
      return at === indices && count === depth ? undefined : [apply(OneHot, [at, count, values], attributes)];
    const hot = apply(OneHot, [at, count, int64s([0, 1])], attributes);
    const [off, on] = [0, 1].map((i) => gather(values, scalar(i, "int64")));
    return [where(cast(hot, "bool"), on as Value, off as Value)];
  },
  evaluate: ([indices, , values], { inputs: [, depth], outputs: [y], attributes: { axis = -1 } }) => {
    if (!indices || !values) return undefined;
    const count = requireConstant("OneHot", "depth", depth)[0] ?? 0;
    const at = axis < 0 ? axis + y.rank : axis;
    const strides = stridesOf(indices.shape);
    return [
      moveElements(y, (position) => {
        // An index outside the depth is nowhere hot.
        const index = Number(indices.data[offsetOf(position.toSpliced(at, 1), strides)]);
        return [values, [(index < 0 ? index + count : index) === position[at] ? 1 : 0]];
      }),
    ];
  },
});

/**
 * Rows of x along `axis`, those at the indices, integers of any shape, which takes the place of the axis: x [count,
 * width] at [N, T] → [N, T, width].
 */
export const gather = (x: Value, indices: Value, axis = 0): Value => apply(Gather, [x, indices], { axis });
/**
 * Along `axis`, element i is that at `indices[i]`, everything else at its own place: the result has the shape of the
 * indices, integers of the rank of x.
 */
export const gatherElements = (x: Value, indices: Value, axis = 0): Value =>
  apply(GatherElements, [x, indices], { axis });
/** Zeros of `shape` with `updates` added at `indices` along `axis`: the transpose of gatherElements. */
export const scatterElements = (shape: Shape, indices: Value, updates: Value, axis = 0): Value =>
  apply(ScatterElements, [expand(zeros([1], updates.dtype), shape), indices, updates], { axis, reduction: "add" });
/** Zeros of `shape` with the slices of `values` along `axis`, which has the indices' axes in its place, added at the indices: the transpose of gather. */
export function scatterAlong(shape: Shape, indices: Value, values: Value, axis: number): Value {
  // Bring the gathered axes to the front, then add each row to its row of zeros.
  const count = indices.rank;
  const order = values.shape.map((_, i) => i);
  const rows = transpose(values, [
    ...order.slice(axis, axis + count),
    ...order.slice(0, axis),
    ...order.slice(axis + count),
  ]);
  const rest = [...shape.slice(0, axis), ...shape.slice(axis + 1)];
  const added = scatterRows(
    [shape[axis] ?? 0, ...rest],
    reshape(indices, [size(indices.shape)]),
    reshape(rows, [size(indices.shape), ...rest]),
  );
  return transpose(
    added,
    shape.map((_, i) => (i < axis ? i + 1 : i === axis ? 0 : i)),
  );
}
/** Zeros of `shape` with row i of `rows` [count, …] added to row `indices[i]`: the transpose of gather. */
export const scatterRows = (shape: Shape, indices: Value, rows: Value): Value =>
  apply(
    ScatterND,
    [expand(zeros([1], rows.dtype), shape), reshape(cast(indices, "int64"), [...indices.shape, 1]), rows],
    {
      reduction: "add",
    },
  );
/** 1 at each index along a new last axis of `depth`, 0 elsewhere: integers [...] → [..., depth]. */
export const oneHot = (indices: Value, depth: number, dtype: DType = "float32"): Value =>
  apply(OneHot, [indices, constant(tensor(depth, { dtype: "int64" })), constant(tensor([0, 1], { dtype }))], {
    axis: -1,
  });
