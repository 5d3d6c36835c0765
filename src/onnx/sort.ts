/** The nodes of a file in an order in which each follows what it reads. */
import { FileError } from "../core/errors.ts";
import type { FileAttribute, FileGraph, FileNode } from "./model-file.ts";
import type { StoredTensor } from "./tensor.ts";

/** How messages call a node. */
export const describeNode = ({ name, type, outputs }: FileNode): string =>
  `${type} "${name || outputs.find(Boolean) || "without a name"}"`;

export const isFileGraph = (attribute: FileAttribute): attribute is FileGraph =>
  typeof attribute === "object" && "nodes" in attribute;

/** The tensors that a node's subgraphs hold, and the names that they read from the graph around them. */
export function storedWithin(node: FileNode): {
  readonly stored: readonly StoredTensor[];
  readonly reads: readonly string[];
} {
  const graphs = [...node.attributes.values()].filter(isFileGraph);
  const parts = graphs.map(({ nodes, initializers, inputs, outputs }) => {
    const inside = new Set([
      ...initializers.keys(),
      ...inputs.map(({ name }) => name),
      ...nodes.flatMap((own) => own.outputs),
    ]);
    const nested = nodes.map(storedWithin);
    const reads = [
      ...nodes.flatMap((own) => own.inputs.filter(Boolean)),
      ...nested.flatMap((part) => part.reads),
      ...outputs.map(({ name }) => name),
    ];
    return {
      stored: [...initializers.values(), ...nested.flatMap((part) => part.stored)],
      reads: reads.filter((name) => !inside.has(name)),
    };
  });
  return { stored: parts.flatMap(({ stored }) => stored), reads: parts.flatMap(({ reads }) => reads) };
}

/** Everything that a node reads, also from within its subgraphs. */
const readsOf = (node: FileNode): readonly string[] => [...node.inputs.filter(Boolean), ...storedWithin(node).reads];

/** What there is to know of nodes of whatever kind, to sort them. */
export interface Sorting<N> {
  /** Said first in messages: `onnx`. */
  readonly format: string;
  describe(node: N): string;
  /** Names that a node computes. */
  writes(node: N): readonly string[];
  /** Names that it needs. */
  reads(node: N): readonly string[];
  /** Whether a name that no node computes comes from elsewhere. */
  isKnown(name: string): boolean;
}

/** Sorts nodes, which ONNX asks for but not every exporter does. `isKnown` tells the names that come from elsewhere. */
export const sortNodes = (nodes: readonly FileNode[], isKnown: (name: string) => boolean): readonly FileNode[] =>
  sorted(nodes, {
    format: "onnx",
    describe: describeNode,
    writes: ({ outputs }) => outputs.filter(Boolean),
    reads: readsOf,
    isKnown,
  });

/** Nodes in an order in which each follows what it reads. Throws FileError for a name computed twice or nowhere, and for a cycle. */
export function sorted<N extends object>(nodes: readonly N[], rules: Sorting<N>): readonly N[] {
  const { format, describe, writes, reads, isKnown } = rules;
  const makers = new Map<string, N>();
  for (const node of nodes)
    for (const output of writes(node)) {
      if (makers.has(output))
        throw new FileError(`${format}: "${output}" is computed twice, the second time by ${describe(node)}`);
      makers.set(output, node);
    }
  const order: N[] = [];
  const state = new Map<N, "open" | "done">();
  for (const first of nodes) {
    const stack = [{ node: first, reads: reads(first), next: 0 }];
    if (state.has(first)) continue;
    state.set(first, "open");
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const name = top.reads[top.next++];
      if (name === undefined) {
        state.set(top.node, "done");
        order.push(top.node);
        stack.pop();
        continue;
      }
      const maker = makers.get(name);
      if (!maker) {
        if (isKnown(name)) continue;
        throw new FileError(
          `${format}: ${describe(top.node)} reads "${name}", which is no input and computed nowhere; export the model again`,
        );
      }
      if (state.get(maker) === "open")
        throw new FileError(
          `${format}: the graph is cyclic: ${describe(maker)} needs its own output "${name}"; a model must be without cycles`,
        );
      if (state.has(maker)) continue;
      state.set(maker, "open");
      stack.push({ node: maker, reads: reads(maker), next: 0 });
    }
  }
  return order;
}
