/** Folding of normalization by running statistics into the products before it, so that one layer is left to compress. */
import { asFloat32, Tensor } from "../../core/tensor.ts";
import type { TracedGraph } from "../../formats/files/traced-graph.ts";
import { input, type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { BatchNormalization, Conv, Gemm } from "../../ops/index.ts";
import { withOutputs } from "./weighted-graph.ts";

/** The weights of a graph by their values. */
type Weights = ReadonlyMap<Value, Tensor>;

/** What a product is multiplied by and what is added to it, for each of its output channels. */
interface Affine {
  readonly factors: Float32Array;
  readonly shifts: Float32Array;
}

/**
 * A graph without the BatchNormalization nodes that stand alone behind a convolution or a dense layer with weights of its own:
 * y = γ (w x + b - μ) / √(σ² + ε) + β is a product with w γ / √(σ² + ε). Others stay.
 */
export function foldNormalization(traced: TracedGraph): TracedGraph {
  const users = usersOf(traced.graph.outputs);
  const weights = new Map(traced.parameters);
  const { outputs, changed } = rewrite(traced.graph.outputs, (node) => {
    const product = node.op === BatchNormalization ? node.inputs[0]?.producer : undefined;
    if (!product || (product.op !== Conv && product.op !== Gemm)) return undefined;
    const affine = affineOf(node, weights);
    const folded = affine && users.get(nameOf(product)) === 1 ? foldedInto(product, affine, weights) : undefined;
    return folded && [folded];
  });
  return changed ? withOutputs(traced, outputs, weights) : traced;
}

/** What identifies a product through rewriting: its weight. */
const nameOf = ({ inputs: [, weight] }: Node): Value | undefined => weight;

/** How many nodes read what the products of a weight give; infinite where an output of the graph is among them, or the weight serves twice. */
function usersOf(outputs: readonly Value[]): ReadonlyMap<Value | undefined, number> {
  const counts = new Map<Value | undefined, number>();
  const products = new Set<Value | undefined>();
  const add = (value: Value | undefined, count: number) => {
    const weight = value?.producer && nameOf(value.producer);
    if (weight) counts.set(weight, (counts.get(weight) ?? 0) + count);
  };
  for (const node of nodesOf(outputs)) {
    for (const value of node.inputs) add(value, 1);
    const weight = nameOf(node);
    if (products.has(weight)) counts.set(weight, Number.POSITIVE_INFINITY);
    products.add(weight);
  }
  for (const value of outputs) add(value, Number.POSITIVE_INFINITY);
  return counts;
}

function affineOf({ inputs: [, ...operands], attributes }: Node, weights: Weights): Affine | undefined {
  const held = operands.map((value) => value && weights.get(value));
  if (held.some((tensor) => tensor === undefined)) return undefined;
  const [scale, shift, mean, variance] = held.map((tensor) => asFloat32(tensor as Tensor).data) as Float32Array[] as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const epsilon = (attributes["epsilon"] as number | undefined) ?? 1e-5;
  const factors = scale.map((γ, i) => γ / Math.sqrt((variance[i] ?? 1) + epsilon));
  return { factors, shifts: shift.map((β, i) => β - (mean[i] ?? 0) * (factors[i] ?? 1)) };
}

/** The product with other weights; `undefined` where its weights are computed. */
function foldedInto(product: Node, { factors, shifts }: Affine, weights: Map<Value, Tensor>): Value | undefined {
  const [x, weight, bias] = product.inputs as readonly [Value, Value, Value?];
  const [held, heldBias] = [weights.get(weight), bias && weights.get(bias)];
  // A bias of another shape is one for all channels, or one for each row.
  const perChannel = heldBias?.data.length === factors.length && heldBias.shape.at(-1) === factors.length;
  if (!held || (bias && !perChannel)) return undefined;
  const { attributes } = product;
  if (product.op === Gemm && ((attributes["alpha"] ?? 1) !== 1 || (attributes["beta"] ?? 1) !== 1)) return undefined;
  const alongRows = product.op === Conv || attributes["transB"] === 1;
  const [outputs, each] = alongRows ? [weight.shape[0] ?? 1, 0] : [weight.shape[1] ?? 1, 1];
  const rowLength = held.data.length / outputs;
  const scaled = asFloat32(held).data.map(
    (w, i) => w * (factors[each === 0 ? Math.floor(i / rowLength) : i % outputs] ?? 1),
  );
  const added = shifts.map((shift, i) => shift + (heldBias ? Number(heldBias.data[i]) : 0) * (factors[i] as number));
  const store = (name: string | undefined, tensor: Tensor<"float32">): Value => {
    const value = input("float32", tensor.shape, name);
    weights.set(value, tensor);
    return value;
  };
  const newWeight = store(weight.name, new Tensor("float32", weight.shape, scaled));
  const newBias = store(
    bias?.name ?? weight.name?.replace(/[^.]*$/, "bias"),
    new Tensor("float32", [added.length], added),
  );
  return apply(product.op, [x, newWeight, newBias], attributes);
}
