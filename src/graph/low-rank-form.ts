/** Operators that are linear in a learned operand: what a matrix of low rank in its place gives. */
import type { Shape } from "../core/shape.ts";
import type { Value } from "./ir.ts";

/** How a node is linear in a learned operand W: y = f(x, W) + bias; and what f gives for a matrix of low rank, B A, in place of W. */
export interface LowRankForm {
  /** The operand x. */
  readonly x: Value;
  /** The axes along which output features lie. */
  readonly outputAxes: { readonly weight: number; readonly y: number };
  /** Those along which input features lie; none of a table of rows. */
  readonly inputAxes?: { readonly weight: number; readonly x: number };
  /** Shapes of A and B for their inner extent. */
  shapes(rank: number): readonly [a: Shape, b: Shape];
  /** f(x, B A), through the narrow inner extent. */
  narrow(x: Value, a: Value, b: Value): Value;
  /** B A in the shape of W. */
  product(a: Value, b: Value): Value;
  /** f(x, W). */
  bare(x: Value): Value;
  /** f + bias. */
  biased(f: Value): Value;
}
