/** A network's structure as a Mermaid flowchart, in the part of the language that GitHub draws. */
import { appendTo } from "../../core/lists.ts";
import { inOneLine } from "../../core/printable.ts";
import { type ChartGroup, type ChartNode, chartOf } from "./chart.ts";
import type { Inspected } from "./inspect.ts";
import { structureOf } from "./structure.ts";

/** Colours by kind; joins, inputs and outputs have a shape instead. */
const colours: Readonly<Record<string, string>> = {
  convolution: "#cfe3ff",
  dense: "#ffdfc2",
  embedding: "#e3d4f7",
  recurrent: "#ffd1dc",
  attention: "#fff0b3",
  normalization: "#d5f0d8",
  block: "#eceff4",
};

/**
 * The structure of a network as a Mermaid flowchart: layer, output shape and parameters in each box. Empty for a
 * network of which only the weights are known.
 */
export function mermaidOf(inspected: Inspected): string {
  const { inspection } = inspected;
  const { root, edges } = chartOf(structureOf(inspected), inspection);
  const kinds = new Map<string, string[]>();
  const lines = ["flowchart TD"];
  let frames = 0;
  const draw = ({ nodes, groups, label }: ChartGroup, indent: string) => {
    const inner = label === "" ? indent : `${indent}  `;
    if (label !== "") lines.push(`${indent}subgraph frame${frames++}["${quoted(label)}"]`);
    for (const node of nodes) {
      lines.push(`${inner}${shapeOf(node)}`);
      if (colours[node.kind]) appendTo(kinds, node.kind, `n${node.id}`);
    }
    for (const own of groups) draw(own, inner);
    if (label !== "") lines.push(`${indent}end`);
  };
  draw(root, "  ");
  for (const [from, to] of edges) lines.push(`  n${from} --> n${to}`);
  for (const [kind, ids] of kinds) {
    lines.push(`  classDef ${kind} fill:${colours[kind]},stroke:#6b7280,color:#111827;`);
    lines.push(`  class ${ids.join(",")} ${kind};`);
  }
  return `${lines.join("\n")}\n`;
}

/** A box with what it is, what it gives, and its parameters. */
function shapeOf({ id, label, type, kind, outputShape, parameters, layers }: ChartNode): string {
  const shape = outputShape ? outputShape.join("×") || "scalar" : undefined;
  const text = [
    quoted(label),
    layers > 1 ? `${layers} layers` : type !== label && quoted(type),
    shape,
    parameters > 0 && `${parameters.toLocaleString("en-US")} parameters`,
  ]
    .filter(Boolean)
    .join("<br>");
  if (kind === "input" || kind === "output") return `n${id}(["${text}"])`;
  return kind === "join" ? `n${id}(("${quoted(label)}"))` : `n${id}["${text}"]`;
}

/** Text within quotes; Mermaid writes characters by name between # and ;. */
const quoted = (text: string): string =>
  inOneLine(text)
    .replace(/#/g, "#35;")
    .replace(/"/g, "#quot;")
    .replace(/[<>]/g, (sign) => (sign === "<" ? "#lt;" : "#gt;"))
    .replace(/`/g, "#96;");
