/** GPT-2 (Radford et al. 2019) and GPT-3 (Brown et al. 2020): decoders of tokens, with Hugging Face's names. */

import { ShapeError } from "../../../core/errors.ts";
import { fraction } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import { showShape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  activation,
  attend,
  type Context,
  type Dense,
  dense,
  dropout,
  type Embedding,
  embedding,
  type Initializer,
  joinHeads,
  type LayerNorm,
  layerNorm,
  Module,
  type PositionEmbedding,
  positionEmbedding,
  splitHeads,
  type TiedDense,
  tiedDense,
  zerosInit,
} from "../../../nn/index.ts";
import { add, linear, split } from "../../../ops/index.ts";
import { type Chain, chain } from "../../shared/blocks.ts";
import { type Architectures, architectures, headed } from "../../shared/heads.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  requireTokens,
  sizesType,
  type TokenInputs,
  type TransformerDetails,
  type TransformerSizes,
  tokenInputs,
} from "../../shared/tokens.ts";

/** Options of `Gpt2Model`. */
export interface Gpt2Options {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** Rate at which the sums of embeddings are dropped while training; default 0.1. */
  readonly embeddingDropout?: number;
}

const checkOptions = optionsOf<Gpt2Options>("gpt2", {
  sizes: required(sizesType),
  details: detailsType,
  embeddingDropout: fraction,
});

const defaults = ({ sizes, details, ...own }: Gpt2Options) => ({
  activation: "geluTanh" as const,
  dropout: 0.1,
  attentionDropout: 0.1,
  embeddingDropout: 0.1,
  epsilon: 1e-5,
  deviation: 0.02,
  ...sizes,
  ...details,
  ...own,
});
type Settings = ReturnType<typeof defaults>;

/** x W + b over the last axis, with W stored [in, out] as GPT-2 was released: [..., in] → [..., out]. */
class Projection extends Module {
  override readonly kind = "dense";
  readonly units: number;
  readonly #initializer: Initializer;
  constructor(units: number, initializer: Initializer) {
    super();
    this.units = units;
    this.#initializer = initializer;
  }
  protected call(x: Value, context: Context): Value {
    if (x.rank < 2)
      throw new ShapeError(`input ${showShape(x.shape)} needs a batch and a feature axis; pass [batch, …, features]`);
    const shape = [x.shape.at(-1) ?? 1, this.units];
    const w = context.parameter(this, "weight", { shape, initializer: this.#initializer });
    const b = context.parameter(this, "bias", { shape: [this.units], initializer: zerosInit });
    return linear(x, w, b, { inFirst: true });
  }
}

/** Layers that write to the sum of all layers start smaller, the more there are (Radford et al. 2019, sec. 2.3). */
const residualInit = ({ deviation, layers }: Settings) => initial(deviation / Math.sqrt(2 * layers));

class Attention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly c_attn: Projection;
  readonly c_proj: Projection;
  readonly dropout: Module;
  readonly #options: Settings;
  constructor(options: Settings) {
    super();
    this.c_attn = new Projection(3 * options.width, initial(options.deviation));
    this.c_proj = new Projection(options.width, residualInit(options));
    this.dropout = dropout(options.dropout);
    this.#options = options;
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { width, heads, attentionDropout } = this.#options;
    const parts = split(this.c_attn.apply(x, context), [width, width, width], 2);
    const [q, k, v] = parts.map((part) => splitHeads(part, heads)) as [Value, Value, Value];
    const found = attend(q, k, v, { causal: true, mask, dropout: attentionDropout }, context);
    return this.dropout.apply(this.c_proj.apply(joinHeads(found), context), context);
  }
}

class Block extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly ln_1: LayerNorm;
  readonly attn: Attention;
  readonly ln_2: LayerNorm;
  readonly mlp: Chain;
  constructor(options: Settings) {
    super();
    const { epsilon } = options;
    this.ln_1 = layerNorm({ epsilon });
    this.attn = new Attention(options);
    this.ln_2 = layerNorm({ epsilon });
    this.mlp = chain({
      c_fc: new Projection(options.feedForward, initial(options.deviation)),
      act: activation(options.activation),
      c_proj: new Projection(options.width, residualInit(options)),
      dropout: dropout(options.dropout),
    });
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const attended = add(x, this.attn.apply({ x: this.ln_1.apply(x, context), mask }, context));
    return add(attended, this.mlp.apply(this.ln_2.apply(attended, context), context));
  }
}

