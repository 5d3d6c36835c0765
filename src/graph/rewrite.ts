/** Rewriting of graphs: replace nodes bottom-up, keep everything untouched shared. */
import { InternalError } from "../core/errors.ts";
import { append } from "../core/lists.ts";
import { sameShape } from "../core/shape.ts";
import { type Node, nodesOf, type Scope, type Value } from "./ir.ts";
import { makeNode } from "./op.ts";

/**
 * Replacement for a node's outputs, or `undefined` to leave it.
 * @param node the node with the operands that are replaced by now
 * @param original the same as it stood in the graph
 */
export type Rule = (node: Node, original: Node) => readonly (Value | undefined)[] | undefined;

/** Gives nodes behind `values` the scope, stopping at nodes that have one. */
export function assignScope(values: readonly (Value | undefined)[], scope: Scope | undefined): void {
  if (scope === undefined) return;
  const pending = [...values];
  while (pending.length > 0) {
    const node = pending.pop()?.producer;
    if (!node || node.scope !== undefined) continue;
    node.scope = scope;
    append(pending, node.inputs);
  }
}

/**
 * Applies `rule` once to every node behind `outputs`, operands first, and returns the outputs of the new graph.
 * A replacement must have the types of what it replaces. The walk stops at values that `given` replaces from the start.
 */
export function rewrite(
  outputs: readonly Value[],
  rule: Rule,
  given: ReadonlyMap<Value, Value> = new Map(),
): { outputs: readonly Value[]; changed: boolean } {
  const replaced = new Map(given);
  let changed = false;
  const current = (value: Value | undefined) => value && (replaced.get(value) ?? value);
  for (const node of nodesOf(outputs, given)) {
    const moved = node.inputs.some((value) => value && replaced.has(value));
    const fresh = moved ? makeNode(node.op, node.inputs.map(current), node.attributes, node.scope) : node;
    const result = rule(fresh, node);
    if (result) {
      changed = true;
      assignScope(result, node.scope);
    }
    if (fresh === node && !result) continue;
    for (const [i, output] of node.outputs.entries()) {
      const replacement = result?.[i] ?? fresh.outputs[i];
      if (!replacement || replacement === output || given.has(output)) continue;
      if (replacement.dtype !== output.dtype || !sameShape(replacement.shape, output.shape))
        throw new InternalError(`rewriting ${node.op.type} turned ${output} into ${replacement}`);
      replaced.set(output, replacement);
    }
  }
  return { outputs: outputs.map((output) => replaced.get(output) ?? output), changed };
}
