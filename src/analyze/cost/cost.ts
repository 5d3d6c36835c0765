/** What a graph costs to compute: multiply-adds and FLOPs, by each operator's own rule. */
import type { Node } from "../../graph/ir.ts";

/**
 * The convention: a multiply-add is one MAC and two FLOPs. MACs are those of sums of products (convolutions, matrix
 * products, attention's products, recurrences); FLOPs count every other operator too, each by its rule.
 */
export interface Cost {
  readonly macs: number;
  readonly flops: number;
}

export interface GraphCost extends Cost {
  /** By path of the layer, all of its runs together. */
  readonly byPath: ReadonlyMap<string, Cost>;
}

/** Sums the cost of the nodes whose path `counts` accepts (default: all). */
export function costOf(nodes: Iterable<Node>, counts: (path: string | undefined) => boolean = () => true): GraphCost {
  const byPath = new Map<string, { macs: number; flops: number }>();
  const sum = { macs: 0, flops: 0 };
  for (const node of nodes) {
    const path = node.scope?.path;
    if (!counts(path)) continue;
    const own = { macs: node.op.macs(node), flops: node.op.flops(node) };
    const layer = byPath.get(path ?? "") ?? { macs: 0, flops: 0 };
    for (const into of [sum, layer]) {
      into.macs += own.macs;
      into.flops += own.flops;
    }
    byPath.set(path ?? "", layer);
  }
  return { ...sum, byPath };
}
