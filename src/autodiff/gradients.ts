/** Reverse-mode differentiation of graphs: one backward walk that knows no operator by name. */
import { isFloat } from "../core/dtype.ts";
import { GradientError, InternalError, SardonyxError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import { simplify } from "../graph/passes.ts";
import { assignScope } from "../graph/rewrite.ts";
import { add, expand, ones, scalar } from "../ops/index.ts";

/**
 * Gradients of Σ seeds·outputs with respect to each value of `wrt` (vector-Jacobian product).
 * A value that the outputs do not depend on gets zeros. The gradients are ordinary values: differentiate them again.
 * Throws GradientError when the way passes an operator without a gradient.
 */
export const gradients = (
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
): readonly Value[] => reachableGradients(outputs, seeds, wrt).map((found, i) => orZeros(found, wrt[i] as Value));

/**
 * As `gradients`, but `undefined` for a value that the outputs do not depend on. With `onStop`, an operator without a
 * gradient is reported instead of thrown, and no gradient goes on from there.
 */
export function reachableGradients(
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
  onStop?: (node: Node, why: SardonyxError) => void,
): readonly (Value | undefined)[] {
  return walkBack({ outputs, seeds, wrt, onStop });
}

/**
 * What goes back to a node's operands, in order, in place of its gradients; `undefined` leaves the node to the operator. `gs` are of its outputs,
 * `needs` says which operands lie behind what is asked for.
 */
export type BackwardRule = (
  node: Node,
  gs: readonly (Value | undefined)[],
  needs: readonly boolean[],
) => readonly (Value | undefined)[] | undefined;

/** How `propagateBack` goes. */
export interface Propagation {
  /** Stands before the rules of the operators. */
  readonly rule: BackwardRule;
  /** Values behind which it does not go; default to the inputs of the graph. */
  readonly boundary?: ReadonlySet<Value>;
}

/** As `reachableGradients`, where a rule stands before those of the operators: explanations send back other things than gradients. */
export const propagateBack = (
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
  propagation: Propagation,
): readonly (Value | undefined)[] => walkBack({ outputs, seeds, wrt, onStop: undefined, ...propagation });

/** Gradients of a node's operands by the operator's own rule. Throws GradientError for an operator without one. */
export const operandGradients = (
  node: Node,
  gs: readonly (Value | undefined)[],
  needs: readonly boolean[],
): readonly (Value | undefined)[] => contributionsOf(node, gs, needs, undefined);

interface Walk {
  readonly outputs: readonly Value[];
  readonly seeds: readonly (Value | undefined)[];
  readonly wrt: readonly Value[];
  readonly onStop: ((node: Node, why: SardonyxError) => void) | undefined;
  /** Values behind which the walk does not go. */
  readonly boundary?: ReadonlySet<Value>;
  /** Stands before the rules of the operators. */
  readonly rule?: BackwardRule;
}

function walkBack({ outputs, seeds, wrt, onStop, boundary, rule }: Walk): readonly (Value | undefined)[] {
  for (const value of wrt)
    if (!isFloat(value.dtype))
      throw new GradientError(`gradient with respect to a ${value.dtype} value; only floats have gradients`);
  const nodes = nodesOf(outputs, boundary);
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
    const own = rule?.(node, gs, needs);
    if (!own && !node.op.differentiable && !onStop) throw stopped(node, wrt);
    const contributions = own ?? contributionsOf(node, gs, needs, onStop);
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

export interface DifferentiateOptions {
  /** What the gradients are with respect to. */
  readonly wrt: readonly Value[];
  /** Other values of the same graph, which are wanted beside the loss. */
  readonly others?: readonly Value[];
  /** Called with an operator without a gradient, through which no gradient passes; default: it is thrown. */
  readonly onStop?: (node: Node, why: SardonyxError) => void;
}

/** A scalar with its gradients, and what was wanted beside it. */
export interface Differentiated {
  readonly loss: Value;
  readonly others: readonly Value[];
  /** For each value of `wrt`; `undefined` where the loss does not depend on it. */
  readonly gradients: readonly (Value | undefined)[];
}

/**
 * The gradient graph of a scalar loss. Rewrites that save work both ways are made before the backward pass is derived from the
 * forward one. Throws GradientError as `gradients` does.
 */
export function differentiate(loss: Value, { wrt, others = [], onStop }: DifferentiateOptions): Differentiated {
  // Graph inputs stay by themselves.
  const kept = wrt.filter(({ producer }) => producer !== undefined);
  const [simple = loss, ...rest] = simplify([loss, ...others], kept);
  return { loss: simple, others: rest, gradients: reachableGradients([simple], [ones([], simple.dtype)], wrt, onStop) };
}

/** Names that an error gives at most. */
const namesShown = 3;

/** The error for an operator without a gradient, with what lies behind it. */
function stopped({ op, inputs, scope }: Node, wrt: readonly Value[]): GradientError {
  const behind = new Set<Value | undefined>([
    ...inputs,
    ...nodesOf(inputs.filter((value) => value !== undefined)).flatMap((node) => node.inputs),
  ]);
  const names = wrt.flatMap((value) => (behind.has(value) && value.name !== undefined ? [value.name] : []));
  const place = scope?.path ?? "graph";
  if (names.length === 0)
    return new GradientError(
      `${place}: ${op.type} has no gradient; take it out of the way from the parameters to the loss`,
    );
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  return new GradientError(
    `${place}: ${op.type} has no gradient, and stands between ${names.slice(0, namesShown).join(", ")}${more} and the loss; freeze ${names.length === 1 ? "it" : "them"}, or take the operator out of the way`,
  );
}

/** A gradient, or zeros of the shape of what it is with respect to. */
export const orZeros = (gradient: Value | undefined, { dtype, shape }: Value): Value =>
  gradient ?? expand(scalar(0, dtype), shape);

function contributionsOf(
  node: Node,
  gs: readonly (Value | undefined)[],
  needs: readonly boolean[],
  onStop: Walk["onStop"],
): readonly (Value | undefined)[] {
  try {
    const form = node.op.differentiableForm(node);
    return form
      ? throughForm(node, form, gs, needs)
      : node.op.grad(node, gs, needs, (outputs, seeds, wrt) => walkBack({ outputs, seeds, wrt, onStop: undefined }));
  } catch (error) {
    if (!onStop || !(error instanceof SardonyxError) || error instanceof InternalError) throw error;
    onStop(node, error);
    return [];
  }
}

/** The gradients of a node's operands by those of an expression of the same outputs. */
function throughForm(
  { inputs }: Node,
  form: readonly Value[],
  gs: readonly (Value | undefined)[],
  needs: readonly boolean[],
): readonly (Value | undefined)[] {
  const present = inputs.filter((value) => value !== undefined);
  const wrt = [...new Set(inputs.filter((value, i) => value !== undefined && needs[i]))] as Value[];
  const found = walkBack({ outputs: form, seeds: gs, wrt, onStop: undefined, boundary: new Set(present) });
  // A value that is several operands has its gradient once.
  return inputs.map((value, i) => (value && inputs.indexOf(value) === i ? found[wrt.indexOf(value)] : undefined));
}
