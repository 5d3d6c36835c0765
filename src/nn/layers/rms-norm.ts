/** Normalization by the root mean square alone (Zhang and Sennrich 2019). */
import { ShapeError } from "../../core/errors.ts";
import { nonNegative, number } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { add, rmsNorm as rmsNormOp } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { constantInit } from "../initializers.ts";
import { Module } from "../module.ts";

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** Added to the mean square; default 1e-6. */
  readonly epsilon?: number;
  /** Added to the weight, which begins at 1 less that: Gemma stores the weight less 1; default 0. */
  readonly offset?: number;
}

const checkOptions = optionsOf<RmsNormOptions>("rmsNorm", { epsilon: nonNegative, offset: number });
/** Normalization by the root mean square as a layer: [..., features] → [..., features]. Make one with `rmsNorm`. */
export class RmsNorm extends Module {
  override readonly kind = "normalization";
  readonly options: RmsNormOptions;
  constructor(options: RmsNormOptions = {}) {
    super();
    this.options = checkOptions(options);
  }
  protected call(x: Value, context: Context): Value {
    if (x.rank < 2)
      throw new ShapeError(`input ${showShape(x.shape)} needs a batch and a feature axis; pass [batch, …, features]`);
    const { offset = 0, epsilon } = this.options;
    const initializer = constantInit(1 - offset);
    const weight = context.parameter(this, "weight", { shape: x.shape.slice(-1), initializer });
    return rmsNormOp(x, offset === 0 ? weight : add(weight, offset), { ...(epsilon !== undefined && { epsilon }) });
  }
}

/**
 * x / sqrt(mean(x²) + epsilon) · (weight + offset) over the last axis: [..., features] → [..., features] (Zhang and Sennrich
 * 2019). Nothing is subtracted, and there is no bias. Throws ShapeError for an input of fewer than two axes.
 */
export const rmsNorm = (options?: RmsNormOptions): RmsNorm => new RmsNorm(options);
