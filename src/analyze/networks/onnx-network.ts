/** Networks from ONNX models. */
import type { ImportedModel } from "../../onnx/import.ts";
import { graphNetwork } from "./graph-network.ts";
import type { Network } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";

/** The network of an imported ONNX model, under a name for reports. */
export function onnxNetwork(name: string, model: ImportedModel): Network {
  const { producer, opset, settings } = model;
  const source = `ONNX, operator set ${opset}${producer ? `, written by ${producer}` : ""}`;
  const unknown = [...model.unknown].map(([node, reason]) => ({ type: node.op.type, ...reason }));
  return graphNetwork({ name, source, model, settings, notes: unknownNotes(unknown, "node") });
}
