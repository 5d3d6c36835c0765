/** The written rules of the IR, checked: order, single assignment, arity, and every type against `infer`. */
import { InternalError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { graphsOf } from "./attributes.ts";
import type { Graph, Node, Value } from "./ir.ts";
import { isInferred } from "./op.ts";

/** Throws InternalError when an output has another type than its operator infers. */
function verifyTypes(node: Node): void {
  if (isInferred(node)) return;
  const types = node.op.infer(node.inputs, node.attributes);
  for (const [i, output] of node.outputs.entries()) {
    const type = types[i];
    if (!type || type.dtype !== output.dtype || !sameShape(type.shape, output.shape))
      throw new InternalError(
        `${node.op.type} output ${i} is ${output}, its rule infers ${type?.dtype}[${type?.shape}]`,
      );
  }
}

/** Throws InternalError at the first rule that the graph breaks. */
export function verify(graph: Graph): void {
  const defined = new Set<Value>(graph.inputs);
  if (defined.size !== graph.inputs.length) throw new InternalError("a graph input is listed twice");
  for (const input of graph.inputs)
    if (input.producer) throw new InternalError(`graph input ${input} is computed by ${input.producer.op.type}`);
  for (const node of graph.nodes) {
    const { op, inputs } = node;
    for (const value of inputs)
      if (value && !defined.has(value))
        throw new InternalError(`${op.type} reads ${value}, which is neither an input nor computed before it`);
    const present = inputs.filter((value) => value !== undefined).length;
    if (present < op.minInputs || inputs.length > op.maxInputs)
      throw new InternalError(
        `${op.type} has ${present} operands, its signature says ${op.minInputs} to ${op.maxInputs}`,
      );
    for (const [, branch] of graphsOf(node)) verify(branch);
    verifyTypes(node);
    for (const [i, output] of node.outputs.entries()) {
      if (defined.has(output)) throw new InternalError(`${op.type} output ${i} is assigned twice`);
      defined.add(output);
    }
  }
  for (const output of graph.outputs)
    if (!defined.has(output)) throw new InternalError(`graph output ${output} is never computed`);
}
