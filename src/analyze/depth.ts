/** Depth of a network by longest paths: weighted layers, credit-assignment path, recurrent depth (docs/depth.md). */
import type { Node, Value } from "../graph/ir.ts";
import { kindOf } from "../ops/registry.ts";
import type { Flow } from "./flow.ts";

/** Longest paths from the data to a value, at the first and the last step of a sequence that a recurrent layer made. */
interface Reach {
  readonly first: number;
  readonly last: number;
}

const both = (length: number): Reach => ({ first: length, last: length });
const further = (a: Reach, b: Reach): Reach => ({ first: Math.max(a.first, b.first), last: Math.max(a.last, b.last) });
const none = Number.NEGATIVE_INFINITY;

/** The steps over which a recurrent node runs, 1 for any other. */
const stepsOf = (node: Node): number =>
  kindOf(node.op) === "recurrent" ? Math.max(1, node.inputs[0]?.shape[0] ?? 1) : 1;

interface Walk {
  /** What a path gains by passing through a node. */
  readonly length: (node: Node) => number;
  /** Where paths begin. */
  readonly begin: (node: Node) => boolean;
  readonly fromInputs: boolean;
  /** Count a recurrent layer at each of its steps, not once. */
  readonly unrolled: boolean;
}

/** Length of the longest path to an output. */
function longest(flow: Flow, { length, begin, fromInputs, unrolled }: Walk): number {
  const reached = new Map<Value, Reach>();
  const reachOf = (value: Value) => reached.get(value) ?? both(fromInputs && flow.isActive(value) ? 0 : none);
  for (const node of flow.graph.nodes) {
    const operands = flow.activeOperands(node);
    if (operands.length === 0) continue;
    const before = operands.map(reachOf).reduce(further, both(begin(node) ? 0 : none));
    const gain = length(node);
    const steps = unrolled ? stepsOf(node) : 1;
    if (steps > 1 && gain > 0) {
      for (const [output, reach] of unroll(node, before, steps, gain)) reached.set(output, reach);
      continue;
    }
    const after = { first: before.first + gain, last: before.last + gain };
    for (const output of node.outputs) reached.set(output, after);
  }
  return Math.max(0, ...flow.graph.outputs.map(reachOf).map(({ first, last }) => Math.max(first, last)));
}

/** Paths behind a recurrent node: each step continues the step before it, from either end of the sequence. */
function unroll(node: Node, before: Reach, steps: number, gain: number): (readonly [Value, Reach])[] {
  const along = (steps - 1) * gain;
  const forward = { first: before.first + gain, last: Math.max(before.last, before.first + along) + gain };
  const backward = { last: before.last + gain, first: Math.max(before.first, before.last + along) + gain };
  const { direction } = node.attributes;
  const sequence =
    direction === "reverse" ? backward : direction === "bidirectional" ? further(forward, backward) : forward;
  // The first output is the sequence; the others are the states at its end.
  const state = both(Math.max(sequence.first, sequence.last));
  return node.outputs.map((output, i) => [output, i === 0 ? sequence : state]);
}

/** Weighted layers on the longest path from the data to an output: the number in VGG-16 and ResNet-50. */
export const weightedDepth = (flow: Flow): number =>
  longest(flow, {
    length: (node) => (flow.isWeighted(node) ? 1 : 0),
    begin: () => false,
    fromInputs: true,
    unrolled: false,
  });

/**
 * Depth of the longest credit-assignment path: events from the first that has modifiable weights to the output
 * (Schmidhuber 2015, sec. 3). A recurrent layer is an event at each of its steps.
 */
export const creditAssignmentDepth = (flow: Flow): number =>
  longest(flow, {
    length: (node) => (flow.isEvent(node) ? 1 : 0),
    begin: (node) => node.inputs.some((value) => value && flow.isLearned(value)),
    fromInputs: false,
    unrolled: true,
  });

/** Depth of a network with recurrent layers (Zhang et al. 2016, sec. 3). */
export interface RecurrentDepth {
  /** Recurrent depth: weighted layers that a step adds to the longest path. */
  readonly perStep: number;
  /** Feedforward depth: weighted layers on the longest path, the recurrences taken once. */
  readonly feedforward: number;
  /** Steps of the sequence. */
  readonly steps: number;
  /** Weighted layers on the longest path through all steps. */
  readonly unrolled: number;
}

/** `undefined` for a network without recurrent layers. */
export function recurrentDepth(flow: Flow): RecurrentDepth | undefined {
  const recurrent = flow.graph.nodes.filter((node) => kindOf(node.op) === "recurrent" && flow.isWeighted(node));
  if (recurrent.length === 0) return undefined;
  const length = (node: Node) => (flow.isWeighted(node) ? 1 : 0);
  return {
    // The state of each layer returns to it through one weighted layer, itself, a step later: the one cycle there is.
    perStep: 1,
    feedforward: weightedDepth(flow),
    steps: Math.max(...recurrent.map(stepsOf)),
    unrolled: longest(flow, { length, begin: () => false, fromInputs: true, unrolled: true }),
  };
}
