/**
 * Mixed precision (Micikevicius et al. 2018, "Mixed Precision Training", sec. 3): matrix products and convolutions take float16 and give
 * float16, everything between them stays float32.
 */
import { size } from "../core/shape.ts";
import type { Node, Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import type { Pass } from "../graph/passes.ts";
import { rewrite } from "../graph/rewrite.ts";
import { Cast, cast } from "../ops/cast.ts";
import type { HalfSums } from "../runtime/session.ts";

/**
 * The longest sum that is taken in float16, where a device adds up in it: its error grows with the root of the length, to 1 in 100 of the
 * result's scale here. Longer ones, mostly gradients of weights over many positions, stay float32.
 */
const longestSum = 4096;

/** Products that an output's elements are sums of. */
const sumLength = (node: Node): number => node.op.macs(node) / size(node.outputs[0].shape);

/** The float16 value that a float32 value was cast from, whose numbers it has. */
const halfBehind = ({ producer }: Value): Value | undefined => {
  const [source] = producer?.op === Cast ? producer.inputs : [];
  return source?.dtype === "float16" ? source : undefined;
};

/**
 * Lets the operators whose rule `halves` allows it take float16 for float32 operands, each cast once, and casts their results back. What only
 * moves elements moves float16 where they came as that, so that nothing is cast between two products. Gradients are nodes like others: run it
 * after differentiating, and before operators are lowered to what shows no products.
 * @param sums how the device computes products of float16
 */
export const halfPrecision =
  (sums: HalfSums): Pass =>
  (outputs) => {
    const casts = new Map<Value, Value>();
    const halfOf = (value: Value): Value => {
      const half = casts.get(value) ?? halfBehind(value) ?? cast(value, "float16");
      casts.set(value, half);
      return half;
    };
    /** The numbers of float16 as float32. */
    const rounded = (value: Value): Value => (halfBehind(value) ? value : cast(halfOf(value), "float32"));
    return rewrite(outputs, (node) => {
      const { op, inputs, attributes, scope } = node;
      const positions = op.halves(node);
      const takes = (value: Value | undefined, i: number): value is Value =>
        value?.dtype === "float32" && positions.includes(i);
      const taken = inputs.filter(takes);
      if (taken.length === 0) return undefined;
      if (op.contracts ? sums === "float16" && sumLength(node) > longestSum : !taken.every(halfBehind))
        return undefined;
      const made = (form: (value: Value) => Value) =>
        makeNode(
          op,
          inputs.map((value, i) => (takes(value, i) ? form(value) : value)),
          attributes,
          scope,
        ).outputs;
      const halves = made(halfOf);
      if (sums !== "rounded" || !op.contracts)
        return halves.map((half, i) => cast(half, node.outputs[i]?.dtype ?? half.dtype));
      return made(rounded).map((result, i) => (halves[i]?.dtype === "float16" ? rounded(result) : result));
    }).outputs;
  };
