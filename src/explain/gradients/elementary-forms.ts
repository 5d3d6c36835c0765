/** Softmax, quotients and normalizations of single samples in operators that DeepLIFT has rules for. */
import type { Node, Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import * as ops from "../../ops/index.ts";

/** What computes the first output of a node from its operands, node for node alike for every node of the operator. */
type Form = (node: Node) => Value;

/** 1 / sqrt(mean(x²) + ε) over the normalized axes. */
function inverseRoot(x: Value, { attributes }: Node): Value {
  const { epsilon = 1e-5 } = attributes as { readonly epsilon?: number };
  const mean = ops.reduceMean(ops.mul(x, x), axesOf(x, attributes.axis as number | undefined), { keepDims: true });
  return ops.reciprocal(ops.sqrt(ops.add(mean, epsilon)));
}

/** The axes from one on. */
function axesOf({ rank }: Value, axis = -1): readonly number[] {
  const first = axis < 0 ? axis + rank : axis;
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** x r · scale + bias, of x less its mean or as it is. */
const normalized =
  (isCentred: boolean): Form =>
  (node) => {
    const [x, scale, bias] = node.inputs as readonly [Value, Value, Value?];
    const axes = axesOf(x, node.attributes.axis as number | undefined);
    const own = isCentred ? ops.sub(x, ops.reduceMean(x, axes, { keepDims: true })) : x;
    const scaled = ops.mul(ops.mul(own, inverseRoot(own, node)), scale);
    return bias ? ops.add(scaled, bias) : scaled;
  };

/** exp(x - max) / Σ exp(x - max): with the maximum of each run, since powers and sums then lie from 0 to 1 and from 1 to their number. */
function softmax({ inputs, attributes }: Node): Value {
  const [x] = inputs as readonly [Value];
  const axis = (attributes.axis as number | undefined) ?? -1;
  const powers = ops.exp(ops.sub(x, ops.reduceMax(x, axis, { keepDims: true })));
  return ops.mul(powers, ops.reciprocal(ops.reduceSum(powers, axis, { keepDims: true })));
}

/** Operators that are made of others. */
export const elementaryForms: ReadonlyMap<OpDef, Form> = new Map<OpDef, Form>([
  [ops.LayerNormalization, normalized(true)],
  [ops.RMSNormalization, normalized(false)],
  [ops.SimplifiedLayerNormalization, normalized(false)],
  [ops.Softmax, softmax],
  [ops.Div, ({ inputs: [a, b] }) => ops.mul(a as Value, ops.reciprocal(b as Value))],
]);
