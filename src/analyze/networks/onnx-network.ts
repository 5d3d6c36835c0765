/** Networks from ONNX models. */
import { count } from "../../core/number-text.ts";
import type { ImportedModel } from "../../onnx/import.ts";
import type { Branch } from "../../onnx/inline.ts";
import { graphNetwork } from "./graph-network.ts";
import type { Network } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";

/** The network of an imported ONNX model, under a name for reports. */
export function onnxNetwork(name: string, model: ImportedModel): Network {
  const { producer, opset, settings, branches } = model;
  const source = `ONNX, operator set ${opset}${producer ? `, written by ${producer}` : ""}`;
  const unknown = [...model.unknown].map(([node, reason]) => ({ type: node.op.type, ...reason }));
  const notes = [...branches.map(noteOfBranch), ...unknownNotes(unknown, "node")];
  return graphNetwork({ name, source, model, settings, idle: branches.flatMap(({ outputs }) => outputs), notes });
}

function noteOfBranch({ where, name, macs, taken }: Branch): string {
  const counted = `${where} runs one of its branches: the ${taken.name} is counted (${count(taken.macs)} multiply-adds), the ${name}`;
  return macs === undefined
    ? `${counted} does not take inputs of these shapes, and is not.`
    : `${counted} (${count(macs)}) is not. The parameters of both are.`;
}
