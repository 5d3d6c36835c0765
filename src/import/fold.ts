/** What is constant among the nodes of a file: the shapes that exporters compute at run time. */
import type { Node, Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { foldNode } from "../graph/passes.ts";
import { rewrite } from "../graph/rewrite.ts";
import { Constant } from "../ops/constant.ts";

/** The outputs of new nodes with what is constant among them computed, up to `limit` elements; default as passes do. */
export function fold(
  outputs: readonly Value[],
  operands: readonly (Value | undefined)[],
  limit?: number,
): readonly Value[] {
  const given = new Map(operands.flatMap((value) => (value ? [[value, value] as const] : [])));
  const rule = (node: Node) => foldNode(node, limit)?.map((value) => makeNode(Constant, [], { value }).outputs[0]);
  return rewrite(outputs, rule, given).outputs;
}
