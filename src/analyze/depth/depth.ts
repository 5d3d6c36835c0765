/** Depth of a network by longest paths: weighted layers, credit-assignment path, recurrent depth (docs/depth.md). */
import { greatest } from "../../core/lists.ts";
import { normalizeAxis } from "../../core/shape.ts";
import { constantOf, type Node, type Value } from "../../graph/ir.ts";
import { Gather } from "../../ops/indexing.ts";
import { kindOf } from "../../ops/registry.ts";
import { ruleOf } from "../../ops/sample-rules.ts";
import { resolveSlice, Slice } from "../../ops/slicing.ts";
import type { Flow } from "../networks/flow.ts";

/** Longest paths from the data to a value: of a sequence that a recurrent layer made, to its first and its last step. */
interface Reach {
  readonly first: number;
  readonly last: number;
  /** The axis of the steps; none for what is no such sequence, where both lengths are the same. */
  readonly axis?: number | undefined;
}

const both = (length: number): Reach => ({ first: length, last: length });
const further = (a: Reach, b: Reach): Reach => ({ first: Math.max(a.first, b.first), last: Math.max(a.last, b.last) });
/** The lengths of a value that is computed from several steps. */
const mixed = ({ first, last }: Reach): Reach => both(Math.max(first, last));
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

/** A longest path: how long it is, and the nodes that it passes, from the data on. */
export interface DeepestPath {
  readonly length: number;
  readonly nodes: readonly Node[];
}

/** The longest path to an output. */
function longest(flow: Flow, { length, begin, fromInputs, unrolled }: Walk): DeepestPath {
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
    const axes = node.inputs.map((value) => value && reached.get(value)?.axis);
    for (const [i, { first, last, axis }] of behind(node, axes, before).entries())
      reached.set(node.outputs[i] as Value, { first: first + gain, last: last + gain, axis });
  }
  const lengthTo = (value: Value) => {
    const { first, last } = reachOf(value);
    return Math.max(first, last);
  };
  const furthest = (values: readonly Value[]): Value | undefined =>
    values.reduce<Value | undefined>(
      (best, value) => (best && lengthTo(best) >= lengthTo(value) ? best : value),
      undefined,
    );
  // Back from the output that is furthest, by the operand that is.
  const nodes: Node[] = [];
  for (let at = furthest(flow.graph.outputs); at?.producer && lengthTo(at) > none; ) {
    nodes.push(at.producer);
    at = furthest(flow.activeOperands(at.producer));
  }
  const outputs = flow.graph.outputs.map(lengthTo);
  return { length: greatest(outputs, 0), nodes: nodes.reverse() };
}

/** What a node makes of the steps of a sequence: it computes each by itself, takes some of them, or mixes them. */
function behind(node: Node, axes: readonly (number | undefined)[], before: Reach): readonly Reach[] {
  const at = axes.findIndex((axis) => axis !== undefined);
  const axis = axes[at];
  const steps = axis === undefined ? undefined : node.inputs[at]?.shape[axis];
  if (axis === undefined || steps === undefined) return node.outputs.map(() => before);
  const rule = ruleOf(node, axes, steps);
  const ends = at === 0 ? takenSteps(node, axis) : undefined;
  const length = (step: number) => before.first + ((before.last - before.first) * step) / Math.max(1, steps - 1);
  return node.outputs.map((output, i) => {
    if (rule && i < rule.outputs.length) return { ...before, axis: rule.outputs[i] };
    if (!ends) return mixed(before);
    const [first, last] = ends.map(length) as [number, number];
    return first === last
      ? both(first)
      : { first, last, axis: output.rank === node.inputs[0]?.rank ? axis : undefined };
  });
}

/** The first and the last step that a slice takes, or a gather of known positions. */
function takenSteps({ op, inputs, attributes }: Node, axis: number): readonly [number, number] | undefined {
  const [x, ...others] = inputs;
  if (op === Slice && x && others[0] && others[1]) {
    const range = resolveSlice(x, others[0], others[1], others[2], others[3])[axis];
    return range && range.count > 0 ? [range.start, range.start + range.step * (range.count - 1)] : undefined;
  }
  const positions = op === Gather && others[0] ? constantOf(others[0])?.toNumbers() : undefined;
  const along = (attributes.axis as number | undefined) ?? 0;
  if (!x || positions?.length !== 1 || normalizeAxis(along, x.rank) !== axis) return undefined;
  const [position = 0] = positions;
  const step = position < 0 ? position + (x.shape[axis] ?? 1) : position;
  return [step, step];
}

/** Paths after a recurrent node: each step continues the step before it, from either end of the sequence. */
function unroll(node: Node, before: Reach, steps: number, gain: number): (readonly [Value, Reach])[] {
  const along = (steps - 1) * gain;
  const forward = { first: before.first + gain, last: Math.max(before.last, before.first + along) + gain };
  const backward = { last: before.last + gain, first: Math.max(before.first, before.last + along) + gain };
  const { direction } = node.attributes;
  const sequence =
    direction === "reverse" ? backward : direction === "bidirectional" ? further(forward, backward) : forward;
  // The first output is the sequence [step, direction, batch, unit]; the others are the states at its end.
  return node.outputs.map((output, i) => [output, i === 0 ? { ...sequence, axis: 0 } : mixed(sequence)]);
}

/** The path from the data to an output with the most weighted layers: the number in VGG-16 and ResNet-50. */
export const weightedPath = (flow: Flow): DeepestPath =>
  longest(flow, {
    length: (node) => (flow.isWeighted(node) ? 1 : 0),
    begin: () => false,
    fromInputs: true,
    unrolled: false,
  });

/** How many weighted layers that path has. */
export const weightedDepth = (flow: Flow): number => weightedPath(flow).length;

/**
 * The longest credit-assignment path: events from the first that has modifiable weights to the output (Schmidhuber 2015, sec. 3). A recurrent
 * layer is an event at each of its steps.
 */
export const creditAssignmentPath = (flow: Flow): DeepestPath =>
  longest(flow, {
    length: (node) => (flow.isEvent(node) ? 1 : 0),
    begin: (node) => node.inputs.some((value) => value && flow.isLearned(value)),
    fromInputs: false,
    unrolled: true,
  });

/** How many events that path has. */
export const creditAssignmentDepth = (flow: Flow): number => creditAssignmentPath(flow).length;

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
    steps: greatest(recurrent.map(stepsOf)),
    unrolled: longest(flow, { length, begin: () => false, fromInputs: true, unrolled: true }).length,
  };
}
