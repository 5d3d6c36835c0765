/** What decoders of tokens are put together from: blocks, and stacks of them under published names. */
import { fraction } from "../../../core/option-types.ts";
import { type OptionTypes, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import { type ActivationName, type Context, type Embedding, Module, type TensorModule } from "../../../nn/index.ts";
import {
  detailsType,
  requireTokens,
  sizesType,
  type TokenInputs,
  type TransformerDetails,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";

/** Options that decoders have. */
export interface DecoderOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** Rate at which the sums of embeddings are dropped while training; default that of the publication. */
  readonly embeddingDropout?: number | undefined;
}

export const decoderTypes: OptionTypes<DecoderOptions> = {
  sizes: required(sizesType),
  details: detailsType,
  embeddingDropout: fraction,
};

/** Options with the defaults of most decoders after GPT-3, which drop nothing. */
export const decoderDefaults = <O extends DecoderOptions>({ sizes, details, ...own }: O) => ({
  activation: "geluTanh" as ActivationName,
  dropout: 0,
  attentionDropout: 0,
  embeddingDropout: 0,
  epsilon: 1e-5,
  deviation: 0.02,
  ...sizes,
  ...details,
  ...own,
});

/** How a decoder computes. */
export interface DecoderForm {
  readonly tokens: Embedding;
  /** What is made of the tokens' vectors, [N, T, W]: positions, a norm, dropout; `mask` says which tokens take part. */
  readonly embed?: (vectors: Value, context: Context, mask: Value | undefined) => Value;
  readonly blocks: readonly Module<TokenInputs>[];
  /** Layers on the last block's states. */
  readonly finish?: readonly TensorModule[];
  /** The longest sequence; default no limit. */
  readonly longest?: number;
}

/** A causal decoder: token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class Decoder extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  /** Vectors of tokens, which scores may be tied to. */
  readonly #form: DecoderForm;
  constructor(parts: Readonly<Record<string, object | undefined>>, form: DecoderForm) {
    super();
    Object.assign(this, parts);
    this.#form = form;
  }
  /** Vectors of tokens, which scores may be tied to. */
  get tokens(): Embedding {
    return this.#form.tokens;
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    const { tokens, embed, blocks, finish = [], longest } = this.#form;
    requireTokens(ids, longest && longest - context.firstPosition);
    const vectors = tokens.apply(ids, context);
    const embedded = embed ? embed(vectors, context, mask) : vectors;
    const states = blocks.reduce((value, block) => block.apply({ x: value, mask }, context), embedded);
    return finish.reduce((value, layer) => layer.apply(value, context), states);
  }
}
