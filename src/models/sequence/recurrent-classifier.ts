/** Classes of sentences by a recurrent network over embedded words, padding left out. */
import { count, flag, fraction, oneOf, share } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  embedding,
  type Gru,
  gru,
  type Lstm,
  lstm,
  Module,
  type Rnn,
  rnn,
  uniformInit,
} from "../../nn/index.ts";
import {
  cast,
  concat,
  div,
  equal,
  greaterOrEqual,
  maximum,
  not,
  reduceMax,
  reduceSum,
  reshape,
  where,
} from "../../ops/index.ts";
import { randomUniform } from "../../ops/random.ts";
import { requireTokens } from "../shared/tokens.ts";

/** Functions that make recurrent layers, by name. */
export const recurrentCells = { lstm, gru, rnn } as const;
/** Name of a recurrent layer: a key of `recurrentCells`. */
export type RecurrentCell = keyof typeof recurrentCells;

/** The recurrent layers of a classifier. */
export interface RecurrentLayersOptions {
  /** Width of the state, for each direction. */
  readonly units: number;
  /** Default lstm. */
  readonly cell?: RecurrentCell;
  /** Layers on top of one another; default 1. */
  readonly layers?: number;
  /** Read each sentence in both directions; default false. */
  readonly bidirectional?: boolean;
}

/** Options of `RecurrentClassifier`. */
export interface RecurrentClassifierOptions {
  /** Tokens that are known; id 0 is padding, 1 stands for unknown words. */
  readonly vocabulary: number;
  /** Outputs. */
  readonly classes: number;
  /** Width of a word's vector. */
  readonly width: number;
  /** The recurrent layers. */
  readonly recurrent: RecurrentLayersOptions;
  /** Rate at which features of words and sentences are dropped while training; default 0. */
  readonly dropout?: number;
  /** Rate at which words are taken for unknown ones while training; default 0. */
  readonly wordDropout?: number;
}

const checkOptions = optionsOf<RecurrentClassifierOptions>("RecurrentClassifier", {
  vocabulary: required(count()),
  classes: required(count()),
  width: required(count()),
  recurrent: required(
    optionsOf<RecurrentLayersOptions>("recurrent", {
      units: required(count()),
      cell: oneOf("lstm", "gru", "rnn"),
      layers: count(),
      bidirectional: flag,
    }).type,
  ),
  dropout: fraction,
  wordDropout: share,
});

/**
 * Token ids [N, T], padded with 0 at the end → scores [N, classes], of the mean and the maximum of the states at a sentence's words, which
 * every word reaches by a short way (Howard and Ruder 2018, sec. 3.3).
 */
export class RecurrentClassifier extends Module {
  readonly embedding: Embedding;
  readonly recurrent: Lstm | Gru | Rnn;
  readonly classifier: Dense;
  readonly dropout: Module;
  readonly #wordDropout: number;
  constructor(options: RecurrentClassifierOptions) {
    super();
    const { vocabulary, classes, width, recurrent, dropout: rate = 0, wordDropout = 0 } = checkOptions(options);
    const { units, cell = "lstm", layers = 1, bidirectional = false } = recurrent;
    this.embedding = embedding(vocabulary, width, { initializer: uniformInit(-0.1, 0.1) });
    this.recurrent = recurrentCells[cell](units, { layers, bidirectional, dropout: layers > 1 ? rate : 0 });
    this.classifier = dense(classes);
    this.dropout = dropout(rate);
    this.#wordDropout = wordDropout;
  }
  protected call(ids: Value, context: Context): Value {
    requireTokens(ids);
    const [batch = 1] = ids.shape;
    const present = not(equal(ids, 0));
    const lengths = reduceSum(cast(present, "int32"), 1);
    const words = this.dropout.apply(this.embedding.apply(this.#hide(ids, present, context), context), context);
    const states = this.recurrent.apply({ x: words, lengths }, context); // [N, T, D · units], 0 after the end
    const counts = maximum(cast(reshape(lengths, [batch, 1]), "float32"), 1);
    const mean = div(reduceSum(states, 1), counts);
    // No state is below -1.
    const isWord = reshape(present, [...present.shape, 1]);
    const most = reduceMax(where(isWord, states, -1), 1);
    return this.classifier.apply(this.dropout.apply(concat([mean, most], 1), context), context);
  }
  /** Words replaced by the unknown one at random, so that one word does not decide alone (Iyyer et al. 2015, sec. 3.2). */
  #hide(ids: Value, present: Value, context: Context): Value {
    if (!context.training || this.#wordDropout === 0) return ids;
    const kept = greaterOrEqual(randomUniform(context.randomKey(ids.shape), ids.shape), this.#wordDropout);
    return where(kept, ids, cast(present, ids.dtype));
  }
}
