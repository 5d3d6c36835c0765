/** The TensorFlow graph of a model.json as plain, checked data: named nodes, what they read, what goes in and out. */
import * as z from "zod";
import { FileError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { sorted } from "../../../import/sort.ts";
import type { GraphDocument } from "../document.ts";
import { name, object, readPart } from "../fields.ts";
import { NodeAttributes, readExtents } from "./attributes.ts";

/** A result of a node. */
export interface Reference {
  readonly node: string;
  readonly output: number;
}

/** A result that leaves the graph: by its key in the signature where there is one, else the name of its node. */
export interface NamedReference extends Reference {
  readonly name: string;
}

export interface GraphNode {
  readonly name: string;
  /** Name of the operator. */
  readonly op: string;
  readonly inputs: readonly Reference[];
  readonly attributes: NodeAttributes;
  /** How many of its results others read, at least one. */
  readonly outputs: number;
}

export interface GraphFile {
  /** Each behind those that it reads. */
  readonly nodes: readonly GraphNode[];
  /** Names of the nodes through which data enters, in the order of the signature. */
  readonly inputs: readonly string[];
  readonly outputs: readonly NamedReference[];
  /** Extents that the signature gives an input, by the name of its node. */
  readonly declared: ReadonlyMap<string, readonly (number | undefined)[] | undefined>;
}

const nodeSchema = z.object({
  name: name(),
  op: name(),
  input: z.array(z.string({ error: "the name of a node" }), { error: "a list of names" }).nullish(),
  attr: object("an object with attributes").nullish(),
});
const graphSchema = z.object({ node: z.array(nodeSchema, { error: "a list of nodes" }) });

/** How messages call a node. */
export const describeNode = ({ op, name: own }: Pick<GraphNode, "op" | "name">): string => `${op} "${own}"`;

/** `name`, `name:1`; what a node only waits for stands after a `^`. */
function referenceOf(written: string): Reference {
  const [node = "", ...rest] = written.split(":");
  const output = Number(rest.at(-1) ?? 0);
  return { node, output: Number.isSafeInteger(output) && output >= 0 ? output : 0 };
}

/** Results of a node beyond this many are none of a real model's. */
const maxOutputs = 4096;
/** Nodes that compute nothing that is read. */
const silent: ReadonlySet<string> = new Set(["NoOp", "Assert"]);
const placeholders: ReadonlySet<string> = new Set(["Placeholder", "PlaceholderV2"]);
export const isPlaceholder = (op: string): boolean => placeholders.has(op);

/**
 * The graph of a document. Throws FileError for nodes that are incomplete, for two of one name, for one that reads what is
 * not there, and for a cycle.
 */
export function readGraphFile({ graph, signature }: GraphDocument): GraphFile {
  const entries = readPart("modelTopology", graphSchema, graph).node.filter(({ op }) => !silent.has(op));
  const counts = new Map<string, number>();
  const count = ({ node, output }: Reference) => {
    if (output >= maxOutputs)
      throw new FileError(
        `tfjs: result ${output} of "${node}" is read; no operator gives as many, the file is damaged`,
      );
    counts.set(node, Math.max(counts.get(node) ?? 1, output + 1));
  };
  const read = entries.map((entry) => {
    const inputs = (entry.input ?? []).filter((written) => !written.startsWith("^")).map(referenceOf);
    for (const input of inputs) count(input);
    return { ...entry, inputs };
  });
  const { inputs, outputs, declared } = readSignature(signature, read);
  for (const output of outputs) count(output);
  const nodes = read.map(
    ({ name: own, op, inputs: operands, attr }): GraphNode => ({
      name: own,
      op,
      inputs: operands,
      attributes: new NodeAttributes(describeNode({ op, name: own }), attr ?? {}),
      outputs: counts.get(own) ?? 1,
    }),
  );
  const order = sorted<GraphNode>(nodes, {
    format: "tfjs",
    describe: describeNode,
    writes: (node) => [node.name],
    reads: (node) => node.inputs.map(({ node: operand }) => operand),
    isKnown: () => false,
  });
  return { nodes: order, inputs, outputs, declared };
}

interface Entry {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly Reference[];
}

/** What goes in and out: by the signature where there is one, else what reads nothing and what nothing reads. */
function readSignature(signature: unknown, nodes: readonly Entry[]): Omit<GraphFile, "nodes"> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const signatureTensors = (side: "inputs" | "outputs") => {
    const entries = isPlainObject(signature) && isPlainObject(signature[side]) ? Object.entries(signature[side]) : [];
    return entries.flatMap(([key, entry]) => {
      const written = isPlainObject(entry) && typeof entry["name"] === "string" ? entry["name"] : key;
      const reference = referenceOf(written);
      const extents = isPlainObject(entry) ? readExtents(entry["tensorShape"]) : undefined;
      return byName.has(reference.node) ? [{ key, reference, extents }] : [];
    });
  };
  const entering = signatureTensors("inputs").filter(({ reference }) =>
    isPlaceholder(byName.get(reference.node)?.op ?? ""),
  );
  const all = nodes.flatMap(({ name: own, op }) => (isPlaceholder(op) ? [own] : []));
  const inputs = [...new Set([...entering.map(({ reference }) => reference.node), ...all])];
  const outputs = signatureTensors("outputs").map(({ key, reference }) => ({ ...reference, name: key }));
  const taken = new Set(nodes.flatMap((node) => node.inputs.map((operand) => operand.node)));
  const last = nodes
    .filter((node) => !taken.has(node.name) && node.inputs.length > 0)
    .map(({ name: own }) => ({ node: own, output: 0, name: own }));
  const found = outputs.length > 0 ? outputs : last;
  if (inputs.length === 0 || found.length === 0)
    throw new FileError(
      `tfjs: the graph has no ${inputs.length > 0 ? "output" : "Placeholder, through which data would enter"}; convert the model again`,
    );
  return {
    inputs,
    outputs: found,
    declared: new Map(entering.map(({ reference, extents }) => [reference.node, extents])),
  };
}
