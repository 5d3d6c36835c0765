/** The products of a graph whose weights can be stored in fewer bits. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { matchesPath, type PathPatterns } from "../../core/path-pattern.ts";
import { asFloat32, Tensor, transposed } from "../../core/tensor.ts";
import { input, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { Conv, FusedMatMul, Gather, Gemm, MatMul } from "../../ops/index.ts";
import { type HeldGraph, type WeightedGraph, withOutputs } from "../graph/weighted-graph.ts";

/** A convolution, a product of matrices or a look-up of rows with a weight that the file holds. */
export interface Site {
  /** The layer: the path of its weight, without its last part where that says no more than "weight". */
  readonly name: string;
  readonly node: Node;
  readonly kind: "convolution" | "dense" | "embedding";
  /** The graph input that stands for the weight, and what it holds. */
  readonly weight: Value;
  readonly held: Tensor<"float32">;
  /** Axis of the weight along which the outputs lie. */
  readonly outputAxis: 0 | 1;
}

const layerName = (path: string): string => path.replace(/\.(weight|kernel|w)$/, "");

/** Whether a product is one of plain matrices, and its weight lies transposed. */
function formOf({
  op,
  attributes,
  inputs: [, weight],
}: Node): { readonly kind: Site["kind"]; readonly outputAxis: 0 | 1 } | undefined {
  if (op === Conv) return { kind: "convolution", outputAxis: 0 };
  if (weight?.rank !== 2) return undefined;
  if (op === MatMul) return { kind: "dense", outputAxis: 1 };
  const is = (name: string, expected: number) => (attributes[name] ?? expected) === expected;
  if (!is("alpha", 1) || !is("transA", 0)) return undefined;
  const outputAxis = attributes["transB"] === 1 ? 0 : 1;
  if (op === Gemm) return is("beta", 1) ? { kind: "dense", outputAxis } : undefined;
  return op === FusedMatMul && is("transBatchA", 0) && is("transBatchB", 0) ? { kind: "dense", outputAxis } : undefined;
}

/** The products with a weight of their own, in the order in which they run. */
export function sitesOf({ graph, parameters }: HeldGraph): readonly Site[] {
  return graph.nodes.flatMap((node) => {
    const [, weight] = node.inputs;
    const held = weight && parameters.get(weight);
    const form = held && formOf(node);
    if (!weight || !held || !form) return [];
    return [{ name: layerName(weight.name ?? node.op.type), node, weight, held: asFloat32(held), ...form }];
  });
}

/** The look-ups of rows of a table, such as embeddings of tokens. */
export function lookupsOf({ graph, parameters }: HeldGraph): readonly Site[] {
  return graph.nodes.flatMap((node) => {
    const [weight] = node.inputs;
    const held = weight && parameters.get(weight);
    const isLookup = node.op === Gather && (node.attributes["axis"] ?? 0) === 0 && weight?.rank === 2;
    if (!weight || !held || !isLookup) return [];
    const name = layerName(weight.name ?? node.op.type);
    return [{ name, node, kind: "embedding" as const, weight, held: asFloat32(held), outputAxis: 0 as const }];
  });
}

/** How many nodes read a value; an output of the graph counts as one more. */
export function readersOf(outputs: readonly Value[]): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  const read = (value: Value | undefined) => value && counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const { inputs } of nodesOf(outputs)) for (const value of inputs) read(value);
  for (const value of outputs) read(value);
  return counts;
}

/** The sites without those that stay as they are. Throws OptionError for a pattern that matches none. */
export function withoutKept(sites: readonly Site[], keep: PathPatterns | undefined): readonly Site[] {
  const patterns = keep === undefined ? [] : [keep].flat();
  for (const pattern of patterns)
    if (!sites.some(({ name }) => matchesPath(name, pattern)))
      throw unknownName("layer", String(pattern), new Set(sites.map(({ name }) => name)));
  return sites.filter(({ name }) => !patterns.some((pattern) => matchesPath(name, pattern)));
}

/** The graph with products of a transposed weight, which ONNX Runtime has for floats alone, as plain ones: their weights are stored transposed. */
export function plainProducts(traced: WeightedGraph): WeightedGraph {
  const weights = new Map(traced.parameters);
  const turned = new Map<Value, Value>();
  const { outputs, changed } = rewrite(traced.graph.outputs, (node) => {
    const [x, weight] = node.inputs;
    const held = weight && weights.get(weight);
    if (node.op !== FusedMatMul || !x || !held || !formOf(node)) return undefined;
    const isTurned = node.attributes["transB"] === 1;
    const plain = isTurned
      ? (turned.get(weight) ?? input(weight.dtype, weight.shape.toReversed(), weight.name))
      : weight;
    if (isTurned) {
      turned.set(weight, plain);
      weights.set(plain, transposed(held, [1, 0]));
    }
    return [apply(MatMul, [x, plain])];
  });
  return changed ? withOutputs(traced, outputs, weights) : traced;
}

/** A dense weight as rows of its outputs, [outputs, inputs]. */
export function rowsOf(
  { held, outputAxis }: Site,
  data: Float32Array = held.data,
): { readonly rows: number; readonly data: Float32Array } {
  const rows = held.shape[outputAxis] ?? 1;
  if (outputAxis === 0) return { rows, data };
  return { rows, data: transposed(new Tensor("float32", held.shape, data), [1, 0]).data };
}

/** Throws OptionError where nothing is to be quantized. */
export function requireSites(sites: readonly Site[], what: string): void {
  if (sites.length === 0)
    throw new OptionError(
      `${what}: the model has no convolution or dense layer with weights of its own to quantize; pass one that has, or keep fewer`,
    );
}

/** The names of the sites that are not among others. */
export const namesWithout = (all: readonly Site[], sites: readonly Site[]): readonly string[] => {
  const chosen = new Set(sites.map(({ name }) => name));
  return [...new Set(all.flatMap(({ name }) => (chosen.has(name) ? [] : [name])))];
};
