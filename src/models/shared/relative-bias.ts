/** Biases of attention by the distance of tokens, in buckets that grow with it (Raffel et al. 2020, sec. 2.1). */
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, type Initializer, Module } from "../../nn/index.ts";
import { constant, expand, gather, reshape, slice, transpose } from "../../ops/index.ts";

/** How distances are distinguished. */
export interface DistanceRules {
  readonly buckets: number;
  /** Those that are farther share the last bucket. */
  readonly farthest: number;
  /** Keys after the query have buckets of their own. */
  readonly both: boolean;
}

/**
 * The bucket of a distance (sec. 2.1): one each up to a half of them, beyond that wider and wider ones. `ahead` says
 * keys after the query, which have the second half when both sides are seen. In float32, as the library computes it.
 */
export function distanceBucket(distance: number, { buckets, farthest, both }: DistanceRules): number {
  const count = both ? Math.floor(buckets / 2) : buckets;
  const side = both && distance > 0 ? count : 0;
  const far = both ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(count / 2);
  if (far < exact) return side + far;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(far / exact))) / fround(log(farthest / exact)));
  return side + Math.min(count - 1, exact + Math.floor(fround(share * (count - exact))));
}

/** A learned addition to products of queries and keys by their distance: [N, T, W] → [1, heads, T, T]. */
export class RelativeBias extends Module {
  override readonly kind = "embedding";
  readonly #heads: number;
  readonly #rules: DistanceRules;
  readonly #initializer: Initializer;
  constructor(heads: number, rules: DistanceRules, initializer: Initializer) {
    super();
    this.#heads = heads;
    this.#rules = rules;
    this.#initializer = initializer;
  }
  protected call(x: Value, context: Context): Value {
    const heads = this.#heads;
    const [, time = 1] = x.shape;
    const table = context.parameter(this, "weight", {
      shape: [this.#rules.buckets, heads],
      initializer: this.#initializer,
    });
    // There are 2T - 1 distances j - i, from 1 - T on; one more entry is never read.
    const buckets = Array.from({ length: 2 * time }, (_, at) => distanceBucket(at + 1 - time, this.#rules));
    const byDistance = transpose(gather(table, constant(tensor(buckets, { dtype: "int64" })))); // [heads, 2T]
    // Row i of the matrix is this vector from T - 1 - i on. Rows of 2T read as rows of 2T - 1 move on by one each: so
    // the matrix, and its gradient, are copies of rows rather than T² lookups.
    const rows = expand(reshape(byDistance, [heads, 1, 2 * time]), [heads, time, 2 * time]);
    const flat = slice(reshape(rows, [heads, 2 * time * time]), { axis: 1, end: time * (2 * time - 1) });
    const shifted = slice(reshape(flat, [heads, time, 2 * time - 1]), { axis: 2, start: time - 1 });
    return reshape(shifted, [1, heads, time, time]);
  }
}
