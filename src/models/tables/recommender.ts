/**
 * Models of ratings: biases, matrix factorization (Koren, Bell and Volinsky 2009), neural collaborative filtering (He et al.
 * 2017), tastes for genres, and sums of these.
 */
import { count, flag, matching, nonNegative } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Context,
  constantInit,
  dense,
  dropout,
  type Embedding,
  embedding,
  Module,
  normalInit,
  sequential,
  zerosInit,
} from "../../nn/index.ts";
import { add, concat, constant, gather, mul, reduceMean, reduceSum, reshape, slice, square } from "../../ops/index.ts";
import type { ItemRanker } from "./item-ranker.ts";

/** Users and items of x [N, 2], each [N]. */
function pairsOf(x: Value): [users: Value, items: Value] {
  const column = (at: number) => reshape(slice(x, { axis: 1, start: at, end: at + 1 }), [x.shape[0] ?? 1]);
  return [column(0), column(1)];
}

/** Vectors that begin near zero, so that a model begins at the mean. */
const vectors = (count: number, width: number): Embedding =>
  embedding(count, width, { initializer: normalInit(0, 0.1) });
const scalars = (count: number): Embedding => embedding(count, 1, { initializer: zerosInit });

/** Adds λ times the mean over the batch of Σ v², for each rating the vectors that it used (Koren et al., eq. 5). */
function penalize(context: Context, weight: number, ...used: readonly Value[]): void {
  if (!context.training || weight === 0) return;
  for (const v of used) context.penalties.push(mul(reduceMean(reduceSum(square(v), 1)), weight));
}

/** Options of the parts of a rating. */
export interface RatedOptions {
  /** Number of users. */
  readonly users: number;
  /** Number of items. */
  readonly items: number;
  /** Weight of the squares of what a rating is made of, λ; default 0.07. */
  readonly penalty?: number;
}

const ratedTypes: OptionTypes<RatedOptions> = {
  users: required(count()),
  items: required(count()),
  penalty: nonNegative,
};

/** A part of a rating: users and items, int32 [N, 2] → stars above or below the mean, [N]. */
abstract class RatingPart extends Module {
  protected readonly penalty: number;
  constructor({ penalty = 0.07 }: Pick<RatedOptions, "penalty">) {
    super();
    this.penalty = penalty;
  }
}

/** Options of `Biases`. */
export interface BiasesOptions extends RatedOptions {
  /** Items have biases too; default true. */
  readonly ofItems?: boolean;
}

const checkBiases = optionsOf<BiasesOptions>("Biases", { ...ratedTypes, ofItems: flag });

/** b_u + b_i; without items b_u alone. */
export class Biases extends RatingPart {
  readonly user: Embedding;
  readonly item: Embedding | undefined;
  constructor(options: BiasesOptions) {
    super(checkBiases(options));
    const { users, items, ofItems = true } = options;
    this.user = scalars(users);
    this.item = ofItems ? scalars(items) : undefined;
  }
  protected call(x: Value, context: Context): Value {
    const [users, items] = pairsOf(x);
    const own = this.user.apply(users, context);
    const liked = this.item?.apply(items, context);
    penalize(context, this.penalty, own, ...(liked ? [liked] : []));
    return reshape(liked ? add(own, liked) : own, [x.shape[0] ?? 1]);
  }
}

/** Options of `Factors`. */
export interface FactorsOptions extends RatedOptions {
  /** Width of the vectors; default 16. */
  readonly factors?: number;
}

const factorsTypes: OptionTypes<FactorsOptions> = { ...ratedTypes, factors: count() };
const checkFactors = optionsOf("Factors", factorsTypes);
const checkNeuralFactors = optionsOf("NeuralFactors", factorsTypes);

/** p_u · q_i (Koren et al. 2009, eq. 1). */
export class Factors extends RatingPart {
  readonly user: Embedding;
  readonly item: Embedding;
  constructor(options: FactorsOptions) {
    super(checkFactors(options));
    const { users, items, factors = 16 } = options;
    this.user = vectors(users, factors);
    this.item = vectors(items, factors);
  }
  protected call(x: Value, context: Context): Value {
    const [users, items] = pairsOf(x);
    const [p, q] = [this.user.apply(users, context), this.item.apply(items, context)];
    penalize(context, this.penalty, p, q);
    return reduceSum(mul(p, q), 1);
  }
}

/**
 * Neural matrix factorization (He et al. 2017, sec. 3.4): products of vectors, and a perceptron of other vectors side by
 * side, weighed together by a last layer.
 */
