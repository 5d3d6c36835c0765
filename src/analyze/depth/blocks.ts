/** Blocks: the units of several weighted layers that an architecture repeats. */
import type { Node, Scope, Value } from "../../graph/ir.ts";
import type { Flow } from "../networks/flow.ts";

/** A name's part in the tree of paths, with what lies below it. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** Runs of the weighted layers below, the layers each once. */
  weighted: number;
  /** How often the layer that runs most does. */
  runs: number;
}

/**
 * How many blocks there are. Named layers say it: a block is a numbered part (`layer1.0`, `h.11`, `inception3a`) with at least
 * two weighted layers, and no stage: a part whose own parts are such blocks, all alike. Where names say nothing, blocks
 * are the branched sections with a weighted layer between two points through which every path goes.
 */
export function blockCount(flow: Flow): number {
  const tree = treeOf(flow);
  return countNamed(tree, tree.weighted) || branchedSections(flow);
}

const branch = (): Branch => ({ children: new Map(), weighted: 0, runs: 0 });

/** Weighted layers by their paths. */
function treeOf(flow: Flow): Branch {
  const runs = new Map<string, Set<Scope>>();
  for (const node of flow.graph.nodes)
    if (node.scope && flow.isWeighted(node))
      runs.set(node.scope.path, (runs.get(node.scope.path) ?? new Set()).add(node.scope));
  const root = branch();
  for (const [path, scopes] of runs) {
    let at = root;
    root.weighted++;
    for (const part of path.split(".")) {
      const child = at.children.get(part) ?? branch();
      at.children.set(part, child);
      at = child;
      at.weighted++;
      at.runs = Math.max(at.runs, scopes.size);
    }
  }
  return root;
}

function countNamed({ children }: Branch, all: number): number {
  let count = 0;
  for (const [name, child] of children) {
    if (child.weighted < 2) continue;
    const isNumbered = /\d/.test(name);
    // What holds most of the network may be the network itself, whose name has a number (`MobilenetV2`).
    const inside = !isNumbered || isStage(child) || 2 * child.weighted > all ? countNamed(child, all) : 0;
    count += inside || !isNumbered || isStage(child) ? inside : child.runs;
  }
  return count;
}

/** Whether all parts are blocks that resemble one another. */
function isStage({ children }: Branch): boolean {
  const parts = [...children.entries()];
  if (parts.length === 0 || !parts.every(([name, { weighted }]) => /\d/.test(name) && weighted > 1)) return false;
  const [first, ...others] = parts.map(([, child]) => new Set(child.children.keys()));
  return first !== undefined && others.every((other) => resembles(first, other));
}

/** Whether two parts share more names than they differ by. */
function resembles(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const shared = [...a].filter((name) => b.has(name)).length;
  return shared > a.size + b.size - 2 * shared;
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
