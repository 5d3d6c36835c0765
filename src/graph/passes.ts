/** Passes over graphs, each from outputs to equal outputs: simplification, folding, common subexpressions, lowering. */
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { isGraph } from "./attributes.ts";
import { mapElements, oneOutput } from "./elements.ts";
import { constantOf, input, type Node, type Value } from "./ir.ts";
import { makeNode, type OpDef } from "./op.ts";
import { type Rule, rewrite } from "./rewrite.ts";

export type Pass = (outputs: readonly Value[]) => readonly Value[];

/** Folding stops at results of this many elements: larger constants would only grow the model. */
const foldLimit = 1024;
/** Operands of more elements are left to the engine, which reads them faster. */
const operandLimit = 1 << 16;

/**
 * Repeats a rule until nothing changes. Nodes are immutable and a rule sees nothing but a node and what is behind it, so that one which the
 * rule has left once is left for good: `settled` remembers these from round to round, and from pass to pass.
 */
function exhaust(outputs: readonly Value[], rule: Rule, settled = new WeakSet<Node>()): readonly Value[] {
  const unsettled: Rule = (node, original) => {
    if (settled.has(node)) return undefined;
    const result = rule(node, original);
    // A node whose other outputs stay is left as well.
    if (!result?.every(Boolean)) settled.add(node);
    return result;
  };
  for (let round = 0; round < 20; round++) {
    const next = rewrite(outputs, unsettled);
    outputs = next.outputs;
    if (!next.changed) break;
  }
  return outputs;
}

/** Applies the algebraic rules that stand beside each operator. Values in `kept` stay, and nothing merges with them. */
export function simplify(outputs: readonly Value[], kept: readonly Value[] = []): readonly Value[] {
  const rule: Rule = (node) => node.op.simplify(node);
  if (kept.length === 0) return exhaust(outputs, rule, simple);
  // Rules look at the producers of their operands: inputs stand in for the kept values meanwhile.
  const standIns = new Map(kept.map((value) => [value, input(value.dtype, value.shape, value.name)]));
  const back = new Map([...standIns].map(([value, standIn]) => [standIn, value]));
  const simplified = exhaust(rewrite(outputs, unchanged, standIns).outputs, rule, simple);
  return rewrite(simplified, unchanged, back).outputs;
}

const unchanged: Rule = () => undefined;
const simple = new WeakSet<Node>();

/** Computes operators of constants. `constantOp` makes each result a node. */
export const foldConstants =
  (constantOp: OpDef): Pass =>
  (outputs) =>
    exhaust(
      outputs,
      (node) => foldNode(node)?.map((value) => makeNode(constantOp, [], { value }).outputs[0]),
      unfolded,
    );

const unfolded = new WeakSet<Node>();

/** The outputs of a node of constants of up to `limit` elements, `undefined` when an operand is none or the operator has no rule for it. */
export function foldNode(node: Node, limit = foldLimit): readonly Tensor[] | undefined {
  const [y] = node.outputs;
  if (node.inputs.length === 0 || node.outputs.some(({ shape }) => size(shape) > limit)) return undefined;
  const operands = node.inputs.map((value) => constantOf(value));
  if (operands.some((operand, i) => operand === undefined && node.inputs[i] !== undefined)) return undefined;
  if (operands.some((operand) => operand && operand.data.length > Math.max(limit, operandLimit))) return undefined;
  if (node.op.fold && !operands.includes(undefined))
    return oneOutput(mapElements(y, operands as Tensor[], node.op.fold));
  return node.op.evaluate(node, operands);
}

/** One node for all that apply the same operator to the same operands. */
export const shareCommon: Pass = (outputs) => {
  const identities = new Map<object, number>();
  const identify = (item: object | undefined): number => {
    if (!item) return -1;
    const known = identities.get(item) ?? identities.size;
    identities.set(item, known);
    return known;
  };
  const first = new Map<string, Node>();
  return rewrite(outputs, (node) => {
    const attributes = Object.entries(node.attributes).map(([name, value]) => [
      name,
      value instanceof Tensor ? contentOf(value, identify) : isGraph(value) ? identify(value) : value,
    ]);
    const key = JSON.stringify([node.op.domain, node.op.type, node.inputs.map(identify), attributes]);
    const earlier = first.get(key);
    if (earlier && earlier !== node) return earlier.outputs;
    first.set(key, node);
    return undefined;
  }).outputs;
};

/** Small tensors compare by content, large ones by identity. */
const contentOf = (value: Tensor, identify: (item: object) => number): unknown =>
  value.data.length <= 64 ? [value.dtype, value.shape, Array.from(value.data, String)] : identify(value);

/** Replaces operators by what the execution engine has. */
export const lower: Pass = (outputs) => exhaust(outputs, (node) => node.op.lower(node), lowered);

const lowered = new WeakSet<Node>();

/** Replaces operators by what the WebGPU provider has and computes rightly. */
export const lowerForWebGpu: Pass = (outputs) =>
  exhaust(
    outputs,
    (node) => {
      const placed = node.op.onWebGpu(node);
      return placed === "processor" ? undefined : (placed ?? node.op.lower(node));
    },
    loweredForWebGpu,
  );

const loweredForWebGpu = new WeakSet<Node>();
