/** Classes of whole texts by the mean of an encoder's states. */
import type { Value } from "../graph/ir.ts";
import { type Context, type Dense, dense, dropout, Module } from "../nn/index.ts";
import { cast, div, equal, maximum, mul, not, reduceSum, reshape } from "../ops/index.ts";
import { initial, requireTokens, type TokenInputs } from "./tokens.ts";

export interface EncoderClassifierOptions {
  readonly classes: number;
  /** Rate at which features of the mean are dropped while training; default 0.1. */
  readonly dropout?: number;
}

/**
 * Token ids [N, T], padded with 0 behind → scores [N, classes]: a dense layer on the mean of the states of a text's tokens, for
 * encoders that were not taught to put a text into its first token (Reimers and Gurevych 2019, sec. 3).
 */
export class EncoderClassifier extends Module {
  readonly kind = "container";
  readonly encoder: Module<TokenInputs>;
  readonly dropout: Module;
  readonly classifier: Dense;
  constructor(encoder: Module<TokenInputs>, { classes, dropout: rate = 0.1 }: EncoderClassifierOptions) {
    super();
    this.encoder = encoder;
    this.dropout = dropout(rate);
    this.classifier = dense(classes, { initializer: initial() });
  }
  protected call(ids: Value, context: Context): Value {
    requireTokens(ids);
    const [batch = 1, time = 1] = ids.shape;
    const mask = not(equal(ids, 0));
    const states = this.encoder.apply(ids, context, { mask }); // [N, T, W]
    const present = cast(reshape(mask, [batch, time, 1]), states.dtype);
    const mean = div(reduceSum(mul(states, present), 1), maximum(reduceSum(present, 1), 1));
    return this.classifier.apply(this.dropout.apply(mean, context), context);
  }
}
