/** Makes a graph again without some of its units, with the weights and constants that have them. */
import { InternalError } from "../../../core/errors.ts";
import { type Shape, sameShape, showShape } from "../../../core/shape.ts";
import { type Tensor, zerosTensor } from "../../../core/tensor.ts";
import { constantOf, type Graph, graphOf, input, type Node, type Value } from "../../../graph/ir.ts";
import { makeNode } from "../../../graph/op.ts";
import { constant } from "../../../ops/constant.ts";
import type { FollowedGraph } from "./follow.ts";
import { ruleOf } from "./rules/index.ts";
import { shapeOf } from "./rules/rule.ts";
import type { ValueUnits } from "./units.ts";

/** A graph without some units. */
export interface CutGraph {
  readonly graph: Graph;
  /** Graph inputs of another shape, by those whose place they take, with what is left along each axis. */
  readonly cut: ReadonlyMap<Value, { readonly value: Value; readonly kept: readonly (readonly number[])[] }>;
}

/** @param stays whether a set of units, by what `Units.find` gives for it, stays */
export function cutGraph(followed: FollowedGraph, stays: (set: number) => boolean): CutGraph {
  const { graph, units } = followed;
  const staying = { stays: (unit: number) => stays(units.find(unit)) };
  const isWhole = (value: ValueUnits | undefined) => value?.every((axis) => axis.every(staying.stays)) ?? true;
  const keptOf = (value: ValueUnits) =>
    value.map((axis) => [...axis.keys()].filter((i) => staying.stays(axis[i] as number)));
  const replaced = new Map<Value, Value>();
  const cut = new Map<Value, { readonly value: Value; readonly kept: readonly (readonly number[])[] }>();
  for (const value of graph.inputs) {
    const own = followed.unitsOf(value);
    if (isWhole(own)) continue;
    const smaller = input(value.dtype, shapeOf(own, staying), value.name);
    replaced.set(value, smaller);
    cut.set(value, { value: smaller, kept: keptOf(own) });
  }
  for (const node of graph.nodes) {
    const operands = followed.operandsOf(node);
    const outputs = node.outputs.map(followed.unitsOf);
    const isSame = [...operands, ...outputs].every(isWhole);
    const inputs = node.inputs.map((value, i) => {
      const tensor = constantOf(value);
      const own = operands[i];
      if (!tensor || !own || isWhole(own)) return value && (replaced.get(value) ?? value);
      return constant(taken(tensor, keptOf(own)));
    });
    if (isSame && inputs.every((value, i) => value === node.inputs[i])) continue;
    const remade = isSame ? {} : (ruleOf(node.op).remake?.({ node, inputs, operands, outputs, ...staying }) ?? {});
    const made = makeNode(node.op, remade.inputs ?? inputs, remade.attributes ?? node.attributes, node.scope);
    for (const [i, output] of node.outputs.entries()) {
      const value = made.outputs[i] as Value;
      requireShape(node, value.shape, shapeOf(outputs[i] as ValueUnits, staying));
      replaced.set(output, value);
    }
  }
  const current = (value: Value) => replaced.get(value) ?? value;
  return { graph: graphOf(graph.inputs.map(current), graph.outputs.map(current)), cut };
}

function requireShape({ op, scope }: Node, got: Shape, expected: Shape): void {
  if (sameShape(got, expected)) return;
  throw new InternalError(
    `cutting channels left ${op.type}${scope ? ` of "${scope.path}"` : ""} ${showShape(got)}, expected ${showShape(expected)}`,
  );
}

/** The elements of a tensor at the indices that are kept along each axis. */
export function taken(source: Tensor, kept: readonly (readonly number[])[]): Tensor {
  return kept.reduce((tensor, indices, axis) => takenAlong(tensor, indices, axis), source);
}

function takenAlong(source: Tensor, indices: readonly number[], axis: number): Tensor {
  const extent = source.shape[axis] as number;
  if (indices.length === extent) return source;
  const inner = source.shape.slice(axis + 1).reduce((product, own) => product * own, 1);
  const outer = source.shape.slice(0, axis).reduce((product, own) => product * own, 1);
  const result = zerosTensor(source.dtype, source.shape.with(axis, indices.length));
  // Both have one dtype, whichever it is.
  const [from, to] = [source.data as Float32Array, result.data as Float32Array];
  for (let row = 0; row < outer; row++)
    for (const [i, index] of indices.entries()) {
      const start = (row * extent + index) * inner;
      to.set(from.subarray(start, start + inner), (row * indices.length + i) * inner);
    }
  return result;
}
