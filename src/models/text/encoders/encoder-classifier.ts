/** Classes of whole texts by the mean of an encoder's states. */

import { ShapeError } from "../../../core/errors.ts";
import { count, fraction } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import { showShape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import { type Context, type Dense, dense, dropout, Module } from "../../../nn/index.ts";
import { cast, div, equal, maximum, mul, not, reduceSum, reshape } from "../../../ops/index.ts";
import { type EncoderOutputs, statesOf } from "../../shared/heads.ts";
import { initial, requireTokens, type TokenInputs } from "../../shared/tokens.ts";

/** Options of `EncoderClassifier`. */
export interface EncoderClassifierOptions {
  /** Outputs. */
  readonly classes: number;
  /** Tokens that the encoder reads at a time, which divide a text's; default the whole text. */
  readonly window?: number;
  /** Rate at which features of the mean are dropped while training; default 0.1. */
  readonly dropout?: number;
}

const checkOptions = optionsOf<EncoderClassifierOptions>("EncoderClassifier", {
  classes: required(count()),
  window: count(),
  dropout: fraction,
});

/**
 * Token ids [N, T], padded with 0 at the end → scores [N, classes]: a dense layer on the mean of the states of a text's tokens, for
 * encoders that were not taught to put a text into its first token (Reimers and Gurevych 2019, sec. 3).
 */
export class EncoderClassifier extends Module {
  readonly encoder: Module<TokenInputs, Value | EncoderOutputs>;
  readonly dropout: Module;
  readonly classifier: Dense;
  readonly #window: number | undefined;
  constructor(encoder: Module<TokenInputs, Value | EncoderOutputs>, options: EncoderClassifierOptions) {
    super();
    const { classes, window, dropout: rate = 0.1 } = checkOptions(options);
    this.#window = window;
    this.encoder = encoder;
    this.dropout = dropout(rate);
    this.classifier = dense(classes, { initializer: initial() });
  }
  protected call(ids: Value, context: Context): Value {
    requireTokens(ids);
    const [batch = 1, time = 1] = ids.shape;
    const { width = time } = { width: this.#window };
    if (time % width !== 0)
      throw new ShapeError(
        `input ${showShape(ids.shape)} does not fall into windows of ${width} tokens; pad it to a multiple`,
      );
    const mask = not(equal(ids, 0));
    const rows = (x: Value) => reshape(x, [(batch * time) / width, width]);
    const found = statesOf(this.encoder.apply({ x: rows(ids), mask: rows(mask) }, context));
    const states = reshape(found, [batch, time, found.shape[2] ?? 1]);
    const present = cast(reshape(mask, [batch, time, 1]), states.dtype);
    const mean = div(reduceSum(mul(states, present), 1), maximum(reduceSum(present, 1), 1));
    return this.classifier.apply(this.dropout.apply(mean, context), context);
  }
}
