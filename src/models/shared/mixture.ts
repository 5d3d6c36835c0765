/** Several predictors as one, each with its share. */
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, constantInit } from "../../nn/index.ts";
import { add, mul, slice } from "../../ops/index.ts";

/** The sum of predictions of one shape by their shares, the buffer `mix` of `module`, which are equal before anything is chosen. */
export function mixture(module: AnyModule, predictions: readonly Value[], context: Context): Value {
  const count = predictions.length;
  const mix = context.buffer(module, "mix", { shape: [count], initializer: constantInit(1 / count) });
  const parts = predictions.map((own, i) => mul(own, slice(mix, { axis: 0, start: i, end: i + 1 })));
  return parts.reduce((a, b) => add(a, b));
}