export class NeuralFactors extends RatingPart {
  readonly product: { readonly user: Embedding; readonly item: Embedding };
  readonly perceptron: { readonly user: Embedding; readonly item: Embedding; readonly layers: Module };
  readonly last: Module;
  constructor(options: FactorsOptions) {
    super(checkNeuralFactors(options));
    const { users, items, factors = 16 } = options;
    const pair = () => ({ user: vectors(users, factors), item: vectors(items, factors) });
    this.product = pair();
    const layers = [2, 1, 0.5].map((share) => dense(Math.ceil(share * factors), { activation: "relu" }));
    this.perceptron = { ...pair(), layers: sequential([dropout(0.3), ...layers]) };
    // Weights of one: it begins as a matrix factorization.
    this.last = dense(1, { initializer: constantInit(1) });
  }
  protected call(x: Value, context: Context): Value {
    const [users, items] = pairsOf(x);
    const { product, perceptron } = this;
    const [p, q] = [product.user.apply(users, context), product.item.apply(items, context)];
    const [u, v] = [perceptron.user.apply(users, context), perceptron.item.apply(items, context)];
    penalize(context, this.penalty, p, q, u, v);
    const deep = perceptron.layers.apply(concat([u, v], 1), context);
    return reshape(this.last.apply(concat([mul(p, q), deep], 1), context), [x.shape[0] ?? 1]);
  }
}

/** Options of `Tastes`. */
export interface TastesOptions extends Omit<RatedOptions, "items"> {
  /** Of each item, [items, F], such as genres. */
  readonly features: Tensor;
}

const { users, penalty } = ratedTypes;
const features = required(matching<Tensor>("a tensor [items, features]", (value) => value instanceof Tensor));
const checkTastes = optionsOf<TastesOptions>("Tastes", { users, penalty, features });

/** A user's liking of the features that an item has, w_u · g_i; nothing is learned of the item itself, which may be new. */
export class Tastes extends RatingPart {
  readonly user: Embedding;
  readonly #features: Tensor;
  constructor(options: TastesOptions) {
    super(checkTastes(options));
    const { users, features } = options;
    this.#features = features;
    this.user = embedding(users, features.shape[1] ?? 1, { initializer: zerosInit });
  }
  protected call(x: Value, context: Context): Value {
    const [users, items] = pairsOf(x);
    const w = this.user.apply(users, context);
    penalize(context, this.penalty, w);
    return reduceSum(mul(w, gather(constant(this.#features), items)), 1);
  }
}

/** Options of `FeatureBiases`. */
export type FeatureBiasesOptions = Pick<TastesOptions, "penalty" | "features">;

const checkFeatureBiases = optionsOf<FeatureBiasesOptions>("FeatureBiases", { penalty, features });

/** How much everybody likes the features that an item has, w · g_i. */
export class FeatureBiases extends RatingPart {
  readonly #features: Tensor;
  readonly weight: Module;
  constructor(options: FeatureBiasesOptions) {
    super(checkFeatureBiases(options));
    const { features } = options;
    this.#features = features;
    this.weight = dense(1, { initializer: zerosInit, bias: false });
  }
  protected call(x: Value, context: Context): Value {
    const own = this.weight.apply(gather(constant(this.#features), pairsOf(x)[1]), context);
    penalize(context, this.penalty, own);
    return reshape(own, [x.shape[0] ?? 1]);
  }
}

/** The mean rating and its parts: users and items, int32 [N, 2] → stars [N]. */
export class RatingModel extends Module {
  readonly mean: number;
  readonly parts: Readonly<Record<string, Module>>;
  constructor(mean: number, parts: Readonly<Record<string, Module>>) {
    super();
    this.mean = mean;
    this.parts = parts;
  }
  protected call(x: Value, context: Context): Value {
    const parts = Object.values(this.parts).map((part) => part.apply(x, context));
    return add(
      parts.reduce((sum, part) => add(sum, part)),
      this.mean,
    );
  }
}

/** What a recommender gives of N pairs. */
export type Recommended = {
  /** Ratings, [N]. */
  readonly stars: Value;
  /** Scores of all items for each pair's user, [N, items]: their softmax is how likely the user chooses an item next. */
  readonly choices: Value;
};

/**
 * Ratings and choices side by side, users and items int32 [N, 2]: what a user would think of an item, and which one the user takes. They
 * share nothing; ratings alone do not rank well (Cremonesi, Koren and Turrin 2010), for nobody asks for most of what would be liked.
 */
export class Recommender extends Module<Value, Recommended> {
  readonly rating: RatingModel;
  readonly ranker: ItemRanker;
  constructor(rating: RatingModel, ranker: ItemRanker) {
    super();
    this.rating = rating;
    this.ranker = ranker;
  }
  protected call(x: Value, context: Context): Recommended {
    return { stars: this.rating.apply(x, context), choices: this.ranker.apply(pairsOf(x)[0], context) };
  }
}
