/** Blocks: the units of several weighted layers that an architecture repeats. */
import type { Node, Scope, Value } from "../../graph/ir.ts";
import { namedBlocks } from "../../transform/named-blocks.ts";
import type { Flow } from "../networks/flow.ts";

/**
 * How many blocks there are. Named layers say it (`namedBlocks`); where names say nothing, blocks are the branched sections with a weighted
 * layer between two points through which every path goes.
 */
export function blockCount(flow: Flow): number {
  const runs = new Map<string, Set<Scope>>();
  for (const node of flow.graph.nodes)
    if (node.scope && flow.isWeighted(node))
      runs.set(node.scope.path, (runs.get(node.scope.path) ?? new Set()).add(node.scope));
  const blocks = namedBlocks(new Map(Array.from(runs, ([path, scopes]) => [path, scopes.size])));
  return blocks.reduce((sum, block) => sum + block.runs, 0) || branchedSections(flow);
}

/** Sections that branch, contain a weighted layer, and lie between two points where one value alone is alive. */
function branchedSections(flow: Flow): number {
  const lastReader = new Map<Value, Node>();
  for (const node of flow.graph.nodes) for (const value of flow.activeOperands(node)) lastReader.set(value, node);
  const alive = new Set<Value>(flow.graph.inputs.filter((value) => flow.isActive(value) && lastReader.has(value)));
  let [count, branches, weighted] = [0, false, false];
  for (const node of flow.graph.nodes) {
    const operands = flow.activeOperands(node);
    if (operands.length === 0) continue;
    for (const output of node.outputs) if (lastReader.has(output)) alive.add(output);
    for (const value of operands) if (lastReader.get(value) === node) alive.delete(value);
    branches ||= alive.size > 1;
    weighted ||= flow.isWeighted(node);
    if (alive.size > 1) continue;
    if (branches && weighted) count++;
    branches = weighted = false;
  }
  return count;
}
