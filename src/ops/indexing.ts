/** Reading at computed positions: gather, one-hot. */
import type { DType } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { normalizeAxis, showShape, stridesOf } from "../core/shape.ts";
import { tensor } from "../core/tensor.ts";
import { moveElements, offsetOf } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";
import { cast } from "./cast.ts";
import { checkPositions } from "./checks.ts";
import { constant, int64s, iota, requireConstant, scalar, zeros } from "./constant.ts";
import { where } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { concat, expand, reshape, transpose } from "./movement.ts";
import { rowsOfUnpacked } from "./quantized/quantization.ts";
import { commonAxis, onlyFirst } from "./samples.ts";
import { addressDepth, addressReader, indexReader, requireIndices, samplesOfElements } from "./selection/addresses.ts";
import { ScatterND, scatterAlong, scatterElements } from "./selection/scatter.ts";
import { labelsOfManyScores } from "./training/label-scores.ts";

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
  simplify: ({ inputs: [table, indices], attributes: { axis = 0 } }) => {
    const rows = axis === 0 ? rowsOfUnpacked(table, indices) : undefined;
    return rows && [rows];
  },
  // Of a table [count, width] A [rank, count] has the columns of rows, B [width, rank] widens them.
  lowRank: ({ inputs: [table, indices], outputs: [y], attributes: { axis = 0 } }, position) => {
    if (position !== 0 || axis !== 0 || table.rank !== 2) return undefined;
    const [count = 1, width = 1] = table.shape;
    return {
      x: indices,
      outputAxes: { weight: 1, y: y.rank - 1 },
      shapes: (rank) => [
        [rank, count],
        [width, rank],
      ],
      narrow: (given, a, b) => matmul(gather(transpose(a, [1, 0]), given), b, { transB: true }),
      product: (a, b) => matmul(a, b, { transA: true, transB: true }),
      bare: (given) => gather(table, given),
      biased: (f) => f,
    };
  },
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
  simplify: ({ inputs: [x, indices], attributes: { axis = 0 } }) => {
    const chosen = labelsOfManyScores(x, indices, axis);
    return chosen && [chosen];
  },
  samples: (view) => samplesOfElements(view),
  evaluate: ([source, indices], { outputs: [y], attributes: { axis = 0 } }) => {
    if (!source || !indices) return undefined;
    const along = normalizeAxis(axis, source.shape.length);
    const lookUp = indexReader(indices);
    return [moveElements(y, (position) => [source, position.with(along, lookUp(position, source.shape[along] ?? 1))])];
  },
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
/** 1 at each index along a new last axis of `depth`, 0 elsewhere: integers [...] → [..., depth]. */
export const oneHot = (indices: Value, depth: number, dtype: DType = "float32"): Value =>
  apply(OneHot, [indices, constant(tensor(depth, { dtype: "int64" })), constant(tensor([0, 1], { dtype }))], {
    axis: -1,
  });
