/** A stable text form of graphs, for snapshots and for reading. */
import { showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { isGraph } from "./attributes.ts";
import type { Graph, Value } from "./ir.ts";

/**
 * A graph as text, one node a line: what it computes, its operator, operands and attributes.
 * @example
 * (%0: float32[2]) -> %2
 *   %1 = Constant(value=float32[] 2)
 *   %2 = Mul(%0, %1) : float32[2]
 */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value | undefined): string => {
    if (!value) return "_";
    const name = names.get(value) ?? `%${names.size}`;
    names.set(value, name);
    return name;
  };
  const inputs = graph.inputs.map((value) => `${nameOf(value)}: ${value}`).join(", ");
  const lines = graph.nodes.map((node) => {
    const operands = node.inputs.map(nameOf);
    const attributes = Object.entries(node.attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${showAttribute(value)}`);
    const outputs = node.outputs.map(nameOf).join(", ");
    const type = node.op.type === "Constant" ? "" : ` : ${node.outputs.map(String).join(", ")}`;
    return `  ${outputs} = ${node.op.type}(${[...operands, ...attributes].join(", ")})${type}`;
  });
  return [`(${inputs}) -> ${graph.outputs.map(nameOf).join(", ")}`, ...lines].join("\n");
}

function showAttribute(value: unknown): string {
  if (isGraph(value)) return `{\n${printGraph(value).replaceAll(/^/gm, "    ")}\n  }`;
  if (value instanceof Tensor) {
    const elements = value.data.length <= 8 ? ` ${Array.from(value.data, String).join(" ")}` : " …";
    return `${value.dtype}${showShape(value.shape)}${elements}`;
  }
  return Array.isArray(value) ? showShape(value) : String(value);
}
