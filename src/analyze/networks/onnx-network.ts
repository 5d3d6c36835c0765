/** Networks from ONNX models. */
import { count, plural } from "../../core/number-text.ts";
import type { Node } from "../../graph/ir.ts";
import type { Branch } from "../../onnx/control/branches.ts";
import type { ImportedModel } from "../../onnx/import.ts";
import { graphNetwork } from "./graph-network.ts";
import type { Network } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";

/** The network of an imported ONNX model, under a name for reports. */
export function onnxNetwork(name: string, model: ImportedModel): Network {
  const { producer, opset, settings, branches } = model;
  const source = `ONNX, operator set ${opset}${producer ? `, written by ${producer}` : ""}`;
  const unknown = [...model.unknown].map(([node, reason]) => ({ type: node.op.type, ...reason }));
  const ties = model.tied.map(
    ({ name: copy, original, isTransposed }) =>
      `${copy} is ${original}${isTransposed ? ", transposed" : ""}: one parameter, counted once.`,
  );
  const notes = [
    ...ties,
    ...branches.map(noteOfBranch),
    ...model.graph.nodes.flatMap(notesOfTrees),
    ...unknownNotes(unknown, "node"),
  ];
  return graphNetwork({ name, source, model, settings, idle: branches.flatMap(({ outputs }) => outputs), notes });
}

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
