/** Penalties on parameters, added to the loss. */
import type { Value } from "../graph/ir.ts";
import { add, mul, reduceL1, reduceSumSquare } from "../ops/index.ts";
import type { AnyModule } from "./module.ts";
import type { Regularizer } from "./parameter.ts";

/** strength · Σ |w|, which drives weights to zero. */
export const l1 =
  (strength: number): Regularizer =>
  (w: Value) =>
    mul(reduceL1(w), strength);

/** strength · Σ w², which keeps weights small. For `sgd`, l2(s) is the option `weightDecay: 2 s`. */
export const l2 =
  (strength: number): Regularizer =>
  (w: Value) =>
    mul(reduceSumSquare(w), strength);

/** strength1 · Σ |w| + strength2 · Σ w² (Zou and Hastie 2005, sec. 2.1, the naive elastic net). */
export const l1l2 =
  (strength1: number, strength2: number): Regularizer =>
  (w: Value) =>
    add(l1(strength1)(w), l2(strength2)(w));

/**
 * A layer or model with a penalty on the weights of every layer in it, those of two axes or more: biases and scales have none. What
 * is frozen has none either.
 * @example
 * const model = sequential([regularized(conv2d(32, 3), l2(1e-4)), flatten(), dense(10)]);
 */
export function regularized<M extends AnyModule>(module: M, regularizer: Regularizer): M {
  for (const layer of module.modules().keys()) layer.regularizer = regularizer;
  return module;
}
