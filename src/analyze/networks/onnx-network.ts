/** Networks from ONNX models. */
import type { Limits } from "../../core/limits.ts";
import { count, plural } from "../../core/number-text.ts";
import type { Node, Value } from "../../graph/ir.ts";
import type { PackedOperand } from "../../graph/op.ts";
import type { Branch } from "../../onnx/control/branches.ts";
import { isFolded } from "../../onnx/fixed-tables.ts";
import type { ImportedModel } from "../../onnx/import.ts";
import { graphNetwork } from "./graph-network.ts";
import { type Network, total, zerosIn } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";

/** Bytes of weights up to which zeros are counted: beyond it a look at the structure would wait for the disk. */
const readBytes = 2 ** 28;

/** The network of an imported ONNX model, under a name for reports. */
export function onnxNetwork(name: string, model: ImportedModel, limits?: Limits): Network {
  const { producer, opset, settings, branches } = model;
  const source = `ONNX, operator set ${opset}${producer ? `, written by ${producer}` : ""}`;
  const unknown = [...model.unknown].map(([node, reason]) => ({ type: node.op.type, ...reason }));
  const ties = model.tied.map(
    ({ name: copy, original, isTransposed }) =>
      `${copy} is ${original}${isTransposed ? ", transposed" : ""}: one parameter, counted once.`,
  );
  const folded = settings.filter(({ tensor }) => isFolded(tensor)).map(({ tensor }) => tensor.name);
  const packed = model.graph.nodes.flatMap((node) => node.op.packed(node) ?? []);
  const notes = [
    ...ties,
    ...(packed.length > 0 ? [noteOfPacked(packed)] : []),
    ...(folded.length > 0 ? [noteOfFolded(folded)] : []),
    ...branches.map(noteOfBranch),
    ...model.graph.nodes.flatMap(notesOfTrees),
    ...unknownNotes(unknown, "node"),
  ];
  const held = total(model.weights.values(), (weight) => weight.bytes);
  const zerosOf = (value: Value): number | undefined => {
    const weight = model.weights.get(value);
    // Numbers in blocks are bytes of several.
    return weight === undefined || weight.type.name === "uint8" || held > readBytes
      ? undefined
      : zerosIn(weight.read());
  };
  const idle = branches.flatMap(({ outputs }) => outputs);
  return graphNetwork({ name, source, model, settings, idle, notes, limits, zerosOf });
}

function noteOfPacked(packed: readonly PackedOperand[]): string {
  const bits = [...new Set(packed.map((own) => own.bits))].sort((a, b) => a - b);
  return `Packed in blocks: ${plural(packed.length, "matrix", "matrices")} of ${bits.join(" and ")} bits, counted with the elements before packing; scales and zero points are among the buffers.`;
}

const noteOfFolded = (names: readonly string[]): string =>
  `The exporter computed ${plural(names.length, "tensor")} that it does not name (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}): taken for buffers, since a parameter keeps its name. ONNX does not say which tensors were trained.`;

function noteOfBranch({ where, name, macs, taken }: Branch): string {
  const counted = `${where} runs one of its branches: the ${taken.name} is counted (${count(taken.macs)} multiply-adds), the ${name}`;
  return macs === undefined
    ? `${counted} does not take inputs of these shapes, and is not.`
    : `${counted} (${count(macs)}) is not. The parameters of both are.`;
}

/** What is said of decision trees, whose thresholds and leaves are no parameters. */
function notesOfTrees({ op, attributes }: Node): readonly string[] {
  const ids = attributes["nodes_treeids"];
  if (!Array.isArray(ids)) return [];
  const [trees, nodes] = [new Set(ids).size, ids.length];
  return [
    `${op.type}: ${plural(trees, "tree")} of ${plural(nodes, "node")} in all. ONNX Runtime computes them; no gradient trains them, so that they count as no parameters.`,
  ];
}
