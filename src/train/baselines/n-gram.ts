/** Language models by counting: n-grams of tokens with interpolated Kneser-Ney smoothing, baselines of networks that write. */
import { DataError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { BaselineResult } from "./baseline.ts";

/** Options of `nGramModel` and `compareLanguageBaselines`. */
export interface NGramOptions {
  /** Number of tokens. */
  readonly vocabulary: number;
  /** Tokens of an n-gram at most, the predicted one included; default 5. */
  readonly order?: number;
}

const checkOptions = optionsOf<NGramOptions>("nGramModel", { vocabulary: required(count()), order: count() });

/** How often something was counted, as the two kinds of counts have it. */
type Counts = { readonly raw: number[]; readonly before: number[] };
const noCounts = (): Counts => ({ raw: [], before: [] });

const increase = (list: number[], at: number) => {
  list[at] = (list[at] ?? 0) + 1;
};

/**
 * What was counted of tokens behind contexts. A context is a node of a tree, which its earlier tokens lead to, the last one first: so its
 * parent is the context that is one token shorter.
 */
class ContextTree {
  readonly #vocabulary: number;
  readonly #order: number;
  /** By node · vocabulary + token: the longer context, and the place of the token's counts. */
  readonly #children = new Map<number, number>();
  readonly #places = new Map<number, number>();
  /** Of each place its node's level, of each node its totals and how many different tokens followed. */
  readonly #levels: number[] = [];
  readonly #counts = noCounts();
  readonly #totals = noCounts();
  readonly #types = noCounts();
  #nodes = 1;
  #discounts: Readonly<Record<keyof Counts, readonly number[]>> = { raw: [], before: [] };

  constructor(tokens: Int32Array, vocabulary: number, order: number) {
    this.#vocabulary = vocabulary;
    this.#order = order;
    for (let i = 0; i < tokens.length; i++) this.#add(tokens, i);
    this.#discounts = { raw: this.#discountsOf("raw"), before: this.#discountsOf("before") };
  }

  #add(tokens: Int32Array, i: number): void {
    const token = tokens[i] as number;
    let node = 0;
    for (let level = 0; level < this.#order && level <= i; level++) {
      if (level > 0) {
        const key = node * this.#vocabulary + (tokens[i - level] as number);
        const child = this.#children.get(key) ?? this.#nodes++;
        this.#children.set(key, child);
        // The shorter context has this token behind one more word, where the longer one has it for the first time.
        if (!this.#places.has(child * this.#vocabulary + token)) this.#count("before", node, token, level - 1);
        node = child;
      }
      this.#count("raw", node, token, level);
    }
  }

  #count(kind: keyof Counts, node: number, token: number, level: number): void {
    const key = node * this.#vocabulary + token;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#places.size;
      this.#places.set(key, place);
      this.#levels.push(level);
    }
    increase(this.#counts[kind], place);
    increase(this.#totals[kind], node);
    if (this.#counts[kind][place] === 1) increase(this.#types[kind], node);
  }

  /** D = n₁ / (n₁ + 2 n₂) of the counts of each level, of which n₁ are 1 and n₂ are 2 (Chen and Goodman 1999, eq. 13). */
  #discountsOf(kind: keyof Counts): number[] {
    const [ones, twos] = [new Array<number>(this.#order).fill(0), new Array<number>(this.#order).fill(0)];
    for (const [place, level] of this.#levels.entries()) {
      const own = this.#counts[kind][place];
      if (own === 1) increase(ones, level);
      if (own === 2) increase(twos, level);
    }
    return ones.map((one, level) => one / (one + 2 * (twos[level] as number)) || 0.5);
  }

  /**
   * The probability of token i behind those before it, by n-grams of `order` tokens at most: max(c - D, 0) / Σc + D N / Σc · the
   * probability behind one token less, down to even chances; c are counts of the longest context, of shorter ones how many different
   * tokens stand before (Kneser and Ney 1995).
   */
  probability(tokens: Int32Array, i: number, order: number): number {
    const token = tokens[i] as number;
    let probability = 1 / this.#vocabulary;
    let node: number | undefined = 0;
    for (let level = 0; level < order && level <= i; level++) {
      if (level > 0) node = this.#children.get(node * this.#vocabulary + (tokens[i - level] as number));
      if (node === undefined) break;
      const kind: keyof Counts = level === order - 1 ? "raw" : "before";
      const total = this.#totals[kind][node] ?? 0;
      if (total === 0) continue;
      const place = this.#places.get(node * this.#vocabulary + token);
      const own = place === undefined ? 0 : (this.#counts[kind][place] ?? 0);
      const discount = this.#discounts[kind][level] as number;
      const rest = (discount * (this.#types[kind][node] ?? 0)) / total;
      probability = Math.max(0, own - discount) / total + rest * probability;
    }
    return probability;
  }
}

/** Probabilities of tokens by counted n-grams. */
export interface NGramModel {
  /** The probability of token `i` of `tokens` behind those before it, by n-grams of `order` tokens at most; default the model's order. */
  probability(tokens: Int32Array, i: number, order?: number): number;
  /** e to the mean of -log probability of tokens, each behind those before it. */
  perplexity(tokens: Int32Array, order?: number): number;
}

/**
 * Counts the n-grams of tokens: interpolated Kneser-Ney with one discount for each length. Throws DataError without tokens, and for a token
 * outside the vocabulary.
 * @example nGramModel(Int32Array.of(0, 1, 0, 1, 0), { vocabulary: 2, order: 2 }).probability(Int32Array.of(0, 1), 1) // near 1
 */
export function nGramModel(tokens: Int32Array, options: NGramOptions): NGramModel {
  const { vocabulary, order: most = 5 } = checkOptions(options);
  if (tokens.length === 0) throw new DataError("nGramModel: there are no tokens; pass some to count");
  const stray = tokens.findIndex((token) => token < 0 || token >= vocabulary);
  if (stray >= 0)
    throw new DataError(`nGramModel: token ${stray} is ${tokens[stray]}; pass tokens from 0 to ${vocabulary - 1}`);
  const tree = new ContextTree(tokens, vocabulary, most);
  const probability = (asked: Int32Array, i: number, order = most) => tree.probability(asked, i, Math.min(order, most));
  return {
    probability,
    perplexity(asked, order) {
      let sum = 0;
      for (let i = 0; i < asked.length; i++) sum -= Math.log(probability(asked, i, order));
      return Math.exp(sum / asked.length);
    },
  };
}

/** Tokens of a text that is split three ways, one part behind the other. */
export interface TokenParts {
  /** What is counted. */
  readonly train: Int32Array;
  /** What the order is chosen by; it is counted too before the test is measured. */
  readonly validation: Int32Array;
  /** What the chosen one is measured on, once. */
  readonly test: Int32Array;
}

/** n-grams that are counted at most, which takes some hundred bytes each. */
const mostCounted = 6_000_000;

/**
 * What counting reaches on a text: how frequent each token is, and n-grams of two tokens and more with interpolated Kneser-Ney smoothing,
 * whose order does best on the validation part; as perplexity. Throws DataError where a part is empty.
 * @example compareLanguageBaselines({ train, validation, test }, { vocabulary: 1024 })[1]?.test // perplexity of n-grams
 */
export function compareLanguageBaselines(
  { train, validation, test }: TokenParts,
  options: NGramOptions,
): readonly BaselineResult[] {
  const { vocabulary, order: asked = 5 } = checkOptions(options);
  for (const [name, part] of Object.entries({ train, validation, test }))
    if (part.length === 0) throw new DataError(`compareLanguageBaselines: ${name} has no tokens; pass at least one`);
  const both = new Int32Array(train.length + validation.length);
  both.set(train);
  both.set(validation, train.length);
  const most = Math.max(2, Math.min(asked, Math.floor(mostCounted / both.length)));
  const began = performance.now();
  const first = nGramModel(train, { vocabulary, order: most });
  const found = Array.from({ length: most }, (_, i) => ({
    order: i + 1,
    validation: first.perplexity(validation, i + 1),
  }));
  const [unigram, ...longer] = found as [(typeof found)[number], ...typeof found];
  const best = longer.reduce((a, b) => (b.validation < a.validation ? b : a));
  const last = nGramModel(both, { vocabulary, order: best.order });
  const resultOf = (name: string, settings: string, { order, validation: own }: typeof unigram): BaselineResult => ({
    name,
    settings,
    validation: own,
    test: last.perplexity(test, order),
    metric: "perplexity",
    seconds: (performance.now() - began) / 1000,
  });
  return [
    resultOf("unigram", "how frequent each token is", unigram),
    resultOf("n-gram model", `interpolated Kneser-Ney, order ${best.order} of 2 to ${most}`, best),
  ];
}
