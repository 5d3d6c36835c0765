/** What methods share that send something else back through the network than gradients. */
import { operandGradients } from "../autodiff/gradients.ts";
import { isFloat } from "../core/dtype.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import type { Module } from "../nn/index.ts";
import { Identity, LogSoftmax, Reshape, Softmax } from "../ops/index.ts";
import { type HostInputs, type HostOutputs, predictor } from "../train/predict.ts";
import type { Explained } from "./explained.ts";
import { layerPath } from "./layers.ts";

/** A node as its rule sees it. */
export interface BackwardStep {
  readonly node: Node;
  /** What arrives at its outputs. */
  readonly gs: readonly (Value | undefined)[];
  /** Which operands lie behind the input. */
  readonly needs: readonly boolean[];
}

/** The operands that follow from the input, floats, by their places. */
export const activeOperands = ({ node, needs }: BackwardStep): readonly number[] =>
  needs.flatMap((need, i) => (need && isFloat(node.inputs[i]?.dtype ?? "bool") ? [i] : []));

/**
 * The gradients of a node's operands where it is linear in those that follow from the input, up to a constant: then they do not depend on the
 * input. `undefined` where they do.
 */
export function gradientsIfLinear(
  { node, gs, needs }: BackwardStep,
  dependents: ReadonlySet<Value>,
): readonly (Value | undefined)[] | undefined {
  if (!node.op.differentiable) return undefined;
  const found = operandGradients(node, gs, needs).map((g, i) => (needs[i] ? g : undefined));
  const arrived = new Set(gs.filter((g) => g !== undefined));
  const ends = { has: (value: Value) => arrived.has(value) || dependents.has(value) };
  const reached = nodesOf(found, ends).flatMap(({ inputs }) => inputs);
  const isFree = [...found, ...reached].every((value) => !value || arrived.has(value) || !dependents.has(value));
  return isFree ? found : undefined;
}

/** Where a node is, for messages: the path of its layer. */
export const placeOf = (node: Node): string => layerPath(node) || "the model";

/** The scores before a softmax, which these methods explain: its outputs compete, so that no output is a sum of shares. */
export function beforeSoftmax(scores: Value): { readonly scores: Value; readonly notes: readonly string[] } {
  let at = scores;
  for (let node = at.producer; node; node = at.producer) {
    const [source] = node.inputs;
    if (!source) break;
    if (node.op === Softmax || node.op === LogSoftmax)
      return source.shape.join() === scores.shape.join()
        ? { scores: source, notes: ["the model ends with a softmax; the score before it is explained"] }
        : { scores, notes: [] };
    if (node.op !== Identity && node.op !== Reshape) break;
    at = source;
  }
  return { scores, notes: [] };
}

/** What a module gives for these inputs, compiled for this one run. */
export async function runOnce<I, O>(
  module: Module<I, O>,
  inputs: HostInputs<I>,
  { compile }: Pick<Explained, "compile">,
): Promise<HostOutputs<O>> {
  const ask = predictor(module, { compile });
  try {
    return await ask(inputs);
  } finally {
    await ask.release();
  }
}

/** The only number of a tensor. */
export const numberIn = (value: Tensor): number => Number(value.data[0]);
