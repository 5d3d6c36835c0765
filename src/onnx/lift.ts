/** Nodes of ONNX's operators of classical machine learning, whose weights are attributes, with these as tensors of the graph. */
import { Tensor } from "../core/tensor.ts";
import type { FileNode } from "./model-file.ts";
import { elementTypeOf, type StoredTensor } from "./tensor.ts";

/** Attributes that are weights or moments, in the order in which our operators take them after the data, and how many rows they have. */
const lifted: Readonly<Record<string, Readonly<Record<string, (node: FileNode) => number>>>> = {
  LinearRegressor: { coefficients: ({ attributes }) => Number(attributes.get("targets") ?? 1), intercepts: () => 0 },
  LinearClassifier: { coefficients: classesOf, intercepts: () => 0 },
  Scaler: { offset: () => 0, scale: () => 0 },
};

/** How many classes a linear classifier has scores for: one row of coefficients each, or one for two classes. */
function classesOf({ attributes }: FileNode): number {
  const lengthOf = (name: string) => {
    const value = attributes.get(name);
    return Array.isArray(value) && value.length > 0 ? value.length : undefined;
  };
  return lengthOf("intercepts") ?? lengthOf("classlabels_ints") ?? lengthOf("classlabels_strings") ?? 1;
}

/** The node with its weights as operands, and the tensors that these are; most nodes stay as they are. */
export function liftWeights(node: FileNode): { readonly node: FileNode; readonly tensors: readonly StoredTensor[] } {
  const rows = node.domain === "ai.onnx.ml" ? lifted[node.type] : undefined;
  if (!rows) return { node, tensors: [] };
  const tensors = Object.entries(rows).flatMap(([attribute, rowsOf]): StoredTensor[] => {
    const values = node.attributes.get(attribute);
    if (!Array.isArray(values)) return [];
    const name = `${node.name || node.outputs.find(Boolean) || node.type}.${attribute}`;
    return [storedFloats(name, values as readonly number[], rowsOf(node))];
  });
  const names = Object.keys(rows);
  const operands = names.map((attribute) => tensors.find(({ name }) => name.endsWith(`.${attribute}`))?.name ?? "");
  const attributes = new Map([...node.attributes].filter(([name]) => !names.includes(name)));
  return { node: { ...node, inputs: [...node.inputs, ...operands], attributes }, tensors };
}

/** Numbers of an attribute as a tensor: a vector, or a matrix of some rows. */
function storedFloats(name: string, values: readonly number[], rows: number): StoredTensor {
  const isMatrix = rows > 0 && values.length % rows === 0;
  const shape = isMatrix ? [rows, values.length / rows] : [values.length];
  const type = elementTypeOf(1) as StoredTensor["type"];
  return {
    name,
    shape,
    type,
    bytes: 4 * values.length,
    read: () => new Tensor("float32", shape, Float32Array.from(values)),
  };
}
