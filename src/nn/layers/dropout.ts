/** Dropout: zeroing random elements while training (Srivastava et al. 2014). */
import { OptionError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { dropout as dropoutOp } from "../../ops/random.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";

export class Dropout extends Module {
  override readonly kind = "regularization";
  readonly rate: number;
  constructor(rate: number) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new OptionError(`dropout rate is ${rate}; pass a number in [0, 1)`);
    this.rate = rate;
  }
  protected call(x: Value, context: Context): Value {
    return context.training && this.rate > 0 ? dropoutOp(x, this.rate, context.randomKey()) : x;
  }
}

/** Zeroes each element with probability `rate` and scales the others by 1 / (1 - rate); the identity outside training. */
export const dropout = (rate: number): Dropout => new Dropout(rate);
