/** What an ONNX file of ours notes beside its graph, so that the module comes back as it was: nesting, buffers, what is frozen. */
import * as z from "zod/mini";
import { FileError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { isPlainObject, leavesOf, type Tree } from "../core/tree.ts";
import type { GraphSource, Nesting } from "./imported-module.ts";

/** The key of the file's metadata under which the record stands. */
export const recordKey = "sardonyx.model";
const format = "sardonyx-model-1";

/** Trees of inputs and outputs nest no deeper in any model. */
const maxDepth = 32;

const isTree = (item: unknown, isLeaf: (leaf: unknown) => boolean, depth = 0): boolean => {
  if (depth > maxDepth) return false;
  if (Array.isArray(item)) return item.every((own) => isTree(own, isLeaf, depth + 1));
  if (isPlainObject(item)) return Object.values(item).every((own) => isTree(own, isLeaf, depth + 1));
  return isLeaf(item);
};

const isName = (leaf: unknown): boolean => typeof leaf === "string";

const recordSchema = z.object({
  format: z.literal(format),
  /** Takes one tensor, tensors by name, or any tree. */
  form: z.enum(["tensor", "named", "tree"]),
  inputs: z.custom<Tree<string>>((item) => isTree(item, isName)),
  /** `null` where the model gives nothing. */
  outputs: z.custom<Tree<string | null>>((item) => isTree(item, (leaf) => leaf === null || isName(leaf))),
  /** In the order in which they came into being. */
  parameters: z.array(z.object({ path: z.string(), buffer: z.boolean(), frozen: z.boolean() })),
});

export type ModelRecord = Omit<z.output<typeof recordSchema>, "format">;

export const writeRecord = (record: ModelRecord): string => JSON.stringify({ format, ...record });

/** Reads a record. Throws FileError for one that is damaged. */
export function readRecord(text: string): ModelRecord {
  try {
    return recordSchema.parse(parseJson(text));
  } catch (cause) {
    throw new FileError(
      `onnx: the record under "${recordKey}" in the file's metadata is damaged; save the model again, or take the record out`,
      { cause },
    );
  }
}

/** The nesting that a record says. Throws FileError where the graph has other inputs or outputs, or the form does not fit. */
export function nestingOfRecord(
  { form, inputs, outputs }: ModelRecord,
  graph: Pick<GraphSource, "inputs" | "outputs">,
): Nesting {
  const refuse = (problem: string) =>
    new FileError(`onnx: the record under "${recordKey}" ${problem}; save the model again, or take the record out`);
  const names = leavesOf(inputs).map(({ leaf }) => leaf as string);
  const declared = graph.inputs.map(({ name }) => name);
  if (names.length !== declared.length || !declared.every((name) => names.includes(name)))
    throw refuse(`names the inputs ${names.join(", ")}, and the graph has ${declared.join(", ")}`);
  const stray = leavesOf(outputs).find(({ leaf }) => leaf !== null && !graph.outputs.includes(leaf as string));
  if (stray) throw refuse(`names an output "${stray.leaf}", and the graph has ${graph.outputs.join(", ")}`);
  const isFlat = isPlainObject(inputs) && Object.values(inputs).every(isName);
  if (!{ tensor: isName(inputs), named: isFlat, tree: true }[form])
    throw refuse(`says that inputs are taken as "${form}", and nests them otherwise`);
  const named = () => Object.fromEntries(Object.keys(inputs).map((name) => [name, "required" as const]));
  return { form: form === "named" ? named() : form, inputs, outputs };
}
