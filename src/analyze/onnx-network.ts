/** Networks from ONNX models. */
import type { ImportedModel } from "../onnx/import.ts";
import { graphNetwork } from "./graph-network.ts";
import { groupBy, type Network } from "./network.ts";

/** The network of an imported model. */
export function onnxNetwork(name: string, model: ImportedModel): Network {
  const { graph, weights, unshaped, producer, opset } = model;
  const source = `ONNX, operator set ${opset}${producer ? `, written by ${producer}` : ""}`;
  return graphNetwork({ name, source, graph, weights, unshaped, notes: notesOf(model) });
}

/** What is not understood, in sentences. */
function notesOf({ unknown }: ImportedModel): readonly string[] {
  const nodes = [...unknown].map(([node, reason]) => ({ type: node.op.type, ...reason }));
  const operators = groupBy(
    nodes.filter(({ kind }) => kind === "operator"),
    ({ type, why }) => `${type}: ${why}`,
  );
  const notes = Array.from(operators, ([text, all]) => {
    const times = all.length > 1 ? ` (${all.length} nodes)` : "";
    return `Not understood: ${text}${times}. It is named and its weights are counted; it costs nothing here, and no gradient passes it.`;
  });
  const blind = nodes.filter(({ kind }) => kind === "shape").length;
  if (blind > 0)
    notes.push(
      `The shapes behind it are not known: ${blind} ${blind === 1 ? "node" : "nodes"} of known operators cost nothing here either.`,
    );
  return notes;
}
