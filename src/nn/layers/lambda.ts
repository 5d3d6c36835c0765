/** A function of graph values as a layer. */
import type { Value } from "../../graph/ir.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";

/** Any inputs and outputs, as the function takes and gives them. */
export class Lambda<I = Value, O = Value> extends Module<I, O> {
  override readonly kind = "other";
  override readonly inputs = "tree";
  readonly #compute: (inputs: I, context: Context) => O;
  constructor(compute: (inputs: I, context: Context) => O) {
    super();
    this.#compute = compute;
  }
  protected call(inputs: I, context: Context): O {
    return this.#compute(inputs, context);
  }
}

/**
 * A layer without parameters that computes what the function does, of any inputs.
 * @example
 * const unitLength = lambda((x: Value) => ops.div(x, ops.reduceL2(x, 1, { keepDims: true })));
 * sequential([dense(8), unitLength, dense(2)]);
 */
export const lambda = <I = Value, O = Value>(compute: (inputs: I, context: Context) => O): Lambda<I, O> =>
  new Lambda(compute);
