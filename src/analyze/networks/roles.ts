/** The role of each layer: input, hidden or output, by what stands before and after it. */
import type { Node, Value } from "../../graph/ir.ts";
import { kindOf } from "../../ops/registry.ts";
import type { Flow } from "./flow.ts";
import type { Network } from "./network.ts";

export type Role = "input" | "hidden" | "output";

/**
 * Roles by layer name. A layer reads the input when no weighted layer or table lookup stands between the data and it, and
 * makes the output when none stands after it; a layer that does both is the output.
 */
export function rolesOf(network: Network, flow: Flow | undefined): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>(network.layers.map(({ name }) => [name, "hidden"]));
  if (!flow) return roles;
  const computes = (node: Node) =>
    flow.isWeighted(node) ||
    (kindOf(node.op) === "embedding" && node.inputs.some((value) => value && flow.isLearned(value)));
  const layerOf = new Map(network.layers.flatMap(({ name, scopes }) => scopes.map((scope) => [scope, name])));

  const behindAnother = new Set<Value>();
  const first = new Set<Node>();
  for (const node of flow.graph.nodes) {
    const operands = flow.activeOperands(node);
    if (operands.length === 0) continue;
    const passed = operands.some((value) => behindAnother.has(value));
    if (computes(node) && !passed) first.add(node);
    if (passed || computes(node)) for (const output of node.outputs) behindAnother.add(output);
  }
  const beforeAnother = new Set<Value>();
  const last = new Set<Node>();
  const reachesOutput = new Set<Value>(flow.graph.outputs);
  for (const node of [...flow.graph.nodes].reverse()) {
    if (!node.outputs.some((value) => reachesOutput.has(value))) continue;
    const goesOn = node.outputs.some((value) => beforeAnother.has(value));
    if (computes(node) && !goesOn) last.add(node);
    for (const operand of flow.activeOperands(node)) {
      reachesOutput.add(operand);
      if (goesOn || computes(node)) beforeAnother.add(operand);
    }
  }
  for (const [nodes, role] of [
    [first, "input"],
    [last, "output"],
  ] as const)
    for (const node of nodes) {
      const name = node.scope && layerOf.get(node.scope);
      if (name !== undefined) roles.set(name, role);
    }
  return roles;
}
