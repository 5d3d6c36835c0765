/** A chain of modules, each fed with the output of the one before. */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import type { Context } from "../context.ts";
import type { InputForm } from "../inputs.ts";
import { type AnyModule, Module } from "../module.ts";

/**
 * A chain of layers: takes what its first layer takes, and gives what its last one gives. Make one with `sequential`.
 */
export class Sequential<I = Value, O = Value> extends Module<I, O> {
  override readonly inputs: InputForm;
  readonly layers: readonly AnyModule[];
  constructor(layers: readonly AnyModule[]) {
    super();
    if (!Array.isArray(layers) || !layers.every((layer) => layer instanceof Module))
      throw new OptionError("sequential takes a list of modules; write sequential([dense(10), …])");
    this.layers = layers;
    this.inputs = layers[0]?.inputs ?? "tensor";
  }
  protected call(inputs: I, context: Context): O {
    return this.layers.reduce<unknown>(
      (value, layer) => (layer as Module<unknown, unknown>).apply(value, context),
      inputs,
    ) as O;
  }
}

/**
 * Chains layers. Where the first takes several inputs or the last gives several outputs, name their types.
 * @example
 * sequential([conv2d(32, 3, { activation: "relu" }), maxPool2d(2), flatten(), dense(10)]);
 */
export const sequential = <I = Value, O = Value>(layers: readonly AnyModule[]): Sequential<I, O> =>
  new Sequential<I, O>(layers);
