/** The Transformer (Vaswani et al. 2017): an encoder and a decoder, named as PyTorch's nn.Transformer names them. */
import { fraction } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  embedding,
  type LayerNorm,
  layerNorm,
  Module,
  type MultiHeadAttention,
  multiHeadAttention,
  sinusoidal,
  type TiedDense,
  tiedDense,
} from "../../../nn/index.ts";
import { add, gather, mul, relu } from "../../../ops/index.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import { initial, sizesTypes, type TokenInputs, type TransformerSizes, tokenInputs } from "../../shared/tokens.ts";
import { EncoderDecoder, type Memory } from "./encoder-decoder.ts";

/** Options of `Transformer`. */
export interface TransformerOptions extends Omit<TransformerSizes, "positions"> {
  /** Rate at which what a sublayer adds is dropped while training, and sums of embeddings (sec. 5.4); default 0.1. */
  readonly dropout?: number;
}

const { positions: _, ...extents } = sizesTypes;
const checkOptions = optionsOf<TransformerOptions>("transformer", { ...extents, dropout: fraction });

type Settings = Required<TransformerOptions>;

/** What both kinds of layer have: attention of tokens to one another, a feed-forward network, norms of sums (sec. 3.1). */
abstract class Layer<I> extends Module<I> {
  readonly self_attn: MultiHeadAttention;
  readonly linear1: Dense;
  readonly linear2: Dense;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Module;
  constructor({ width, heads, feedForward, dropout: rate }: Settings, causal: boolean) {
    super();
    this.self_attn = multiHeadAttention(width, heads, { causal });
    this.linear1 = dense(feedForward);
    this.linear2 = dense(width);
    this.norm1 = layerNorm();
    this.norm2 = layerNorm();
    this.dropout = dropout(rate);
  }
  protected feedForward(x: Value, context: Context): Value {
    return this.linear2.apply(relu(this.linear1.apply(x, context)), context);
  }
  /** The norm of x and what a sublayer made of it. */
  protected sum(norm: LayerNorm, x: Value, change: Value, context: Context): Value {
    return norm.apply(add(x, this.dropout.apply(change, context)), context);
  }
}

class EncoderLayer extends Layer<TokenInputs> {
  override readonly inputs = tokenInputs;
  constructor(options: Settings) {
    super(options, false);
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const attended = this.sum(this.norm1, x, this.self_attn.apply({ x, mask }, context), context);
    return this.sum(this.norm2, attended, this.feedForward(attended, context), context);
  }
}

type MemoryInputs = { readonly x: Value; readonly memory: Value; readonly mask?: Value | undefined };

class DecoderLayer extends Layer<MemoryInputs> {
  override readonly inputs = { x: "required", memory: "required", mask: "optional" } as const;
  readonly multihead_attn: MultiHeadAttention;
  readonly norm3: LayerNorm;
  constructor(options: Settings) {
    super(options, true);
    this.multihead_attn = multiHeadAttention(options.width, options.heads);
    this.norm3 = layerNorm();
  }
  protected call({ x, memory, mask }: MemoryInputs, context: Context): Value {
    const own = this.sum(this.norm1, x, this.self_attn.apply(x, context), context);
    const attended = this.sum(this.norm2, own, this.multihead_attn.apply({ x: own, memory, mask }, context), context);
    return this.sum(this.norm3, attended, this.feedForward(attended, context), context);
  }
}

/**
 * The transformer (Vaswani et al. 2017): token ids [N, T] and those of the decoder [N, U] → scores of the decoder's
 * next token, [N, U, vocabulary].
 */
export class Transformer extends EncoderDecoder {
  readonly attentionPath: string;
  readonly embedding: Embedding;
  readonly encoder: { readonly layers: readonly EncoderLayer[] };
  readonly decoder: { readonly layers: readonly DecoderLayer[] };
  readonly dropout: Module;
  readonly output: TiedDense;
  constructor(options: TransformerOptions) {
    super();
    const settings = { dropout: 0.1, ...checkOptions(options) };
    this.attentionPath = `decoder.layers.${options.layers - 1}.multihead_attn`;
    // Scaled by √width in use, so that a token weighs as much as its position.
    this.embedding = embedding(options.vocabulary, options.width, { initializer: initial(options.width ** -0.5) });
    this.encoder = { layers: Array.from({ length: options.layers }, () => new EncoderLayer(settings)) };
    this.decoder = { layers: Array.from({ length: options.layers }, () => new DecoderLayer(settings)) };
    this.dropout = dropout(settings.dropout);
    this.output = tiedDense(this.embedding);
  }
  encode(ids: Value, context: Context, mask?: Value): Value {
    return this.encoder.layers.reduce(
      (states, layer) => layer.apply({ x: states, mask }, context),
      this.#embed(ids, context),
    );
  }
  decode(ids: Value, context: Context, { states: memory, mask, at }: Memory): Value {
    const every = this.decoder.layers.reduce(
      (states, layer) => layer.apply({ x: states, memory, mask }, context),
      this.#embed(ids, context),
    );
    return at ? gather(every, at, 1) : every;
  }
  score(states: Value, context: Context): Value {
    return this.output.apply(states, context);
  }
  /** Sec. 3.4 and 3.5. */
  #embed(ids: Value, context: Context): Value {
    const { width } = this.embedding;
    const scaled = mul(this.embedding.apply(ids, context), Math.sqrt(width));
    return this.dropout.apply(add(scaled, sinusoidal(ids.shape[1] ?? 1, width)), context);
  }
}

/**
 * Table 3, "base". The paper rounds its parameters to 65 million and states "about 37000 tokens" of a vocabulary that
 * both embeddings and the scores share: with 37,000 they are 63,082,496.
 */
const base: TransformerOptions = { vocabulary: 37_000, width: 512, layers: 6, heads: 8, feedForward: 2048 };

export const transformerPresets: readonly Preset[] = [
  tokenPreset(
    {
      name: "transformer_base",
      summary: "encoder and decoder of 6 layers each, with sinusoidal positions and one matrix for all embeddings",
      source: "Vaswani et al. 2017, Attention Is All You Need",
    },
    // Sinusoids have no end; pairs of sentences are shorter than this.
    { positions: 512, decoder: true },
    () => new Transformer(base),
  ),
];
