/** Dropout: zeroing random elements while training (Srivastava et al. 2014). */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { dropout as dropoutOp } from "../../ops/random.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";

/** Dropout as a layer: [...] → [...]. Make one with `dropout`. */
export class Dropout extends Module {
  override readonly kind = "regularization";
  readonly rate: number;
  constructor(rate: number) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new OptionError(`dropout rate is ${rate}; pass a number in [0, 1)`);
    this.rate = rate;
  }
  protected call(x: Value, context: Context): Value {
    return context.training && this.rate > 0 ? dropoutOp(x, this.rate, context.randomKey(x.shape)) : x;
  }
}

/**
 * Zeroes each element with probability `rate` while training and scales the others by 1 / (1 - rate), so that sums keep
 * their mean; outside training it changes nothing (Srivastava et al. 2014): [...] → [...]. Throws OptionError for a
 * rate outside [0, 1).
 * @example
 * sequential([dense(512, { activation: "relu" }), dropout(0.5), dense(10)]);
 */
export const dropout = (rate: number): Dropout => new Dropout(rate);
