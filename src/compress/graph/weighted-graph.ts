/** A model as one graph with its weights beside it, as compression rewrites it, and the ONNX file that comes of it. */
import type { Tensor } from "../../core/tensor.ts";
import { encodeTraced, requireFits } from "../../formats/files/export-onnx.ts";
import { namesOf, nameTree } from "../../formats/files/file-names.ts";
import type { TracedGraph } from "../../formats/files/traced-graph.ts";
import { graphOf, nodesOf, type TensorType, type Value } from "../../graph/ir.ts";
import { isTensorType } from "../../nn/index.ts";

/** A graph whose inputs are those of the model, then its weights with what they hold. */
export type WeightedGraph = TracedGraph;

/** What sites and placements are found in: a graph, and what its weights hold. */
export type HeldGraph = Pick<WeightedGraph, "graph" | "parameters">;

/** The graph with other outputs, and the weights that those read among all that are given. */
export function withOutputs(
  traced: WeightedGraph,
  outputs: readonly Value[],
  weights: ReadonlyMap<Value, Tensor> = traced.parameters,
): WeightedGraph {
  const read = new Set(nodesOf(outputs).flatMap(({ inputs }) => inputs));
  const parameters = new Map([...weights].filter(([value]) => read.has(value)));
  const places = new Map(outputs.map((value, i) => [value, traced.graph.outputs[i]]));
  return {
    ...traced,
    graph: graphOf([...dataInputs(traced), ...parameters.keys()], outputs),
    parameters,
    symbols: (value, axis) => traced.symbols(places.get(value) ?? value, axis),
  };
}

/** The inputs that are data. */
export const dataInputs = ({ graph, parameters }: WeightedGraph): readonly Value[] =>
  graph.inputs.filter((value) => !parameters.has(value));

/** The inputs that are data, by their paths in what the model takes: `x` for an only one. */
export function namedInputs(traced: WeightedGraph): readonly { readonly name: string; readonly value: Value }[] {
  const paths = typeLeaves(traced.inputs).map(({ path }) => path);
  return dataInputs(traced).map((value, i) => ({ name: paths[i] || "x", value }));
}

/** The types of a tree with their paths. */
function typeLeaves(types: unknown, path = ""): readonly { readonly path: string; readonly type: TensorType }[] {
  if (isTensorType(types)) return [{ path, type: types }];
  if (typeof types !== "object" || types === null) return [];
  return Object.entries(types).flatMap(([name, part]) => typeLeaves(part, path === "" ? name : `${path}.${name}`));
}

/** The names that the file gives inputs and outputs. */
function fileNames({ inputs, output }: Pick<WeightedGraph, "inputs" | "output">) {
  const taken = new Set<string>();
  const inputNames = namesOf(nameTree(inputs, "input", taken));
  return { inputNames, outputNames: namesOf(nameTree(output, "output", taken)) };
}

/** The bytes of the ONNX file. Throws OptionError where it would be larger than such a file may be. */
export function encodeWeighted(traced: WeightedGraph, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  requireFits(traced.parameters.values(), "the compressed model");
  return encodeTraced(traced, { ...fileNames(traced), metadata });
}

/** The bytes of a graph whose outputs are other values, for looking into it. */
export const encodeObserved = (traced: WeightedGraph, observed: readonly Value[]): Uint8Array =>
  encodeTraced(withOutputs(traced, observed), {
    inputNames: fileNames(traced).inputNames,
    outputNames: observed.map((_, i) => `observed_${i}`),
  });
