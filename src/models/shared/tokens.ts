/** What models of tokens have in common: their sizes, inputs and initial weights, and self-attention. */

import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, fraction, nameOrFunction, nonNegative } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activationFunctions,
  attendHeads,
  type Context,
  type Dense,
  dense,
  type Initializer,
  Module,
  type NamedInputs,
  normalInit,
} from "../../nn/index.ts";

/** The extents of a transformer of tokens. */
export interface TransformerSizes {
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** Features of a token's state. */
  readonly width: number;
  /** Layers on top of one another. */
  readonly layers: number;
  /** Parts in which a layer attends; they divide the width. */
  readonly heads: number;
  /** Features inside a layer's feed-forward network. */
  readonly feedForward: number;
  /** The longest sequence. */
  readonly positions: number;
}

/** How a transformer computes and starts, where that is not as published. */
export interface TransformerDetails {
  /** Of the feed-forward networks; default that of the publication. */
  readonly activation?: ActivationName;
  /** Rate at which states are dropped while training; default that of the publication. */
  readonly dropout?: number;
  /** Rate at which attention weights are dropped while training; default that of the publication. */
  readonly attentionDropout?: number;
  /** Added to variances; default that of the publication. */
  readonly epsilon?: number;
  /** Standard deviation of the initial weights; default 0.02. */
  readonly deviation?: number;
}

export const sizesTypes: OptionTypes<TransformerSizes> = {
  vocabulary: required(count()),
  width: required(count()),
  layers: required(count(0)),
  heads: required(count()),
  feedForward: required(count()),
  positions: required(count()),
};
export const sizesType = optionsOf("sizes", sizesTypes).type;

export const detailsType = optionsOf<TransformerDetails>("details", {
  activation: nameOrFunction<ActivationName>(activationFunctions),
  dropout: fraction,
  attentionDropout: fraction,
  epsilon: nonNegative,
  deviation: nonNegative,
}).type;

/** What an encoder of tokens takes; within a model x are states, [N, T, width]. */
export type TokenInputs = {
  /** Token ids, integers [N, T]. */
  readonly x: Value;
  /** Which tokens take part, [N, T]: 1 for those that do; default all. */
  readonly mask?: Value | undefined;
};
export const tokenInputs = { x: "required", mask: "optional" } as const satisfies NamedInputs;

/** What an encoder of sentences in pairs takes. */
export type SegmentInputs = TokenInputs & {
  /** The segment that each token is of, integers [N, T]; default 0. */
  readonly types?: Value | undefined;
};
export const segmentInputs = { ...tokenInputs, types: "optional" } as const satisfies NamedInputs;

/** Initial weights of most transformers. */
export const initial = (deviation = 0.02): Initializer => normalInit(0, deviation);

/** Throws OptionError unless the heads divide the width. */
export function requireHeads(where: string, { width, heads }: Pick<TransformerSizes, "width" | "heads">): void {
  if (width % heads !== 0)
    throw new OptionError(`${where}: ${heads} heads do not divide the width ${width}; pass a divisor of it`);
}

/** Throws ShapeError unless ids are [N, T] with T at most `longest`. */
export function requireTokens(ids: Value, longest = Number.POSITIVE_INFINITY): void {
  if (ids.rank !== 2)
    throw new ShapeError(`input ${showShape(ids.shape)} is no batch of token sequences; pass ids [batch, time]`);
  const [, time = 0] = ids.shape;
  if (time > longest)
    throw new ShapeError(
      `input ${showShape(ids.shape)} has ${time} tokens, the model has ${longest} positions; cut it`,
    );
}

interface SelfAttentionOptions {
  readonly width: number;
  readonly heads: number;
  /** Rate at which attention weights are dropped while training. */
  readonly dropout: number;
  readonly initializer: Initializer;
  /** Default true. */
  readonly bias?: boolean;
}

/** Attention of tokens to one another, before the projection of what the heads found. */
export class SelfAttention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly query: Dense;
  readonly key: Dense;
  readonly value: Dense;
  readonly #options: SelfAttentionOptions;
  constructor(options: SelfAttentionOptions) {
    super();
    const { width, bias = true, initializer } = options;
    const projection = () => dense(width, { bias, initializer });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.#options = options;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { heads, dropout } = this.#options;
    const { query, key, value } = this;
    return attendHeads(x, context, { query, key, value, heads, attention: { mask, dropout } });
  }
}

/** What an encoder with a decoder takes. */
export type DecoderInputs = {
  /** Token ids of the encoder, integers [N, T]. */
  readonly x: Value;
  /** Ids that the decoder continues, integers [N, U]. */
  readonly decoder: Value;
  /** Which of the encoder's tokens take part, [N, T]; default all. */
  readonly mask?: Value | undefined;
};
export const decoderInputs = { x: "required", decoder: "required", mask: "optional" } as const satisfies NamedInputs;
