/** How large a file becomes with its functions written out, found without writing them out. */
import { FileError } from "../core/errors.ts";
import { type Limits, limitError, limitOf } from "../core/limits.ts";
import { findOp } from "../ops/registry.ts";
import { type FileNode, functionKey, type ModelFile } from "./model-file.ts";
import { isFileGraph } from "./sort.ts";

/** Functions and branches nest this deep in no real model. */
const maxNesting = 32;

interface Extent {
  readonly nodes: number;
  readonly depth: number;
}

/** Throws FileError for functions that call themselves, and for a file that would be too large with all of them written out. */
export function checkExpansion({ graph, functions }: ModelFile, own?: Limits): void {
  const known = new Map<string, Extent>();
  const open = new Set<string>();
  const tooDeep = () =>
    new FileError(`onnx: functions or branches nest deeper than ${maxNesting}; a function may not call itself`);

  const ofFunction = (key: string): Extent | undefined => {
    const body = functions.get(key);
    if (!body) return undefined;
    if (open.has(key) || open.size >= maxNesting) throw tooDeep();
    open.add(key);
    const extent = known.get(key) ?? ofNodes(body.nodes);
    open.delete(key);
    known.set(key, extent);
    return extent;
  };
  const ofNodes = (nodes: readonly FileNode[]): Extent => {
    let [count, depth] = [nodes.length, 0];
    for (const { type, domain, attributes } of nodes) {
      const called = findOp(type, domain) ? undefined : ofFunction(functionKey(domain, type));
      const branches = [...attributes.values()].filter(isFileGraph).map((branch) => ofNodes(branch.nodes));
      for (const inner of called ? [called, ...branches] : branches) {
        count += inner.nodes;
        depth = Math.max(depth, inner.depth);
      }
    }
    if (depth >= maxNesting) throw tooDeep();
    if (count > limitOf("nodes", own))
      throw limitError("nodes", "onnx: with its functions written out it has more than", own);
    return { nodes: count, depth: depth + 1 };
  };
  ofNodes(graph.nodes);
}
