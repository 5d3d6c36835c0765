/** Functions that a model defines: where a node calls one, its body is read in place. */
import type { Scope } from "../../graph/ir.ts";
import type { GraphReader } from "../import.ts";
import { type FileAttribute, type FileNode, functionKey } from "../model-file.ts";
import { type Computed, Names } from "../names.ts";
import { describeNode } from "../sort.ts";

/** The outputs of a function that the model defines; `undefined` when the node calls none. */
export function readFunction(
  node: FileNode,
  names: Names,
  scope: Scope,
  reader: GraphReader,
): readonly Computed[] | undefined {
  const body = reader.file.functions.get(functionKey(node.domain, node.type));
  if (!body) return undefined;
  const inner = new Names();
  for (const [i, name] of body.inputs.entries()) {
    const entry = names.get(node.inputs[i] ?? "");
    if (entry) inner.set(name, entry);
  }
  const bind = (attribute: FileAttribute): FileAttribute | undefined =>
    typeof attribute === "object" && "reference" in attribute
      ? (node.attributes.get(attribute.reference) ?? body.defaults.get(attribute.reference))
      : attribute;
  const nodes = body.nodes.map((own) => ({
    ...own,
    attributes: new Map(
      [...own.attributes].flatMap(([name, attribute]) => {
        const bound = bind(attribute);
        return bound === undefined ? [] : [[name, bound] as const];
      }),
    ),
  }));
  reader.nodes(nodes, { names: inner, declared: new Map(), scope });
  return body.outputs.map((name) => reader.entry(name, inner, describeNode(node)));
}
