/** Penalties on parameters, added to the loss. */
import type { Value } from "../graph/ir.ts";
import { add, mul, reduceL1, reduceSumSquare } from "../ops/index.ts";
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
