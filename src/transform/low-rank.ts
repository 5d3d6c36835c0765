/** Low-rank paths beside the weights of a graph (Hu et al. 2021), by each operator's own rule. */
import { input, type Node, type Value } from "../graph/ir.ts";
import { assignScope, rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/index.ts";

/** The two small matrices of the path beside one weight. */
export interface LowRankAdapter {
  /** Path of the layer whose weight it stands beside. */
  readonly layer: string;
  /** A and B, graph inputs named `<layer>.lora_A` and `<layer>.lora_B`. */
  readonly values: readonly [a: Value, b: Value];
}

/** Which weights are adapted, and how. */
export interface LowRankOptions {
  /** Inner extent of the path. */
  readonly rank: number;
  /** The layer of a node that is to be adapted; `undefined` leaves the node alone. */
  layerOf(node: Node): string | undefined;
  /** Whether a value is a learned weight, as it stands or reshaped. */
  isLearned(value: Value): boolean;
}

/**
 * The outputs with a path of two small matrices added beside each chosen weight. `adapters` holds those that are there
 * already, by weight, and takes up the new ones: graphs that share weights share their adapters.
 */
export function addLowRankPaths(
  outputs: readonly Value[],
  { rank, layerOf, isLearned }: LowRankOptions,
  adapters: Map<Value, LowRankAdapter>,
): readonly Value[] {
  return rewrite(outputs, (node) => {
    const layer = node.op.contracts ? layerOf(node) : undefined;
    if (layer === undefined) return undefined;
    const position = node.inputs.findIndex((value) => value && value.rank > 1 && isLearned(value));
    const weight = node.inputs[position];
    const path = position < 0 ? undefined : node.op.lowRank(node, position, rank);
    if (!weight || !path) return undefined;
    const [a, b] = path.shapes;
    const known = adapters.get(weight) ?? {
      layer,
      values: [input(weight.dtype, a, `${layer}.lora_A`), input(weight.dtype, b, `${layer}.lora_B`)] as const,
    };
    adapters.set(weight, known);
    const output = add(node.outputs[0], path.apply(...known.values));
    assignScope([output], node.scope);
    return [output];
  }).outputs;
}
