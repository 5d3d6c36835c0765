/** Graphs for any batch size: what changes with the batch is found by tracing twice and comparing. */
import { sameShape, showShape } from "../core/shape.ts";
import { sameTensor, Tensor } from "../core/tensor.ts";
import { isGraph } from "../graph/attributes.ts";
import { constantOf, type Graph, graphOf, type Node, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import type { Pass } from "../graph/passes.ts";
import { rewrite } from "../graph/rewrite.ts";
import { verify } from "../graph/verify.ts";
import { constantNumbers, int64s } from "../ops/constant.ts";
import { Expand, Reshape } from "../ops/movement.ts";
import { optimize } from "./compile.ts";

/** Two batch sizes that no extent of a model is likely to equal by chance. */
const [small, large] = [29, 31] as const;

/** Name of the extent that varies. */
const batchSymbol = "batch";

export interface PolymorphicGraph {
  readonly graph: Graph;
  /** Symbol of an input's or output's axis, for encodeModel; none where `obstacle` is set. */
  readonly symbols: (value: Value, axis: number) => string | undefined;
  /** Why the batch could not be left open; then the graph is for a batch of 1. */
  readonly obstacle?: string;
}

/** Why two traces differ in more than their batch. */
class Obstacle extends Error {}

/**
 * One graph for every batch size, from a function that traces it for a given one. The optimized graphs of two sizes must
 * be equal, node by node, but for target shapes that differ in one extent: of a Reshape it becomes -1, of an Expand
 * whose operand has it already, 1.
 * @param passes how the graphs are optimized; default as for running them
 */
export function batchPolymorphic(trace: (batch: number) => Graph, passes?: readonly Pass[]): PolymorphicGraph {
  const [a, b] = [optimize(trace(small), passes), optimize(trace(large), passes)];
  try {
    const open = openTargets(a, b);
    let index = 0;
    const { outputs } = rewrite(a.outputs, (node) => {
      if (isConstant(node)) return undefined;
      const target = open.get(index++);
      return target && makeNode(node.op, [node.inputs[0], int64s(target)], node.attributes, node.scope).outputs;
    });
    const graph = graphOf(a.inputs, outputs);
    verify(graph);
    return { graph, symbols: symbolsOf(graph, b) };
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    return { graph: optimize(trace(1), passes), symbols: () => undefined, obstacle: error.message };
  }
}

const isConstant = (node: Node): boolean => constantOf(node.outputs[0]) !== undefined;

/** New targets of the nodes, counted without constants, whose target shape depends on the batch. */
function openTargets(a: Graph, b: Graph): Map<number, readonly number[]> {
  const [left, right] = [a, b].map(({ nodes }) => nodes.filter((node) => !isConstant(node))) as [Node[], Node[]];
  const partner = new Map<Value, Value>(a.inputs.map((value, i) => [value, b.inputs[i] ?? value]));
  const open = new Map<number, readonly number[]>();
  for (const [i, node] of left.entries()) {
    const other = right[i];
    if (!other || other.op !== node.op || other.inputs.length !== node.inputs.length || !sameAttributes(node, other))
      throw new Obstacle(`${placeOf(node)} differs between batches of ${small} and ${large}`);
    for (const [k, value] of node.inputs.entries()) {
      if (samePlace(value, other.inputs[k], partner)) continue;
      const target = k === 1 ? openTarget(node, other) : undefined;
      if (!target) throw new Obstacle(`operand ${k} of ${placeOf(node)} depends on the batch size`);
      open.set(i, target);
    }
    for (const [k, output] of node.outputs.entries()) partner.set(output, other.outputs[k] ?? output);
  }
  if (left.length !== right.length || a.outputs.some((value, i) => !samePlace(value, b.outputs[i], partner)))
    throw new Obstacle(`batches of ${small} and ${large} give different graphs`);
  return open;
}

/** Equal constants, or values that the same node of both graphs computes. */
function samePlace(value: Value | undefined, other: Value | undefined, partner: ReadonlyMap<Value, Value>): boolean {
  const [tensor, second] = [constantOf(value), constantOf(other)];
  if (tensor && second) return sameTensor(tensor, second);
  return value === undefined ? other === undefined : partner.get(value) === other;
}

function sameAttributes({ attributes: a }: Node, { attributes: b }: Node): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => {
    const [value, other] = [a[name], b[name]];
    if (isGraph(value) && isGraph(other)) return sameGraph(value, other);
    return value instanceof Tensor && other instanceof Tensor
      ? sameTensor(value, other)
      : JSON.stringify(value) === JSON.stringify(other);
  });
}

/** Whether the graphs that nodes hold are equal, also in what the batch decides elsewhere. */
function sameGraph(a: Graph, b: Graph): boolean {
  try {
    return openTargets(a, b).size === 0;
  } catch (error) {
    if (error instanceof Obstacle) return false;
    throw error;
  }
}

/** The target that fits every batch, or `undefined` when there is none. */
function openTarget(node: Node, other: Node): readonly number[] | undefined {
  const [from, to] = [constantNumbers(node.inputs[1]), constantNumbers(other.inputs[1])];
  if (!from || !to || from.length !== to.length) return undefined;
  const differing = from.flatMap((extent, axis) => (extent === to[axis] ? [] : [axis]));
  const [axis] = differing;
  // The extent must be a multiple of the batch: then what is left of the elements is right for each batch.
  if (differing.length !== 1 || axis === undefined || (from[axis] ?? 0) * large !== (to[axis] ?? 0) * small)
    return undefined;
  if (node.op === Reshape) return from.includes(-1) ? undefined : from.with(axis, -1);
  const own = node.inputs[0]?.shape;
  return node.op === Expand && own?.at(axis - from.length) === from[axis] ? from.with(axis, 1) : undefined;
}

function placeOf({ op, scope, outputs: [y] }: Node): string {
  return `${op.type} ${showShape(y.shape)} of ${scope?.path ?? "the model"}`;
}

/** The axes of inputs and outputs that differ between the two graphs. */
function symbolsOf(graph: Graph, other: Graph): PolymorphicGraph["symbols"] {
  const others = new Map<Value, Value | undefined>([
    ...graph.inputs.map((value, i) => [value, other.inputs[i]] as const),
    ...graph.outputs.map((value, i) => [value, other.outputs[i]] as const),
  ]);
  return (value, axis) => {
    const twin = others.get(value);
    if (!twin || sameShape(twin.shape, value.shape)) return undefined;
    return twin.shape[axis] === value.shape[axis] ? undefined : batchSymbol;
  };
}
