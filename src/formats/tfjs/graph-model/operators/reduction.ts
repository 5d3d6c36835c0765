/** TensorFlow's reductions: means, sums, extrema, and where those are. */
import { UnsupportedError } from "../../../../core/errors.ts";
import { normalizeAxes } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import type { OpDef } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { alongAxes, channelsFirst } from "../../channels.ts";
import type { Operator, Operators } from "../operator.ts";

type Reduce = (x: Value, axes: readonly number[], options: { readonly keepDims: boolean }) => Value;

/** A reduction over the axes that operand 1 lists. */
function reduction(op: OpDef, reduce: Reduce): Operator {
  return {
    op,
    build: (node) => {
      const x = node.operand(0);
      const axes = normalizeAxes(node.known(1), x.rank);
      if (node.attributes.flag("keep_dims", node.attributes.flag("keepdims")))
        return alongAxes([x], (at, value: Value) => reduce(value, axes.map(at), { keepDims: true }));
      // Of images [N, H, W, C] the means over H and W are [N, C] in either order.
      const isSpatial = x.rank > 2 && axes.length === x.rank - 2 && axes.every((axis, i) => axis === i + 1);
      if (!isSpatial) return reduce(x, axes, { keepDims: false });
      return reduce(
        channelsFirst(x),
        axes.map((axis) => axis + 1),
        { keepDims: false },
      );
    },
  };
}

/** Where the extremum along the axis lies that operand 1 names. */
const position = (op: OpDef, find: (x: Value, axis: number) => Value): Operator => ({
  op,
  build: (node) => ops.cast(find(node.operand(0), node.known(1)[0] ?? 0), "int32"),
});

export const reductionOperators: Operators = {
  ArgMax: position(ops.ArgMax, ops.argMax),
  ArgMin: position(ops.ArgMin, ops.argMin),
  Cumsum: {
    op: ops.CumSum,
    build: (node) => {
      const { attributes } = node;
      if (attributes.flag("exclusive") || attributes.flag("reverse"))
        throw new UnsupportedError("it is exclusive or goes backwards");
      return ops.cumulativeSum(node.operand(0), node.known(1)[0] ?? 0);
    },
  },
  Max: reduction(ops.ReduceMax, ops.reduceMax),
  Mean: reduction(ops.ReduceMean, ops.reduceMean),
  Min: reduction(ops.ReduceMin, ops.reduceMin),
  Prod: reduction(ops.ReduceProd, ops.reduceProd),
  Sum: reduction(ops.ReduceSum, ops.reduceSum),
  // The largest k along the last axis, and where they lie.
  TopKV2: {
    op: ops.TopK,
    build: (node) => {
      const { values, indices } = ops.topK(node.operand(0), node.known(1)[0] ?? 1);
      return [values, ops.cast(indices, "int32")];
    },
  },
};
