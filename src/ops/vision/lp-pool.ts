/** Pooling by the p-norm of each window. */
import { size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { mul, pow, where } from "../elementwise.ts";
import { otherFloats } from "../float-function.ts";
import { abs } from "../functions.ts";
import { equal } from "../logic.ts";
import { defineComposition } from "../reading.ts";
import { reduceL1, reduceL2, reduceSum } from "../reduce.ts";
import { samplesFirst } from "../samples.ts";
import { type WindowAttributes, windowSchema } from "../windows/geometry.ts";
import { AveragePool, countsLike, poolWindow } from "../windows/pooling.ts";

type LpAttributes = WindowAttributes & { readonly p?: number };

/** The p-th root of what is not negative; its gradient at 0 is 0. */
function root(x: Value, p: number): Value {
  const isZero = equal(x, 0);
  return where(isZero, 0, pow(where(isZero, 1, x), 1 / p));
}

/** (Σ |x|^p)^(1/p) in operators that have gradients: the mean of each window times the number of its elements. */
function normOfWindows(x: Value, { p = 2, ...attributes }: LpAttributes): Value {
  const means = apply(AveragePool, [pow(abs(x), p)], { ...attributes, count_include_pad: 1 });
  return root(mul(means, countsLike(x, poolWindow(x, attributes), true)), p);
}

/** (Σ |x|^p)^(1/p) of each window: [N, C, …]. */
export const LpPool: OpDef = defineOp("LpPool", {
  arity: "1",
  attributes: { ...windowSchema, ceil_mode: "int", p: "int" },
  infer: ([x], attributes) => ({
    dtype: requireFloat("LpPool", x).dtype,
    shape: [...x.shape.slice(0, 2), ...poolWindow(x, attributes).output],
  }),
  grad: { through: ({ inputs: [x], attributes }) => [normOfWindows(x, attributes)] },
  flops: ({ outputs: [y], attributes: { kernel_shape = [] } }) => 2 * size(kernel_shape) * size(y.shape),
  samples: samplesFirst,
  // ONNX Runtime pools float32 only, and is not asked to round the number of windows up.
  lower: ({ inputs: [x], attributes }) =>
    attributes.ceil_mode === 1 ? [normOfWindows(x, attributes)] : otherFloats(x, () => normOfWindows(x, attributes)),
});

/** (Σ |x|^p)^(1/p) of each channel. */
export const GlobalLpPool: OpDef = defineComposition("GlobalLpPool", {
  arity: "1",
  attributes: { p: "int" },
  build: ({ inputs: [x], attributes: { p = 2 } }) => {
    const axes = x.shape.slice(2).map((_, i) => i + 2);
    if (p === 1) return [reduceL1(x, axes, { keepDims: true })];
    if (p === 2) return [reduceL2(x, axes, { keepDims: true })];
    return [root(reduceSum(pow(abs(x), p), axes, { keepDims: true }), p)];
  },
});
