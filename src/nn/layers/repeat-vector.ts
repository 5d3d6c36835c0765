/** One vector at every step of a sequence. */
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { expand, reshape } from "../../ops/index.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";

/** One vector at every step: [N, F] → [N, steps, F]. Make one with `repeatVector`. */
export class RepeatVector extends Module {
  override readonly kind = "reshape";
  readonly steps: number;
  constructor(steps: number) {
    super();
    requireCount("repeatVector", "steps", steps);
    this.steps = steps;
  }
  protected call(x: Value): Value {
    const [batch = 1, features = 1] = x.shape;
    if (x.rank !== 2)
      throw new ShapeError(`input ${showShape(x.shape)} is no batch of vectors; pass [batch, features]`);
    return expand(reshape(x, [batch, 1, features]), [batch, this.steps, features]);
  }
}

/**
 * [N, F] → [N, steps, F]: what an encoder made of a sequence, for a decoder that writes one.
 * @example sequential([lstm(64, { returns: "last" }), repeatVector(10), lstm(64), dense(12)]);
 */
export const repeatVector = (steps: number): RepeatVector => new RepeatVector(steps);
