/** The fully connected layer. */

import { ShapeError } from "../../core/errors.ts";
import { count, flag, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { linear } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { type Initializer, type InitializerName, initializerOf, initializerType, zerosInit } from "../initializers.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";
import { type ActivationFunction, type ActivationName, activationOf, activationType } from "./activations.ts";

/** Options of `dense`. */
export interface DenseOptions {
  /** Applied to the output; default none. */
  readonly activation?: ActivationName | ActivationFunction;
  /** Add a bias; default true. */
  readonly bias?: boolean;
  /** Of the weight; default `"glorotUniform"`. The bias begins at 0. */
  readonly initializer?: InitializerName | Initializer;
  /** Expected input features; default those of the first input. */
  readonly inFeatures?: number;
  /** Name of the layer in error messages; default its path. */
  readonly name?: string;
}

const checkOptions = optionsOf<DenseOptions>("dense", {
  activation: activationType,
  bias: flag,
  initializer: initializerType,
  inFeatures: count(),
  name: string,
});

/** The fully connected layer: [..., in] → [..., units]. Make one with `dense`. */
export class Dense extends Module {
  override readonly kind = "dense";
  readonly units: number;
  readonly options: DenseOptions;
  override readonly label: string | undefined;
  constructor(units: number, options: DenseOptions = {}) {
    super();
    requireCount("dense", "units", units);
    this.units = units;
    this.options = checkOptions(options);
    this.label = options.name;
  }
  protected call(x: Value, context: Context): Value {
    const { activation = "linear", bias = true, initializer = "glorotUniform", inFeatures } = this.options;
    const features = x.shape.at(-1) ?? 0;
    if (x.rank < 2)
      throw new ShapeError(`input ${showShape(x.shape)} needs a batch and a feature axis; pass [batch, features]`);
    if (inFeatures !== undefined && inFeatures !== features)
      throw new ShapeError(
        `input has ${features} features, inFeatures says ${inFeatures}; pass inFeatures: ${features}`,
      );
    const w = context.parameter(this, "weight", {
      shape: [this.units, features],
      initializer: initializerOf(initializer),
    });
    const b = bias ? context.parameter(this, "bias", { shape: [this.units], initializer: zerosInit }) : undefined;
    return activationOf(activation)(linear(x, w, b));
  }
}

/**
 * The fully connected layer, activation(x Wᵀ + b) over the last axis: [..., in] → [..., units]. W is [units, in], as in
 * PyTorch, and b is [units]. Throws OptionError for options that make no sense, ShapeError for inputs without a batch
 * axis or with other features than those of the first.
 * @example
 * dense(64, { activation: "relu" }); // [N, 784] → [N, 64]
 */
export const dense = (units: number, options?: DenseOptions): Dense => new Dense(units, options);
