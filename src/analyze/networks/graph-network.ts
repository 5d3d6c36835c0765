/** Networks from graphs that a file holds: layers by the marks of the nodes, kinds by their operators. */
import { isFloat } from "../../core/dtype.ts";
import type { Limits } from "../../core/limits.ts";
import { append, greatest } from "../../core/lists.ts";
import { type Shape, size } from "../../core/shape.ts";
import { type Graph, graphOf, type Node, type Scope, type Value } from "../../graph/ir.ts";
import type { FileTensor, ImportedGraph, Setting } from "../../import/imported-graph.ts";
import type { LayerKind } from "../../nn/index.ts";
import { kindOf } from "../../ops/registry.ts";
import { type Flow, flowOf } from "./flow.ts";
import { formulaOf } from "./formula.ts";
import { standInLoss } from "./loss.ts";
import { type Network, type NetworkLayer, type NetworkParameter, total, trainingWithin } from "./network.ts";

export interface GraphSource {
  readonly name: string;
  readonly source: string;
  readonly model: ImportedGraph;
  /** Stored tensors beside the weights, which are counted as buffers. */
  readonly settings?: readonly Setting[];
  /** Values that a run leaves out, whose layers and parameters are the network's all the same. */
  readonly idle?: readonly Value[];
  /** Shapes of what layers give where the file has them otherwise than the graph. */
  readonly shapes?: ReadonlyMap<Scope, Shape>;
  /** How many elements of a weight are 0, where they are at hand. */
  readonly zerosOf?: (weight: Value) => number | undefined;
  /** Kernels of convolutions are stored [height, width, in, out]; default [out, in, height, width]. */
  readonly kernelFirst?: boolean;
  readonly notes: readonly string[];
  /** Limits that are other than docs/limits.md lists. */
  readonly limits?: Limits | undefined;
}

/** The network of a graph whose nodes carry the marks of their layers. */
export function graphNetwork(given: GraphSource): Network {
  const {
    name,
    source,
    model,
    settings = [],
    idle = [],
    shapes: shapesInFile,
    kernelFirst,
    notes,
    limits,
    zerosOf,
  } = given;
  const { graph, weights, unshaped } = model;
  const whole = idle.length > 0 ? graphOf(graph.inputs, [...graph.outputs, ...idle]) : graph;
  const flow = flowOf(whole, [...weights.keys(), ...settings.flatMap(({ value }) => value ?? [])]);
  const running = new Set(graph.nodes);
  const layers = collectLayers(flow, weights).filter(
    (layer) => layer.weights.length > 0 || layer.nodes.some((node) => running.has(node)),
  );
  const logical = logicalTensors(whole, weights);
  const statistics = new Set(
    whole.nodes.flatMap(({ op, inputs }) => op.statistics.flatMap((position) => inputs[position] ?? [])),
  );
  const parameters = layers.flatMap((layer) =>
    layer.weights.map((value): NetworkParameter => {
      const isBuffer = statistics.has(value);
      // Numbers that are quantized in the graph too have no gradient.
      const trainable = !isBuffer && isFloat(value.dtype);
      const own = parameterOf(logical.get(value) as FileTensor, value);
      return { ...own, layer: layer.name, isBuffer, trainable, zeros: isBuffer ? undefined : zerosOf?.(value) };
    }),
  );
  const buffers = settings.map(({ tensor, value }) => parameterOf(tensor, value));
  return {
    name,
    source,
    parameters: [...parameters, ...buffers],
    layers: layers.filter(told(layers)).map((layer) => {
      const learned = layer.weights.filter((value) => !statistics.has(value));
      const shapes = learned.map((value) => logical.get(value)?.shape ?? []);
      const described = describe(layer, unshaped);
      const outputShape = shapesInFile?.get(layer.scopes.at(-1) as Scope) ?? described.outputShape;
      return { ...described, outputShape, formula: formulaOf(shapes, { kernelFirst }) };
    }),
    graphs: {
      forward: graph,
      ...trainingWithin(workOf(graph), limits, () => trainingGraph(graph, unshaped)),
      hasOpenShapes: unshaped.size > 0,
    },
    notes,
  };
}

/** The weights as what they stand for: of packed ones, the matrices before packing. */
function logicalTensors({ nodes }: Graph, weights: ReadonlyMap<Value, FileTensor>): ReadonlyMap<Value, FileTensor> {
  const logical = new Map(weights);
  for (const node of nodes) {
    const packed = node.op.packed(node);
    const value = packed && node.inputs[packed.position];
    const tensor = value && weights.get(value);
    if (tensor) logical.set(value, { ...tensor, shape: packed.shape, type: intType(packed.bits) });
  }
  return logical;
}

const intType = (bits: number): FileTensor["type"] => ({ name: `int${bits}`, bits });

/** A tensor of the file as a buffer of a layer named as the tensor is. */
const parameterOf = ({ name, shape, type }: FileTensor, value: Value | undefined): NetworkParameter => ({
  name,
  layer: name,
  shape,
  elements: size(shape),
  type: type.name,
  bits: type.bits,
  isBuffer: true,
  trainable: false,
  value,
});

/** How large the gradient graph becomes, in nodes of two operands: each operand of many has a gradient of its own. */
const workOf = ({ nodes }: Graph): number => total(nodes, ({ inputs }) => Math.max(1, inputs.length - 1));

function trainingGraph({ inputs, outputs }: Graph, unshaped: ReadonlySet<Value>): Graph | undefined {
  if (unshaped.size > 0) return undefined;
  const output = outputs.find((value) => standInLoss(value) !== undefined);
  const made = output && standInLoss(output);
  return made && graphOf([...inputs, made.target], [made.loss]);
}

