/** Writing at computed positions: scatter, putting or joining what meets there. */
import { ShapeError } from "../../core/errors.ts";
import { normalizeAxis, type Shape, sameShape, showShape, size, stridesOf } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { offsetOf, type Position } from "../../graph/elements.ts";
import { constantOf, type Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireNumbers, requireSameDType } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { checkPositions } from "../checks.ts";
import { zeros } from "../constant.ts";
import { GatherND, gatherElements } from "../indexing.ts";
import { through } from "../kernels.ts";
import { Expand, expand, reshape, transpose } from "../movement.ts";
import { defineComposition } from "../reading.ts";
import {
  addressDepth,
  addressReader,
  indexReader,
  positionsOf,
  requireIndices,
  samplesOfElements,
} from "./addresses.ts";
import { reductionGradients } from "./scatter-reductions.ts";

/** The source with the updates, row-major, put at the targets; the last one stays where some share a target. */
function withUpdates(source: Tensor, targets: readonly Position[], updates: Tensor): Tensor {
  const result = new Tensor(source.dtype, source.shape, source.data.slice() as typeof source.data);
  const strides = stridesOf(source.shape);
  for (const [i, target] of targets.entries()) result.data[offsetOf(target, strides)] = updates.data[i] as number;
  return result;
}

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
  // Rows of samples added to rows of zeros: the gradient of a table.
  sampleTerms: ({
    inputs: [x, indices, updates],
    attributes: { reduction },
    axes: [own, ofIndices, ofUpdates],
    count,
  }) => {
    const isOfRows = indices.rank === 2 && indices.shape[1] === 1;
    if (reduction !== "add" || own !== undefined || ofUpdates !== 0 || !isOfRows || !isZero(x)) return undefined;
    if (ofIndices !== 0 && ofIndices !== undefined) return undefined;
    const positions = (updates.shape[0] ?? 0) / count;
    return {
      kind: "rows",
      indices: reshape(indices, [count, positions]),
      rows: reshape(updates, [count, positions, size(updates.shape.slice(1))]),
      count: x.shape[0] ?? 1,
    };
  },
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
/** Whether all elements are known to be 0. */
function isZero(value: Value): boolean {
  const source = value.producer?.op === Expand ? value.producer.inputs[0] : value;
  return (source && constantOf(source)?.data.every((element) => Number(element) === 0)) ?? false;
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
