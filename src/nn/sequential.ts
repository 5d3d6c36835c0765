/** A chain of modules, each fed with the output of the one before. */
import { OptionError } from "../core/errors.ts";
import type { Value } from "../graph/ir.ts";
import type { Context } from "./context.ts";
import { Module } from "./module.ts";

export class Sequential extends Module {
  readonly kind = "container";
  readonly layers: readonly Module[];
  constructor(layers: readonly Module[]) {
    super();
    if (!Array.isArray(layers) || !layers.every((layer) => layer instanceof Module))
      throw new OptionError("sequential takes a list of modules; write sequential([dense(10), …])");
    this.layers = layers;
  }
  protected call(x: Value, context: Context): Value {
    return this.layers.reduce((value, layer) => layer.apply(value, context), x);
  }
}

/**
 * Chains layers.
 * @example
 * sequential([conv2d(32, 3, { activation: "relu" }), maxPool2d(2), flatten(), dense(10)]);
 */
export const sequential = (layers: readonly Module[]): Sequential => new Sequential(layers);
