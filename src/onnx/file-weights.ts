/** The trained weights of a file, found from its nodes alone: no shape of an input need be known. */
import type { OpDef } from "../graph/op.ts";
import { findOp } from "../ops/registry.ts";
import { checkExpansion } from "./expansion.ts";
import { type FileGraph, type FileNode, functionKey, type ModelFile, tensorOfNode } from "./model-file.ts";
import { isFileGraph, storedWithin } from "./sort.ts";
import type { StoredTensor } from "./tensor.ts";
import { hasInitializers, isWeight, type WeightRule } from "./weights.ts";

/** A stored tensor that is a weight somewhere. */
export interface FileWeight {
  readonly stored: StoredTensor;
  /** Its name in the file; where several tensors have one, those after the first are numbered. */
  readonly name: string;
  /** No optimizer moves it: it is a running statistic, or no operator that reads it has a gradient. */
  readonly isBuffer: boolean;
  /** An operator takes it as a setting too, which stays as it is in the file. */
  readonly isSetting: boolean;
}

/** What a name of a graph means where it is a tensor of the file. */
interface Entry {
  readonly stored: StoredTensor;
  readonly isNode: boolean;
}
type Entries = Map<string, Entry>;

/** How a tensor is used. */
interface Use {
  isStatistic: boolean;
  isTrained: boolean;
}

/** Nodes whose graphs are read, so that what their operators take is known. */
const read = ["If", "Loop", "Scan", "SequenceMap"];

/**
 * Every stored tensor that an operator takes as a weight, in the order of first use; both branches of an If count.
 * Throws FileError for functions that call themselves.
 */
export function weightsOfFile(file: ModelFile, rule: WeightRule = isWeight): readonly FileWeight[] {
  const uses = new Map<StoredTensor, Use>();
  const storage = { hasInitializers: hasInitializers(file) };
  checkExpansion(file);
  const settings = new Set<StoredTensor>();
  const use = (entry: Entry | undefined, op: OpDef | undefined, position: number) => {
    if (!entry) return;
    if (!rule(entry.stored, op, position, { ...storage, isNode: entry.isNode })) {
      settings.add(entry.stored);
      return;
    }
    const known = uses.get(entry.stored) ?? { isStatistic: false, isTrained: false };
    uses.set(entry.stored, known);
    if (op?.statistics.includes(position)) known.isStatistic = true;
    else if (!op || op.differentiable || op.isComposed) known.isTrained = true;
  };

  const scanGraph = ({ initializers, nodes, outputs }: FileGraph, entries: Entries) => {
    for (const [name, stored] of initializers) entries.set(name, { stored, isNode: false });
    scanNodes(nodes, entries);
    for (const { name } of outputs) use(entries.get(name), undefined, 0);
  };
  const scanNodes = (nodes: readonly FileNode[], entries: Entries) => {
    // Nodes may stand in any order.
    for (const node of nodes) {
      const stored = tensorOfNode(node);
      if (stored) entries.set(node.outputs[0] ?? "", { stored, isNode: true });
    }
    for (const node of nodes) if (!tensorOfNode(node)) scanNode(node, entries);
  };
  const scanNode = (node: FileNode, entries: Entries) => {
    const op = findOp(node.type, node.domain);
    const body = op ? undefined : file.functions.get(functionKey(node.domain, node.type));
    if (body) {
      const inner: Entries = new Map();
      for (const [i, name] of body.inputs.entries()) {
        const entry = entries.get(node.inputs[i] ?? "");
        if (entry) inner.set(name, entry);
      }
      scanNodes(body.nodes, inner);
      for (const name of body.outputs) use(inner.get(name), undefined, 0);
      return;
    }
    const branches = [...node.attributes.values()].filter(isFileGraph);
    if (read.includes(node.type)) for (const branch of branches) scanGraph(branch, new Map(entries));
    else if (branches.length > 0) {
      const { stored, reads } = storedWithin(node);
      for (const own of stored) use({ stored: own, isNode: false }, undefined, 0);
      for (const name of reads) use(entries.get(name), undefined, 0);
    }
    for (const [position, name] of node.inputs.entries()) use(entries.get(name), op, position);
  };

  scanGraph(file.graph, new Map());
  const names = new Set<string>();
  return Array.from(uses, ([stored, { isStatistic, isTrained }]) => {
    const name = freeName(stored.name || "tensor", names);
    names.add(name);
    return { stored, name, isBuffer: isStatistic || !isTrained, isSetting: settings.has(stored) };
  });
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  return name;
}
