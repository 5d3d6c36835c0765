/** What is left of ratings without tastes: how kind a user is, how well liked a film; the baseline of every recommender. */

import { DataError } from "../../core/errors.ts";
import { count, nonNegative } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Labelled } from "../pipeline/dataset.ts";

/** Options of `fitRatingBiases`. */
export interface RatingBiasesOptions {
  /** Number of users. */
  readonly users: number;
  /** Number of items. */
  readonly items: number;
  /** Ratings of the mean value that each user and each item has beside its own; default 5. */
  readonly shrinkage?: number;
  /** Passes over users and items; default 20, after which nothing moves. */
  readonly passes?: number;
}

const checkOptions = optionsOf<RatingBiasesOptions>("fitRatingBiases", {
  users: required(count()),
  items: required(count()),
  shrinkage: nonNegative,
  passes: count(),
});

/** r = mean + user + item. */
export interface RatingBiases {
  /** Mean of all ratings, μ. */
  readonly mean: number;
  /** By user. */
  readonly users: Float64Array;
  /** By item. */
  readonly items: Float64Array;
}

/**
 * Biases of users and items that minimize Σ (r - μ - b_u - b_i)² + λ (Σ b_u² + Σ b_i²) (Koren, Bell and Volinsky 2009, eq. 3 and 5
 * without factors), by solving for the items and for the users in turn. `x` int32 [N, 2] user and item, `y` [N]. Throws
 * DataError without ratings, OptionError for a negative shrinkage.
 */
export function fitRatingBiases({ x, y }: Labelled, options: RatingBiasesOptions): RatingBiases {
  const { users, items, shrinkage = 5, passes = 20 } = checkOptions(options);
  const count = y.data.length;
  if (count === 0) throw new DataError("rating biases: there are no ratings; pass at least one");
  const mean = y.toNumbers().reduce((sum, value) => sum + value, 0) / count;
  const biases = [new Float64Array(users), new Float64Array(items)] as const;
  /** b = Σ (r - μ - the other's b) / (λ + how many). */
  const solve = (side: 0 | 1) => {
    const [own, other] = [biases[side], biases[1 - side] ?? biases[0]];
    const [sums, counts] = [new Float64Array(own.length), new Float64Array(own.length)];
    for (let row = 0; row < count; row++) {
      const [at, beside] = [Number(x.data[2 * row + side]), Number(x.data[2 * row + 1 - side])];
      sums[at] = (sums[at] ?? 0) + Number(y.data[row]) - mean - (other[beside] ?? 0);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (let at = 0; at < own.length; at++) own[at] = (sums[at] ?? 0) / (shrinkage + (counts[at] ?? 0) || 1);
  };
  for (let pass = 0; pass < passes; pass++) {
    solve(1);
    solve(0);
  }
  return { mean, users: biases[0], items: biases[1] };
}
