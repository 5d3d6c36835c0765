/** Gradient of ai.onnx.preview.training: derivatives of a value of the graph with respect to others, by the rules of the operators between. */
import { gradients } from "../../autodiff/gradients.ts";
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { expand, ones } from "../../ops/index.ts";
import type { FileNode } from "../model-file.ts";
import type { Computed } from "../names.ts";
import { describeNode } from "../sort.ts";
import type { ControlNode } from "./node.ts";

const listed = ({ attributes }: FileNode, name: string): readonly string[] => {
  const value = attributes.get(name);
  return Array.isArray(value) ? (value as readonly string[]) : [];
};

/** d y / d x for each of the values that the attribute xs names, where those and zs are what the operands give. */
export function readGradient({ node, names, reader }: ControlNode): readonly Computed[] {
  const y = node.attributes.get("y");
  const [xs, zs] = [listed(node, "xs"), listed(node, "zs")];
  if (typeof y !== "string" || node.inputs.length !== xs.length + zs.length)
    throw new UnsupportedError("Gradient: it must name y, and have an operand for each of xs and zs");
  const read = (name: string) => reader.operand(name, names, describeNode(node));
  const given = node.inputs.map(read);
  const replaced = new Map([...xs, ...zs].map((name, i) => [read(name), given[i] as Value]));
  const [at] = rewrite([read(y)], () => undefined, replaced).outputs as [Value];
  return gradients([at], [expand(ones([], at.dtype), at.shape)], given.slice(0, xs.length));
}
