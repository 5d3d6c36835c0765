/** TensorFlow's matrix products and what works along the last axis. */
import type { Value } from "../../../../graph/ir.ts";
import * as ops from "../../../../ops/index.ts";
import { alongAxes } from "../../channels.ts";
import { type Operator, type Operators, unary } from "../operator.ts";

/** A product of matrices, each maybe transposed by a flag of this name. */
const product = (flagA: string, flagB: string): Operator => ({
  op: ops.MatMul,
  build: (node) => {
    const [transA, transB] = [node.attributes.flag(flagA), node.attributes.flag(flagB)];
    return ops.matmul(node.operand(0), node.operand(1), { transA, transB });
  },
});

const batched = product("adj_x", "adj_y");

export const matrixOperators: Operators = {
  BatchMatMul: batched,
  BatchMatMulV2: batched,
  Einsum: {
    op: ops.Einsum,
    build: ({ inputs, attributes }) => ops.einsum(attributes.text("equation"), ...inputs),
  },
  LogSoftmax: unary((x) => alongAxes([x], (at, value: Value) => ops.logSoftmax(value, at(-1))), ops.LogSoftmax),
  MatMul: product("transpose_a", "transpose_b"),
  Softmax: unary((x) => alongAxes([x], (at, value: Value) => ops.softmax(value, at(-1))), ops.Softmax),
};
