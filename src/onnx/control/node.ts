/** A node that holds graphs, lists or nothing, where it stands; and what its readers ask of it. */
import type { GraphReader } from "../import.ts";
import type { FileAttribute, FileGraph, FileNode } from "../model-file.ts";
import { type Computed, type Names, Nothing, Sequence } from "../names.ts";
import { isFileGraph } from "../sort.ts";

export interface ControlNode {
  readonly node: FileNode;
  readonly names: Names;
  readonly reader: GraphReader;
}

/** The outputs of a node; `undefined` where it cannot be read so. Throws UnsupportedError and DTypeError, which say why. */
export type ControlReader = (at: ControlNode) => readonly Computed[] | undefined;

/** Whether what a name means is a tensor, not a list or nothing. */
export const isTensorEntry = (names: Names, name: string | undefined): boolean => {
  const entry = names.get(name ?? "");
  return !(entry instanceof Sequence || entry instanceof Nothing);
};

/** A graph of the node's, `undefined` when the file has none of that name. */
export function graphAttribute(attributes: ReadonlyMap<string, FileAttribute>, name: string): FileGraph | undefined {
  const found = attributes.get(name);
  return found !== undefined && isFileGraph(found) ? found : undefined;
}
