/** Nodes that hold graphs, lists or nothing, read as what they compute: branches, loops, sequences, optionals, derivatives. */
import { functionKey } from "../model-file.ts";
import type { Computed } from "../names.ts";
import { readBranches } from "./branches.ts";
import { readGradient } from "./gradient.ts";
import { readLoop, readScan } from "./loops.ts";
import type { ControlNode, ControlReader } from "./node.ts";
import { sequenceReaders } from "./sequences.ts";

const readers: Readonly<Record<string, ControlReader>> = {
  If: readBranches,
  Loop: readLoop,
  Scan: readScan,
  ...sequenceReaders,
  [functionKey("ai.onnx.preview.training", "Gradient")]: readGradient,
};

/**
 * The outputs of such a node; `undefined` for others, and where it cannot be read so. Throws UnsupportedError and DTypeError, which say
 * why it cannot.
 */
export function readControl(at: ControlNode): readonly Computed[] | undefined {
  const { type, domain } = at.node;
  const key = domain === "" ? type : functionKey(domain, type);
  return Object.hasOwn(readers, key) ? readers[key]?.(at) : undefined;
}
