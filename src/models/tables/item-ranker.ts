/** Rankings of items for users, by what users chose among all items: matrix factorization under a softmax. */
import { count, nonNegative } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, Module, normalInit } from "../../nn/index.ts";
import { add, gather, matmul, mul, reduceMean, reduceSum, square, transpose } from "../../ops/index.ts";

/** Options of `ItemRanker`. */
export interface ItemRankerOptions {
  /** Number of users. */
  readonly users: number;
  /** Width of the vectors of users and items; default 16. */
  readonly factors?: number;
  /** Weight of the squares of the vectors that a choice used; default 0.1. */
  readonly penalty?: number;
}

const checkOptions = optionsOf<ItemRankerOptions>("ItemRanker", {
  users: required(count()),
  factors: count(),
  penalty: nonNegative,
});

/**
 * Users, int32 [N] → scores of all items, [N, items]: b_i + p_u · q_i, whose softmax is the probability that a user chooses an item. It
 * begins at how often items were chosen, and so recommends what is popular until vectors have learned better.
 * @param popularity how often each item was chosen; b begins at the logarithm of one more
 */
export class ItemRanker extends Module {
  readonly #popularity: readonly number[];
  readonly #options: Required<ItemRankerOptions>;
  constructor(popularity: readonly number[], options: ItemRankerOptions) {
    super();
    const { users, factors = 16, penalty = 0.1 } = checkOptions(options);
    this.#popularity = popularity;
    this.#options = { users, factors, penalty };
  }
  protected call(x: Value, context: Context): Value {
    const { users, factors, penalty } = this.#options;
    const items = this.#popularity.length;
    const table = (name: string, rows: number) =>
      context.parameter(this, name, { shape: [rows, factors], initializer: normalInit(0, 0.1) });
    const p = gather(table("users", users), x); // [N, factors]
    const q = table("items", items);
    const b = context.parameter(this, "bias", {
      shape: [items],
      initializer: () => Float32Array.from(this.#popularity, (times) => Math.log(1 + times)),
    });
    if (context.training && penalty > 0)
      for (const vectors of [p, q]) context.penalties.push(mul(reduceMean(reduceSum(square(vectors), 1)), penalty));
    return add(matmul(p, transpose(q)), b);
  }
}
