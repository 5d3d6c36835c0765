/** Follows the units of a graph from its weights through all operators: what can be cut together, and what must stay and why. */
import { constantOf, type Graph, type Node, type Value } from "../../../graph/ir.ts";
import { ruleOf } from "./rules/index.ts";
import { wholeAxes } from "./rules/rule.ts";
import { type AxisUnits, Units, type ValueUnits } from "./units.ts";

/** A graph whose units are known. */
export interface FollowedGraph {
  readonly graph: Graph;
  readonly units: Units;
  /** The units of a node's operands; a constant has others at each use, so that layers that share it are not tied. */
  operandsOf(node: Node): readonly (ValueUnits | undefined)[];
  /** The units of a value that is no constant. */
  unitsOf(value: Value): ValueUnits;
  /** Axes along which layers make channels. */
  readonly made: readonly MadeChannels[];
  /** Nodes whose multiply-adds are in proportion to the extents of axes. */
  readonly costs: readonly NodeCost[];
}

/** Channels that a layer makes. */
export interface MadeChannels {
  /** The weight by which it makes them. */
  readonly weight: Value;
  readonly node: Node;
  readonly axis: AxisUnits;
}

/** What a node costs. */
export interface NodeCost {
  readonly node: Node;
  /** Its multiply-adds. */
  readonly macs: number;
  /** Axes to whose extents they are in proportion. */
  readonly axes: readonly AxisUnits[];
}

/** @param weights the graph inputs that are parameters; every other input keeps its shape */
export function followGraph(graph: Graph, weights: Pick<ReadonlySet<Value>, "has">): FollowedGraph {
  const units = new Units();
  const known = new Map<Value, ValueUnits>();
  const operands = new Map<Node, readonly (ValueUnits | undefined)[]>();
  const [made, costs]: [MadeChannels[], NodeCost[]] = [[], []];
  const weightBehind = weightFinder(graph, weights);
  const fresh = ({ shape }: Value): AxisUnits[] =>
    shape.map((extent) => (extent === 1 ? units.whole(1, "it has one index") : units.fresh(extent)));
  for (const value of graph.inputs)
    known.set(
      value,
      weights.has(value)
        ? fresh(value)
        : wholeAxes(value.shape, units, `the input "${value.name ?? ""}" has the extent`),
    );
  for (const node of graph.nodes) {
    if (constantOf(node.outputs[0])) continue;
    const inputs = node.inputs.map((value) => value && (known.get(value) ?? fresh(value)));
    const place = placeOf(node);
    const outputs = ruleOf(node.op).follow({
      node,
      inputs,
      units,
      place,
      makes: (axis, operand) => {
        const weight = weightBehind(node.inputs[operand]);
        if (weight && axis.length > 1) made.push({ weight, node, axis });
      },
      costs: (axes) => costs.push({ node, macs: node.op.macs(node), axes }),
    });
    operands.set(node, inputs);
    for (const [i, output] of node.outputs.entries()) known.set(output, outputs[i] as ValueUnits);
  }
  for (const output of graph.outputs)
    for (const axis of known.get(output) ?? []) units.holdAxis(axis, "the model gives it out");
  return {
    graph,
    units,
    operandsOf: (node) => operands.get(node) ?? [],
    unitsOf: (value) => known.get(value) ?? [],
    made,
    costs,
  };
}

/** Finds the first weight that a value is computed from, where it is computed from weights alone. */
function weightFinder(
  { inputs, nodes }: Graph,
  weights: Pick<ReadonlySet<Value>, "has">,
): (value: Value | undefined) => Value | undefined {
  const ofData = new Set(inputs.filter((value) => !weights.has(value)));
  const first = new Map<Value, Value>();
  for (const node of nodes) {
    const read = node.inputs.filter((value) => value !== undefined);
    const isOfData = read.some((value) => ofData.has(value));
    const weight = read.map((value) => (weights.has(value) ? value : first.get(value))).find(Boolean);
    for (const output of node.outputs) {
      if (isOfData) ofData.add(output);
      else if (weight) first.set(output, weight);
    }
  }
  return (value) => value && (weights.has(value) ? value : first.get(value));
}

/** `Softmax of "h.0.attn"`. */
const placeOf = ({ op, scope }: Node): string => `${op.type}${scope ? ` of "${scope.path}"` : ""}`;