/** A layer while it is put together. */
interface Draft {
  readonly name: string;
  readonly scopes: Scope[];
  /** Nodes that compute from data. */
  readonly nodes: Node[];
  /** Weights that it is the first to read. */
  readonly weights: Value[];
  readonly flow: Flow;
}

/** Layers by the paths of their nodes, in the order of their first node, with the weights that each owns. */
function collectLayers(flow: Flow, weights: ReadonlyMap<Value, unknown>): readonly Draft[] {
  const drafts = new Map<string, Draft>();
  const owners = new Map<Scope, Draft>();
  const seen = new Set<Value>();
  for (const node of flow.graph.nodes) {
    if (flow.activeOperands(node).length === 0) continue;
    const scope = node.scope ?? { path: "model" };
    const fresh = freshWeights(node, flow, { weights, seen });
    const before = owners.get(scope) ?? drafts.get(scope.path) ?? biasOwner(node, fresh, flow, owners);
    const draft = before ?? { name: scope.path, scopes: [], nodes: [], weights: [], flow };
    if (!before) drafts.set(scope.path, draft);
    if (!owners.has(scope)) draft.scopes.push(scope);
    owners.set(scope, draft);
    draft.nodes.push(node);
    append(draft.weights, fresh);
  }
  return [...drafts.values()];
}

/** The weights that a node is the first to read, also those that it reads reshaped, transposed or dequantized. */
function freshWeights(
  node: Node,
  flow: Flow,
  { weights, seen }: { readonly weights: ReadonlyMap<Value, unknown>; readonly seen: Set<Value> },
): readonly Value[] {
  const found: Value[] = [];
  // The last is taken first. What was seen, was seen with all that lies behind it.
  const learned = (values: Node["inputs"]) =>
    values.filter((value) => value !== undefined && flow.isLearned(value)).reverse() as Value[];
  const pending = learned(node.inputs);
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (weights.has(value)) found.push(value);
    append(pending, learned(value.producer?.inputs ?? []));
  }
  return found;
}

/** The layer whose products a node of its own adds a bias to, when names do not say that they belong together. */
function biasOwner(
  node: Node,
  fresh: readonly Value[],
  flow: Flow,
  owners: ReadonlyMap<Scope, Draft>,
): Draft | undefined {
  const [operand, ...others] = flow.activeOperands(node);
  const maker = operand?.producer;
  const [bias] = fresh;
  if (!maker?.scope || others.length > 0 || !bias || fresh.length > 1 || kindOf(node.op) !== "arithmetic")
    return undefined;
  const owner = owners.get(maker.scope);
  // A vector over one axis of the products of a layer that has only its weight so far.
  const isVector = greatest(bias.shape) === size(bias.shape);
  return flow.isWeighted(maker) && owner?.weights.length === 1 && isVector ? owner : undefined;
}

/** Whether a layer is reported: not where it stands around others and owns and multiplies nothing itself, nor where it moves elements. */
function told(all: readonly Draft[]): (layer: Draft) => boolean {
  const names = all.map(({ name }) => name).sort();
  /** Whether a name begins with `prefix`: the first in order that is not before it would. */
  const isBegun = (prefix: string): boolean => {
    let [low, high] = [0, names.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((names[middle] as string) < prefix) low = middle + 1;
      else high = middle;
    }
    return names[low]?.startsWith(prefix) ?? false;
  };
  return ({ name, nodes, weights }) => {
    if (weights.length > 0 || nodes.some(({ op }) => op.contracts)) return true;
    return nodes.some(({ op }) => kindOf(op) !== "reshape") && !isBegun(`${name}.`);
  };
}

function describe({ name, scopes, nodes, flow }: Draft, unshaped: ReadonlySet<Value>): Omit<NetworkLayer, "formula"> {
  const { kind, main } = kindOfNodes(nodes, flow);
  const output = nodes.at(-1)?.outputs[0];
  return {
    name,
    type: main.op.type,
    kind,
    scopes,
    outputShape: output && !unshaped.has(output) ? output.shape : undefined,
  };
}

/** The more telling kinds first. */
const precedence: readonly LayerKind[] = [
  "convolution",
  "recurrent",
  "dense",
  "attention",
  "embedding",
  "normalization",
  "pooling",
  "activation",
  "arithmetic",
  "other",
  "reshape",
];

/** What a layer's nodes compute together, and the node that says so. */
function kindOfNodes(nodes: readonly Node[], flow: Flow): { readonly kind: LayerKind; readonly main: Node } {
  const [first] = nodes as readonly [Node, ...Node[]];
  const kinds = nodes.map((node) => ({ kind: kindOfNode(node, flow), node }));
  const rank = (kind: LayerKind) => precedence.indexOf(kind);
  const main = kinds.reduce((best, other) => (rank(other.kind) < rank(best.kind) ? other : best), {
    kind: "reshape" as LayerKind,
    node: first,
  });
  // Moments and a learned scale, written out: a normalization.
  const scales = nodes.some((node) => node.inputs.some((value) => value && flow.isLearned(value)));
  const isNormalization = main.kind === "pooling" && scales;
  return { kind: isNormalization ? "normalization" : main.kind, main: main.node };
}

function kindOfNode(node: Node, flow: Flow): LayerKind {
  const kind = kindOf(node.op);
  if (kind === "constant") return "reshape";
  // Products of data with data are attention's; a table that is not learned is only read.
  if (node.op.contracts && !flow.isWeighted(node) && kind === "dense") return "attention";
  if (kind === "embedding" && !node.inputs.some((value) => value && flow.isLearned(value))) return "reshape";
  return kind;
}
