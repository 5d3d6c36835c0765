/** A recurrent encoder and decoder with attention (Bahdanau et al. 2015; Luong et al. 2015). */

import { OptionError } from "../../../core/errors.ts";
import { count, fraction, oneOf } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type AdditiveAttention,
  additiveAttention,
  type Context,
  type Dense,
  type DotAttention,
  dense,
  dotAttention,
  dropout,
  type Embedding,
  embedding,
  type Gru,
  gru,
  type Module,
  type TiedDense,
  tiedDense,
} from "../../../nn/index.ts";
import { cast, concat, div, gather, maximum, mul, reduceMean, reduceSum, reshape } from "../../../ops/index.ts";
import { initial } from "../../shared/tokens.ts";
import { EncoderDecoder, type Memory } from "./encoder-decoder.ts";

/** Options of `RecurrentTranslator`. */
export interface RecurrentTranslatorOptions {
  /** Tokens of both languages. */
  readonly vocabulary: number;
  /** Features of a token and of a state; even. */
  readonly width: number;
  /** Which of the source's states a word looks at: by a small network, or by products. */
  readonly attention: "additive" | "dot";
  /** Rate at which features are dropped while training; default 0.1. */
  readonly dropout?: number;
}

const checkOptions = optionsOf<RecurrentTranslatorOptions>("recurrentTranslator", {
  vocabulary: required(count()),
  width: required(count()),
  attention: required(oneOf("additive", "dot")),
  dropout: fraction,
});

/**
 * A bidirectional GRU reads, another writes. Attention stands after the writing GRU, as in Luong et al. (2015, sec. 3, eq. 5), so
 * that all steps of a batch attend at once; Bahdanau's stands before it.
 */
export class RecurrentTranslator extends EncoderDecoder {
  readonly attentionPath = "attention";
  readonly embedding: Embedding;
  readonly encoder: Gru;
  readonly bridge: Dense;
  readonly decoder: Gru;
  readonly attention: AdditiveAttention | DotAttention;
  readonly combine: Dense;
  readonly dropout: Module;
  readonly output: TiedDense;
  constructor(options: RecurrentTranslatorOptions) {
    super();
    const { vocabulary, width, attention, dropout: rate = 0.1 } = checkOptions(options);
    if (width % 2 !== 0)
      throw new OptionError(`recurrentTranslator: width is ${width}; pass an even one, half for each direction`);
    this.embedding = embedding(vocabulary, width, { initializer: initial(width ** -0.5) });
    this.encoder = gru(width / 2, { bidirectional: true });
    this.bridge = dense(width, { activation: "tanh" });
    this.decoder = gru(width);
    this.attention = attention === "dot" ? dotAttention() : additiveAttention(width);
    this.combine = dense(width, { activation: "tanh" });
    this.dropout = dropout(rate);
    this.output = tiedDense(this.embedding);
  }
  encode(ids: Value, context: Context, mask?: Value): Value {
    const lengths = mask && reduceSum(cast(mask, "int32"), 1);
    return this.#drop(this.encoder.apply({ x: this.#embed(ids, context), lengths }, context), context);
  }
  decode(ids: Value, context: Context, { states, mask, at }: Memory): Value {
    const start = this.bridge.apply(meanOf(states, mask), context);
    const initial = { hidden: reshape(start, [1, ...start.shape]) };
    const every = this.decoder.apply({ x: this.#embed(ids, context), initial }, context); // [N, U, width]
    const own = at ? gather(every, at, 1) : every;
    const read = this.attention.apply({ x: own, memory: states, mask }, context);
    return this.#drop(this.combine.apply(concat([read, own], 2), context), context);
  }
  score(states: Value, context: Context): Value {
    return this.output.apply(states, context);
  }
  #embed(ids: Value, context: Context): Value {
    // As in the Transformer, so that a table that also scores is not too large at the beginning.
    return this.#drop(mul(this.embedding.apply(ids, context), Math.sqrt(this.embedding.width)), context);
  }
  #drop(x: Value, context: Context): Value {
    return this.dropout.apply(x, context);
  }
}

/** The mean of the states [N, S, width] that take part: [N, width]. */
function meanOf(states: Value, mask: Value | undefined): Value {
  if (!mask) return reduceMean(states, 1);
  const [batch = 1, time = 1] = mask.shape;
  const present = cast(reshape(mask, [batch, time, 1]), "float32");
  return div(reduceSum(mul(states, present), 1), maximum(reduceSum(present, 1), 1));
}
