/** Stochastic depth: leaving out a residual branch for random samples while training (Huang et al. 2016). */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { mul, ones } from "../../ops/index.ts";
import { dropout } from "../../ops/random.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";

/** Stochastic depth as a layer: [N, …] → [N, …]. Make one with `stochasticDepth`. */
export class StochasticDepth extends Module {
  override readonly kind = "regularization";
  readonly rate: number;
  constructor(rate: number) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new OptionError(`stochastic depth rate is ${rate}; pass a number in [0, 1)`);
    this.rate = rate;
  }
  protected call(x: Value, context: Context): Value {
    if (!context.training || this.rate === 0) return x;
    const perSample = ones(
      x.shape.map((extent, axis) => (axis === 0 ? extent : 1)),
      x.dtype,
    );
    return mul(x, dropout(perSample, this.rate, context.randomKey(perSample.shape)));
  }
}

/**
 * Zeroes whole samples with probability `rate` and scales the others by 1 / (1 - rate); the identity outside training.
 * Stands at the end of a residual branch.
 */
export const stochasticDepth = (rate: number): StochasticDepth => new StochasticDepth(rate);
