/** Attention in a graph: the shares by which queries weigh keys. */
import { isFloat } from "../core/dtype.ts";
import { normalizeAxis } from "../core/shape.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import type { OpDef } from "../graph/op.ts";
import {
  Add,
  Cast,
  Clip,
  Concat,
  Div,
  Expand,
  FusedMatMul,
  Gemm,
  Identity,
  MatMul,
  Max,
  Min,
  Mul,
  Pad,
  Reshape,
  Slice,
  Softmax,
  Squeeze,
  Sub,
  Tanh,
  Transpose,
  Unsqueeze,
  Where,
} from "../ops/index.ts";

const products: ReadonlySet<OpDef> = new Set([MatMul, FusedMatMul, Gemm]);
/** What lies between products and the softmax, or between it and the product with the values. */
const between: ReadonlySet<OpDef> = new Set([
  ...[Add, Sub, Mul, Div, Where, Clip, Max, Min, Tanh, Cast, Identity],
  ...[Reshape, Squeeze, Unsqueeze, Transpose, Expand, Slice, Concat, Pad],
]);

/**
 * The probabilities of each attention behind `outputs`, in the order of the graph: softmaxes over products of data with data, by which data is
 * multiplied.
 * @param data the inputs of the graph that are no weights
 */
export function attentionsOf(outputs: readonly Value[], data: readonly Value[]): readonly Value[] {
  const nodes = nodesOf(outputs);
  const ofData = new Set<Value>(data);
  const users = new Map<Value, Node[]>();
  for (const node of nodes) {
    const operands = node.inputs.filter((value) => value !== undefined);
    for (const value of operands) users.set(value, [...(users.get(value) ?? []), node]);
    if (operands.some((value) => ofData.has(value))) for (const output of node.outputs) ofData.add(output);
  }
  const isProduct = ({ op, inputs: [a, b] }: Node) =>
    products.has(op) && a !== undefined && b !== undefined && ofData.has(a) && ofData.has(b);
  /** Whether a product is reached over what may lie between. */
  const leads = (start: Value, next: (value: Value) => readonly Node[], then: (node: Node) => readonly Value[]) => {
    const pending = [start];
    const seen = new Set<Node>();
    for (const value of pending)
      for (const node of next(value)) {
        if (seen.has(node)) continue;
        seen.add(node);
        if (isProduct(node)) return true;
        if (between.has(node.op)) pending.push(...then(node));
      }
    return false;
  };
  const before = (value: Value) => (value.producer ? [value.producer] : []);
  const operandsOf = (node: Node) =>
    node.inputs.filter((value) => value !== undefined && ofData.has(value) && isFloat(value.dtype)) as readonly Value[];
  return nodes.flatMap((node) => {
    const [scores] = node.inputs;
    const [weights] = node.outputs;
    if (node.op !== Softmax || !scores || scores.rank < 3) return [];
    const { axis = -1 } = node.attributes as { readonly axis?: number };
    if (normalizeAxis(axis, scores.rank) !== scores.rank - 1) return [];
    const isAttention =
      leads(scores, before, operandsOf) &&
      leads(
        weights,
        (value) => users.get(value) ?? [],
        (own) => own.outputs,
      );
    return isAttention ? [weights] : [];
  });
}
