/** GPT-2 (Radford et al. 2019) and GPT-3 (Brown et al. 2020): decoders of tokens, with Hugging Face's names. */
import { ShapeError } from "../../../core/errors.ts";
import { optionsOf } from "../../../core/options.ts";
import { showShape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  activation,
  type Context,
  dropout,
  embedding,
  type Initializer,
  layerNorm,
  Module,
  positionEmbedding,
  zerosInit,
} from "../../../nn/index.ts";
import { linear } from "../../../ops/index.ts";
import { chain } from "../../shared/blocks.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import { initial, requireHeads, type TransformerSizes } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of `Gpt2Model`. */
export type Gpt2Options = DecoderOptions;

const checkOptions = optionsOf<Gpt2Options>("gpt2", decoderTypes);

/** What the paper drops. */
const rates = { dropout: 0.1, attentionDropout: 0.1 };
const defaults = ({ details, ...options }: Gpt2Options) =>
  decoderDefaults({ embeddingDropout: 0.1, ...options, details: { ...rates, ...details } });
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

function blockOf(options: Settings): TransformerBlock {
  const { width, heads, feedForward, epsilon, deviation, dropout: rate } = options;
  const attn = new CausalAttention(
    { c_attn: new Projection(3 * width, initial(deviation)) },
    { c_proj: new Projection(width, residualInit(options)), dropout: dropout(rate) },
    { heads, attend: { dropout: options.attentionDropout } },
  );
  const mlp = chain({
    c_fc: new Projection(feedForward, initial(deviation)),
    act: activation(options.activation),
    c_proj: new Projection(width, residualInit(options)),
    dropout: dropout(rate),
  });
  const [ln_1, ln_2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  return new TransformerBlock(
    { ln_1, attn, ln_2, mlp },
    { attention: { part: attn, before: ln_1 }, network: { part: [mlp], before: ln_2 } },
  );
}

/**
 * GPT-2 (Radford et al. 2019), a causal decoder: token ids [N, T] → states [N, T, width], each of a token and those
 * before it.
 */
export class Gpt2Model extends Decoder {
  constructor(options: Gpt2Options) {
    const settings = defaults(checkOptions(options));
    requireHeads("gpt2", settings);
    const initializer = initial(settings.deviation);
    const wte = embedding(settings.vocabulary, settings.width, { initializer });
    const wpe = positionEmbedding(settings.positions, { initializer });
    const drop = dropout(settings.embeddingDropout);
    const h = Array.from({ length: settings.layers }, () => blockOf(settings));
    const ln_f = layerNorm({ epsilon: settings.epsilon });
    super(
      { wte, wpe, drop, h, ln_f },
      {
        tokens: wte,
        embed: (vectors, context) => drop.apply(wpe.apply(vectors, context), context),
        blocks: h,
        finish: [ln_f],
        longest: settings.positions,
      },
    );
  }
}

/** GPT-2's models by the names of Hugging Face's classes. */
export const gpt2Architectures = decoderArchitectures(
  "GPT2",
  {
    build: (options: Gpt2Options) => new Gpt2Model(options),
    path: "transformer",
    tied: true,
    tokenClassifier: "classifier",
    deviation: ({ details }) => details?.deviation,
  },
  { causal: "LMHeadModel" },
);

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
