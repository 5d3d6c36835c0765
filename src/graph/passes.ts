/** Passes over graphs, each from outputs to equal outputs: simplification, folding, common subexpressions, lowering. */
import { isBigInt, isFloat } from "../core/dtype.ts";
import { size, stridesOf } from "../core/shape.ts";
import { Tensor, zerosTensor } from "../core/tensor.ts";
import { constantOf, input, type Node, type Value } from "./ir.ts";
import { makeNode, type OpDef } from "./op.ts";
import { type Rule, rewrite } from "./rewrite.ts";

export type Pass = (outputs: readonly Value[]) => readonly Value[];

/** Folding stops at this many elements: larger constants would only grow the model. */
const foldLimit = 1024;

/** Repeats a rule until nothing changes. */
function exhaust(outputs: readonly Value[], rule: Rule): readonly Value[] {
  for (let round = 0; round < 20; round++) {
    const next = rewrite(outputs, rule);
    outputs = next.outputs;
    if (!next.changed) break;
  }
  return outputs;
}

/** Applies the algebraic rules that stand beside each operator. Values in `kept` stay, and nothing merges with them. */
export function simplify(outputs: readonly Value[], kept: readonly Value[] = []): readonly Value[] {
  // Rules look at the producers of their operands: inputs stand in for the kept values meanwhile.
  const standIns = new Map(kept.map((value) => [value, input(value.dtype, value.shape, value.name)]));
  const back = new Map([...standIns].map(([value, standIn]) => [standIn, value]));
  const simplified = exhaust(rewrite(outputs, unchanged, standIns).outputs, (node) => node.op.simplify(node));
  return rewrite(simplified, unchanged, back).outputs;
}

const unchanged: Rule = () => undefined;

/** Computes operators of constants. `constantOp` makes each result a node. */
export const foldConstants =
  (constantOp: OpDef): Pass =>
  (outputs) =>
    exhaust(outputs, (node) => foldNode(node)?.map((value) => makeNode(constantOp, [], { value }).outputs[0]));

/** The outputs of a node of small constants, `undefined` when an operand is none or the operator has no rule for it. */
export function foldNode(node: Node): readonly Tensor[] | undefined {
  const [y] = node.outputs;
  if (node.inputs.length === 0 || node.outputs.some(({ shape }) => size(shape) > foldLimit)) return undefined;
  const operands = node.inputs.map((value) => constantOf(value));
  if (operands.some((operand, i) => operand === undefined && node.inputs[i] !== undefined)) return undefined;
  return foldElements(node, y, operands) ?? node.op.evaluate(node, operands);
}

/** The output of an elementwise operator of constants. */
function foldElements(node: Node, y: Value, operands: readonly (Tensor | undefined)[]): readonly Tensor[] | undefined {
  const { fold } = node.op;
  // float16 is stored as raw bits; unsigned arithmetic wraps around, which numbers do not.
  if (
    !fold ||
    operands.includes(undefined) ||
    [y, ...operands].some((item) => /^(float16|uint)/.test(item?.dtype ?? ""))
  )
    return undefined;
  const result = zerosTensor(y.dtype, y.shape);
  const strides = stridesOf(y.shape);
  for (let at = 0; at < result.data.length; at++) {
    const elements = (operands as Tensor[]).map((operand) => {
      const own = stridesOf(operand.shape);
      const skip = y.shape.length - operand.shape.length;
      const offset = operand.shape.reduce((sum, extent, axis) => {
        const position = Math.floor(at / (strides[axis + skip] ?? 1)) % (y.shape[axis + skip] ?? 1);
        return sum + (extent === 1 ? 0 : position * (own[axis] ?? 0));
      }, 0);
      return Number(operand.data[offset]);
    });
    const element = fold(...elements);
    if (!isFloat(y.dtype) && !Number.isSafeInteger(element)) return undefined;
    result.data[at] = isBigInt(y.dtype) ? BigInt(element) : element;
  }
  return [result];
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
      value instanceof Tensor ? contentOf(value, identify) : value,
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
export const lower: Pass = (outputs) => exhaust(outputs, (node) => node.op.lower(node));
