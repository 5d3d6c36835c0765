/** Networks of what occurs in a text: several kinds side by side, each of members that can be trained on other texts. */
import { count, matching, share } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, dropout, Module, zerosInit } from "../../nn/index.ts";
import {
  add,
  constant,
  div,
  expand,
  gather,
  lessOrEqual,
  maximum,
  mul,
  reduceSum,
  reshape,
  slice,
  sqrt,
  square,
  where,
} from "../../ops/index.ts";
import { CandidateNetwork, type CandidateTarget } from "../shared/candidate-network.ts";
import { MemberDense, MemberEmbedding } from "../shared/member-layers.ts";
import { presence, summed, TrustedEvidence } from "./trusted-evidence.ts";

/** What a `TextNetwork` knows of texts. */
export interface TextInputs {
  /** Words and pairs that are known, with ids from 1 on. */
  readonly words: number;
  /** Runs of characters that are known, with ids from 1 on. */
  readonly characters: number;
  /** What each of the words counts, then each of the runs, such as its inverse document frequency. */
  readonly weights: readonly number[];
  /** Runs of a row for each of its words: the first T / (1 + runs) of its T ids are words, the others runs. */
  readonly runs: number;
}

/** Options of `TextNetwork`. */
export interface TextNetworkOptions {
  /** Scores that a text gets: one a class or label, or 1 for a number. */
  readonly outputs: number;
  /** What is predicted; default classes. */
  readonly target?: CandidateTarget;
  /** Members of each kind; default 8. */
  readonly members?: number;
  /** Width of the vectors of words; default 32. */
  readonly width?: number;
  /** Share of what occurs in a text that training leaves out; default 0.2. */
  readonly dropout?: number;
  /** What each id says of each output to each member, [members, 1 + words, outputs], to begin with; default nothing. */
  readonly evidence?: Tensor<"float32">;
}

const checkOptions = optionsOf<TextNetworkOptions>("TextNetwork", {
  outputs: required(count()),
  target: matching('"classes", "labels" or { mean, deviation }', (target) =>
    typeof target === "string" ? ["classes", "labels"].includes(target) : typeof target === "object" && target !== null,
  ),
  members: count(),
  width: count(),
  dropout: share,
  evidence: matching("a tensor", (value) => value instanceof Tensor),
});

/** Words that have vectors: the first ones, which are the most frequent. */
const mostVectors = 10_000;
/** How long a text is, as its weights are summed; weights of some ten words are of the size that optimizers expect. */
const textLength = 10;

/** The ids of a row [N, T] that stand for words, or for runs. */
function idsOf(x: Value, kind: "words" | "characters", runs: number): Value {
  const [, width = 1] = x.shape;
  const border = width / (1 + runs);
  return slice(x, kind === "words" ? { axis: 1, start: 0, end: border } : { axis: 1, start: border, end: width });
}

/** What candidates have in common. */
interface Sizes {
  readonly members: number;
  readonly outputs: number;
  readonly dropout: number;
  readonly runs: number;
}

/** Sums of what each feature weighs, of a text scaled to one length (TF-IDF): x [N, T] → scores [members, N, outputs]. */
class WeighedFeatures extends Module {
  override readonly kind = "dense";
  readonly dropout: Module;
  readonly #reads: "words" | "characters";
  readonly #weights: readonly number[];
  readonly #sizes: Sizes;
  constructor(reads: "words" | "characters", weights: readonly number[], sizes: Sizes) {
    super();
    this.#reads = reads;
    this.#weights = weights;
    this.#sizes = sizes;
    this.dropout = dropout(sizes.dropout);
  }
  protected call(x: Value, context: Context): Value {
    const { members, outputs, runs } = this.#sizes;
    const ids = idsOf(x, this.#reads, runs);
    const table = constant(new Tensor("float32", [this.#weights.length + 1], Float32Array.of(0, ...this.#weights)));
    const values = gather(table, ids, 0); // [N, T]
    const length = maximum(sqrt(reduceSum(square(values), 1, { keepDims: true })), 1e-6);
    const scaled = reshape(mul(div(values, length), textLength), [1, ...values.shape, 1]);
    const shape = [members, this.#weights.length + 1, outputs];
    const w = context.parameter(this, "weight", { shape, initializer: zerosInit });
    const b = context.parameter(this, "bias", { shape: [members, 1, outputs], initializer: zerosInit });
    return add(summed(w, ids, this.dropout.apply(scaled, context)), b);
  }
}

/** The mean of the vectors of words and pairs (Joulin et al. 2017): x [N, T] → scores [members, N, outputs]. */
class MeanVectors extends Module {
  readonly embedding: MemberEmbedding;
  readonly dropout: Module;
  readonly head: MemberDense;
  readonly #words: number;
  readonly #runs: number;
  constructor(words: number, width: number, { members, outputs, dropout: rate, runs }: Sizes) {
    super();
    this.#words = Math.min(words, mostVectors);
    this.#runs = runs;
    this.embedding = new MemberEmbedding(members, this.#words + 1, width);
    this.dropout = dropout(rate);
    this.head = new MemberDense(members, outputs, 1);
  }
  protected call(x: Value, context: Context): Value {
    const all = idsOf(x, "words", this.#runs);
    const ids = where(lessOrEqual(all, this.#words), all, 0);
    const present = this.dropout.apply(presence(ids), context);
    const sum = reduceSum(mul(this.embedding.apply(ids, context), present), 2); // [members, N, width]
    return this.head.apply(div(sum, expand(maximum(reduceSum(present, 2), 1), sum.shape)), context);
  }
}

/**
 * Several kinds of networks of a text's ids x int32 [N, T] side by side, words before runs, 0 filling both up: `words`, naive Bayes that learns how far to
 * trust each word and pair (of a number their weights); `characters`, weights of runs of characters; `vectors`, the mean of vectors of
 * words and pairs. See `CandidateNetwork` for what it gives.
 * @example
 * const model = new TextNetwork({ words: 2, characters: 1, weights: [1, 1.5, 2], runs: 1 }, { outputs: 2 });
 */
export class TextNetwork extends CandidateNetwork {
  readonly candidates: Readonly<Record<string, Module>>;
  readonly choices: Readonly<Record<string, readonly string[]>>;

  constructor({ words, characters, weights, runs }: TextInputs, options: TextNetworkOptions) {
    const {
      outputs,
      target = "classes",
      members = 8,
      width = 32,
      dropout: rate = 0.2,
      evidence,
    } = checkOptions(options);
    super(members, target);
    const sizes = { members, outputs, dropout: rate, runs };
    const readsRuns = runs > 0;
    this.candidates = {
      words:
        typeof target === "string"
          ? new TrustedEvidence(words, { ...sizes, evidence, idsOf: (x) => idsOf(x, "words", runs) })
          : new WeighedFeatures("words", weights.slice(0, words), sizes),
      ...(readsRuns && {
        characters: new WeighedFeatures("characters", weights.slice(words, words + characters), sizes),
      }),
      vectors: new MeanVectors(words, width, sizes),
    };
    const names = Object.keys(this.candidates);
    this.choices = {
      ...Object.fromEntries(names.map((name) => [name, [name]])),
      ...(readsRuns && { linear: ["words", "characters"] }),
      together: names,
    };
  }
}
