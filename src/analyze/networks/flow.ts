/** How data and learned tensors meet in a graph: the vocabulary in which depth is defined. */
import type { Graph, Node, Value } from "../../graph/ir.ts";
import { kindOf } from "../../ops/registry.ts";

export interface Flow {
  readonly graph: Graph;
  /** Whether a value depends on the data. */
  isActive(value: Value): boolean;
  /** Whether a value is a parameter, or computed from parameters and constants alone. */
  isLearned(value: Value): boolean;
  /** Operands that depend on the data, each once. */
  activeOperands(node: Node): readonly Value[];
  /** Sums products of data with a learned tensor: a convolution, a dense layer, a recurrent layer. */
  isWeighted(node: Node): boolean;
  /**
   * Computes units that a cause may pass through, in the sense of Schmidhuber (2015, sec. 2): sums of products, pooling,
   * normalization, table lookup, and whatever joins two streams of data. An elementwise function of one stream is the
   * activation of the units before it; moving elements computes nothing.
   */
  isEvent(node: Node): boolean;
}

/** The flow of a graph whose learned tensors are `parameters`; every other input is data. */
export function flowOf(graph: Graph, parameters: Iterable<Value>): Flow {
  const learned = new Set(parameters);
  const active = new Set(graph.inputs.filter((value) => !learned.has(value)));
  const computed = new Set<Value>();
  for (const node of graph.nodes) {
    const isActive = node.inputs.some((value) => value && active.has(value));
    const isLearned = !isActive && node.inputs.some((value) => value && (learned.has(value) || computed.has(value)));
    for (const output of node.outputs) {
      if (isActive) active.add(output);
      else if (isLearned) computed.add(output);
    }
  }
  const isLearned = (value: Value) => learned.has(value) || computed.has(value);
  const activeOperands = (node: Node) => [
    ...new Set(node.inputs.filter((value) => value !== undefined && active.has(value)) as Value[]),
  ];
  const readsLearned = (node: Node) => node.inputs.some((value) => value && isLearned(value));
  const isWeighted = (node: Node) => {
    if (activeOperands(node).length === 0 || !readsLearned(node)) return false;
    // Of an operator that is not known, a learned matrix is taken for a sign that it is a weighted layer.
    return (
      node.op.contracts ||
      (kindOf(node.op) === "other" && node.inputs.some((value) => value && isLearned(value) && value.rank > 1))
    );
  };
  const isEvent = (node: Node) => {
    const operands = activeOperands(node).length;
    if (operands === 0) return false;
    if (node.op.contracts) return true;
    const kind = kindOf(node.op);
    if (kind === "arithmetic") return operands > 1;
    if (kind === "embedding") return readsLearned(node);
    return kind === "pooling" || kind === "normalization" || kind === "recurrent" || kind === "other";
  };
  return { graph, isActive: (value) => active.has(value), isLearned, activeOperands, isWeighted, isEvent };
}
