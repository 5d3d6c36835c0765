/** Low-rank paths beside the weights of a graph (Hu et al. 2021), by each operator's own rule. */
import { append } from "../core/lists.ts";
import { type Shape, size } from "../core/shape.ts";
import { constantOf, type Node, type Value } from "../graph/ir.ts";
import type { LowRankForm } from "../graph/low-rank-form.ts";
import { add, div, mul, reduceSum, reshape, sqrt, stopGradient, sub } from "../ops/index.ts";
import { kindOf } from "../ops/registry.ts";

/** A node that is linear in a learned operand. */
export interface LinearUse {
  readonly node: Node;
  /** The learned operand, as it stands there: maybe transposed, reshaped or unpacked on its way. */
  readonly weight: Value;
  readonly form: LowRankForm;
}

/** How a node is linear in a learned operand of two axes or more; `undefined` where it is not, or has no narrow form. */
export function linearUse(node: Node, isLearned: (value: Value) => boolean): LinearUse | undefined {
  const position = node.inputs.findIndex((value) => value && value.rank > 1 && isLearned(value));
  const weight = node.inputs[position];
  const form = weight && node.op.lowRank(node, position);
  return form && { node, weight, form };
}

/** What stands beside a weight: s B A, and with a magnitude the norms that its features are given (DoRA). */
export interface LowRankPath {
  readonly a: Value;
  readonly b: Value;
  /** The factor s, a number or a scalar; default 1. */
  readonly scale?: number | Value;
  /** Dropout of what the path reads; default none. */
  readonly dropped?: ((x: Value) => Value) | undefined;
  /** DoRA's m [features] (Liu et al. 2024, eq. 5); default none. */
  readonly magnitude?: Value | undefined;
}

const scaled = (value: Value, scale: number | Value): Value => (scale === 1 ? value : mul(value, scale));

/**
 * The output of a node for W + s B A: f(x, W) + s f(x, B A). With a magnitude m it is m ∘ (W + s B A) / ‖W + s B A‖, feature by feature,
 * where the norm counts as a constant of the gradient (Liu et al. 2024, sec. 4.3).
 */
export function lowRankOutput({ node, weight, form }: LinearUse, path: LowRankPath): Value {
  const { a, b, scale = 1, dropped, magnitude } = path;
  const x = dropped?.(form.x) ?? form.x;
  const narrow = scaled(form.narrow(x, a, b), scale);
  const [y] = node.outputs;
  if (!magnitude) return add(y, narrow);
  const merged = add(weight, scaled(form.product(a, b), scale));
  const norms = featureNorms(merged, form.outputAxes.weight);
  const factor = alongAxis(div(magnitude, stopGradient(norms)), y.rank, form.outputAxes.y);
  if (!dropped) return form.biased(mul(factor, add(form.bare(x), narrow)));
  // The node itself reads x as it is, the path and the change of magnitude what is left of it, as in PEFT.
  return add(y, add(mul(sub(factor, 1), form.bare(x)), mul(factor, narrow)));
}

/** The weight that gives the same output without a path. */
export function mergedWeight({ weight, form }: LinearUse, { a, b, scale = 1, magnitude }: LowRankPath): Value {
  const merged = add(weight, scaled(form.product(a, b), scale));
  if (!magnitude) return merged;
  const factor = div(magnitude, featureNorms(merged, form.outputAxes.weight));
  return mul(merged, alongAxis(factor, merged.rank, form.outputAxes.weight));
}

/** Euclidean norms of a weight's features, [features]. */
export function featureNorms(weight: Value, axis: number): Value {
  const others = [...weight.shape.keys()].filter((own) => own !== axis);
  return sqrt(reduceSum(mul(weight, weight), others));
}

/** A vector along one axis of so many. */
export const alongAxis = (vector: Value, rank: number, axis: number): Value =>
  reshape(
    vector,
    Array.from({ length: rank }, (_, i) => (i === axis ? (vector.shape[0] ?? 1) : 1)),
  );

/**
 * The learned tensor behind each value that is nothing but one of them: itself, or moved or unpacked on its way.
 * @param learned what the learned tensors stand for
 */
export function learnedSources<P>(nodes: readonly Node[], learned: ReadonlyMap<Value, P>): ReadonlyMap<Value, P> {
  const sources = new Map(learned);
  for (const node of nodes) {
    const operands = node.inputs.filter((value) => value !== undefined && !constantOf(value)) as Value[];
    const [first, ...others] = operands.map((value) => sources.get(value));
    if (first !== undefined && others.every((own) => own === first))
      for (const output of node.outputs) if (!sources.has(output)) sources.set(output, first);
  }
  return sources;
}

/** The learned tensor that a use reads whole, in whatever order of its elements; `undefined` where it reads a part. */
export function wholeSource<P extends { readonly shape: Shape }>(
  { weight }: LinearUse,
  sources: ReadonlyMap<Value, P>,
): P | undefined {
  const source = sources.get(weight);
  return source && size(source.shape) === size(weight.shape) ? source : undefined;
}

/**
 * Nodes that give scores: sums of products from which an output follows by moving elements, a bias or a factor, and a softmax alone.
 */
export function scoringNodes(outputs: readonly Value[], isLearned: (value: Value) => boolean): ReadonlySet<Node> {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const pending = [...outputs];
  for (let value = pending.pop(); value; value = pending.pop()) {
    const node = value.producer;
    if (!node || seen.has(node)) continue;
    seen.add(node);
    const active = node.inputs.filter((own) => own && !isLearned(own) && !constantOf(own)) as Value[];
    if (node.op.contracts) found.add(node);
    else if (active.length === 1 && keepsScores(node)) append(pending, active);
  }
  return found;
}

const keepsScores = ({ op }: Node): boolean =>
  kindOf(op) === "reshape" || ["Add", "Mul", "Div", "Cast", "Softmax", "LogSoftmax"].includes(op.type);
