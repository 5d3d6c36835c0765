/** Tensors that a file holds twice although they are one parameter: a table of embeddings, and its transposition for the output layer. */
import { FileError } from "../core/errors.ts";
import { sameShape, size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { FileGraph, FileNode } from "./model-file.ts";
import type { StoredTensor } from "./tensor.ts";

/** A tensor that has the elements of another. */
export interface Tied {
  readonly name: string;
  /** The tensor that it is computed from. */
  readonly original: string;
  readonly isTransposed: boolean;
}

/** Larger tables are not compared, and of smaller ones likeness shows nothing. */
const [maxBytes, minElements] = [1 << 29, 16];

/** The graph with each copy of a table computed from the table, and what was found. */
export function withTied(graph: FileGraph): { readonly graph: FileGraph; readonly tied: readonly Tied[] } {
  const tables = new Set(graph.nodes.flatMap(({ type, inputs }) => (type === "Gather" ? [inputs[0] ?? ""] : [])));
  const isCandidate = ({ shape, type, bytes }: StoredTensor) =>
    shape.length === 2 && /^b?float/.test(type.name) && size(shape) >= minElements && bytes <= maxBytes;
  const candidates = [...graph.initializers.values()].filter(isCandidate);
  const tied = candidates
    .filter(({ name }) => tables.has(name))
    .flatMap((table) => {
      const others = candidates.filter((other) => !tables.has(other.name) && fits(table, other));
      const elements = others.length > 0 ? elementsOf(table) : undefined;
      return elements ? others.flatMap((other) => tiedTo(table, elements, other) ?? []) : [];
    })
    .filter(({ name }, i, all) => all.findIndex((own) => own.name === name) === i);
  if (tied.length === 0) return { graph, tied };
  const copies = new Set(tied.map(({ name }) => name));
  const initializers = new Map([...graph.initializers].filter(([name]) => !copies.has(name)));
  return { graph: { ...graph, initializers, nodes: [...tied.map(copyOf), ...graph.nodes] }, tied };
}

const fits = ({ shape, type }: StoredTensor, other: StoredTensor): boolean =>
  type.name === other.type.name && (sameShape(other.shape, [...shape].reverse()) || sameShape(other.shape, shape));

/** The elements, unless they cannot be read or are all one number, as in a file of a model that was never trained. */
function elementsOf(stored: StoredTensor): Tensor | undefined {
  try {
    const elements = stored.read();
    return elements.data.some((element) => element !== elements.data[0]) ? elements : undefined;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

function tiedTo(table: StoredTensor, { data }: Tensor, other: StoredTensor): Tied | undefined {
  const copy = elementsOf(other)?.data;
  if (!copy) return undefined;
  const [rows = 0, columns = 0] = table.shape;
  const isTransposed = sameShape(other.shape, [columns, rows]);
  const isEqual = (at: (row: number, column: number) => number): boolean => {
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        if (data[row * columns + column] !== copy[at(row, column)]) return false;
    return true;
  };
  const [name, original] = [other.name, table.name];
  if (isTransposed && isEqual((row, column) => column * rows + row)) return { name, original, isTransposed: true };
  if (sameShape(other.shape, table.shape) && isEqual((row, column) => row * columns + column))
    return { name, original, isTransposed: false };
  return undefined;
}

/** The node that computes a copy. */
const copyOf = ({ name, original, isTransposed }: Tied): FileNode => ({
  type: isTransposed ? "Transpose" : "Identity",
  domain: "",
  name: "",
  inputs: [original],
  outputs: [name],
  attributes: new Map(isTransposed ? [["perm", [1, 0]]] : []),
  metadata: new Map(),
});
