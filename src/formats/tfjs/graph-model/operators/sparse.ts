/** TensorFlow's operators on positions: where elements are that count, and tensors of elements at positions. */
import type { Shape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { apply } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { NonZero } from "../../../../ops/static-values.ts";
import type { Operators } from "../operator.ts";

/** `start` repeated to a shape, with updates added at positions [count, rank]. */
const added = (start: Value, shape: Shape, positions: Value, updates: Value): Value =>
  apply(ops.ScatterND, [ops.expand(start, shape), ops.cast(positions, "int64"), updates], { reduction: "add" });

export const sparseOperators: Operators = {
  // Repeated positions add up.
  ScatterNd: {
    op: ops.ScatterND,
    build: (node) => {
      const [positions, updates] = [node.operand(0), node.operand(1)];
      return added(ops.zeros([], updates.dtype), node.known(2), positions, updates);
    },
  },
  // Positions are in order and differ; one value may stand for all.
  SparseToDense: {
    op: ops.ScatterND,
    build: (node) => {
      const [positions, shape, values, rest] = [node.operand(0), node.known(1), node.operand(2), node.operand(3)];
      const rows = positions.rank === 2 ? positions : ops.reshape(positions, [-1, shape.length]);
      const updates = ops.expand(values, [rows.shape[0] ?? 0]);
      return apply(ops.ScatterND, [ops.expand(rest, shape), ops.cast(rows, "int64"), updates]);
    },
  },
  // Positions [count, rank]: their number depends on the elements, which must be known.
  Where: {
    op: NonZero,
    build: (node) => ops.transpose(apply(NonZero, [node.operand(0)]), [1, 0]),
  },
};
