/** The nodes of a file, whatever its format, in an order in which each follows what it reads. */
import { FileError } from "../core/errors.ts";

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