/**
 * GPT-2 (Radford et al. 2019), a causal decoder: token ids [N, T] → states [N, T, width], each of a token and those
 * before it.
 */
export class Gpt2Model extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly wte: Embedding;
  readonly wpe: PositionEmbedding;
  readonly drop: Module;
  readonly h: readonly Block[];
  readonly ln_f: LayerNorm;
  constructor(options: Gpt2Options) {
    super();
    const settings = defaults(checkOptions(options));
    requireHeads("gpt2", settings);
    const initializer = initial(settings.deviation);
    this.wte = embedding(settings.vocabulary, settings.width, { initializer });
    this.wpe = positionEmbedding(settings.positions, { initializer });
    this.drop = dropout(settings.embeddingDropout);
    this.h = Array.from({ length: settings.layers }, () => new Block(settings));
    this.ln_f = layerNorm({ epsilon: settings.epsilon });
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    requireTokens(ids, this.wpe.count);
    const embedded = this.drop.apply(this.wpe.apply(this.wte.apply(ids, context), context), context);
    const states = this.h.reduce((value, block) => block.apply({ x: value, mask }, context), embedded);
    return this.ln_f.apply(states, context);
  }
}

const scorer = (table: Embedding, { sizes, details }: Gpt2Options, tied = true): TiedDense | Dense =>
  tied ? tiedDense(table) : dense(sizes.vocabulary, { bias: false, initializer: initial(details?.deviation) });

/** GPT-2's models by the names of Hugging Face's classes. */
export const gpt2Architectures = architectures({
  GPT2Model: (options) => new Gpt2Model(options),
  GPT2LMHeadModel: (options, { tied } = {}) => {
    const transformer = new Gpt2Model(options);
    return headed({ transformer }, { lm_head: scorer(transformer.wte, options, tied) });
  },
} as const satisfies Architectures<Gpt2Options>);

/** Sizes of a model whose feed-forward networks have four times its width. */
const sized = (width: number, layers: number, heads: number, positions: number): TransformerSizes => ({
  vocabulary: 50_257,
  width,
  layers,
  heads,
  feedForward: 4 * width,
  positions,
});

const gpt2 = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners";
/**
 * Table 2 of Radford et al. 2019, with heads as released, and table 2.1 of Brown et al. 2020. In GPT-3 every other layer
 * attends in locally banded sparse patterns, which have no parameters and are not published in detail: here every layer
 * attends to all tokens before.
 */
const sizes = {
  gpt2: { size: sized(768, 12, 12, 1024), source: gpt2 },
  gpt2_medium: { size: sized(1024, 24, 16, 1024), source: gpt2 },
  gpt2_large: { size: sized(1280, 36, 20, 1024), source: gpt2 },
  gpt2_xl: { size: sized(1600, 48, 25, 1024), source: gpt2 },
  gpt3_175b: { size: sized(12_288, 96, 96, 2048), source: "Brown et al. 2020, Language Models are Few-Shot Learners" },
};

export const gpt2Presets: readonly Preset[] = Object.entries(sizes).map(([name, { size, source }]) =>
  tokenPreset(
    { name, summary: `decoder of ${size.layers} pre-normalized layers, with the scores of the next token`, source },
    size,
    () => gpt2Architectures.GPT2LMHeadModel({ sizes: size }),
  ),
);
