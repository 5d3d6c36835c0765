/** Reverse-mode differentiation of graphs: one backward walk that knows no operator by name. */
import { isFloat } from "../core/dtype.ts";
import { GradientError, InternalError, SardonyxError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import { assignScope } from "../graph/rewrite.ts";
import { add, expand, scalar } from "../ops/index.ts";

/**
 * Gradients of Σ seeds·outputs with respect to each value of `wrt` (vector-Jacobian product).
 * A value that the outputs do not depend on gets zeros. The gradients are ordinary values: differentiate them again.
 * Throws GradientError when the way passes an operator without a gradient.
 */
export const gradients = (
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
): readonly Value[] =>
  reachableGradients(outputs, seeds, wrt).map((found, i) => {
    const { dtype, shape } = wrt[i] as Value;
    return found ?? expand(scalar(0, dtype), shape);
  });

/**
 * As `gradients`, but `undefined` for a value that the outputs do not depend on. With `onStop`, an operator without a
 * gradient is told instead of thrown, and no gradient goes on from there.
 */
export function reachableGradients(
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
  onStop?: (node: Node, why: SardonyxError) => void,
): readonly (Value | undefined)[] {
  for (const value of wrt)
    if (!isFloat(value.dtype))
      throw new GradientError(`gradient with respect to a ${value.dtype} value; only floats have gradients`);
  const nodes = nodesOf(outputs);
  const active = new Set<Value>(wrt);
  for (const node of nodes)
    if (node.inputs.some((value) => value && active.has(value)))
      for (const output of node.outputs) if (isFloat(output.dtype)) active.add(output);

  const accumulated = new Map<Value, Value>();
  const accumulate = (value: Value, contribution: Value, where: string) => {
    if (!sameShape(value.shape, contribution.shape) || value.dtype !== contribution.dtype)
      throw new InternalError(`${where}: gradient ${contribution} of an operand ${value}`);
    const earlier = accumulated.get(value);
    accumulated.set(value, earlier ? add(earlier, contribution) : contribution);
  };
  for (const [i, output] of outputs.entries()) {
    const seed = seeds[i];
    if (seed && active.has(output)) accumulate(output, seed, "seed");
  }
  for (const node of nodes.reverse()) {
    const gs = node.outputs.map((output) => accumulated.get(output));
    const needs = node.inputs.map((value) => value !== undefined && active.has(value));
    if (!gs.some(Boolean) || !needs.some(Boolean)) continue;
    const contributions = contributionsOf(node, gs, needs, onStop);
    for (const [i, value] of node.inputs.entries()) {
      const contribution = contributions[i];
      if (!value || !contribution || !needs[i]) continue;
      assignScope([contribution], node.scope);
      accumulate(value, contribution, node.op.type);
      assignScope([accumulated.get(value)], node.scope);
    }
  }
  return wrt.map((value) => accumulated.get(value));
}

function contributionsOf(
  node: Node,
  gs: readonly (Value | undefined)[],
  needs: readonly boolean[],
  onStop: ((node: Node, why: SardonyxError) => void) | undefined,
): readonly (Value | undefined)[] {
  try {
    return node.op.grad(node, gs, needs);
  } catch (error) {
    if (!onStop || !(error instanceof SardonyxError) || error instanceof InternalError) throw error;
    onStop(node, error);
    return [];
  }
}
