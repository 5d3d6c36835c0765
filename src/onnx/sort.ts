/** The nodes of an ONNX file in an order in which each follows what it reads, subgraphs included. */
import { sorted } from "../import/sort.ts";
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

/** Everything that a node reads, also from within its subgraphs, and what a Gradient names. */
function readsOf(node: FileNode): readonly string[] {
  const named = node.type === "Gradient" ? ["xs", "zs", "y"].flatMap((name) => node.attributes.get(name) ?? []) : [];
  const names = named.filter((name) => typeof name === "string");
  return [...node.inputs.filter(Boolean), ...storedWithin(node).reads, ...names];
}

/** Sorts nodes, which ONNX asks for but not every exporter does. `isKnown` is true of names that come from elsewhere. */
export const sortNodes = (nodes: readonly FileNode[], isKnown: (name: string) => boolean): readonly FileNode[] =>
  sorted(nodes, {
    format: "onnx",
    describe: describeNode,
    writes: ({ outputs }) => outputs.filter(Boolean),
    reads: readsOf,
    isKnown,
  });
