/** GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023): decoders whose attention and network run side by side. */
import { flag } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm, type RotaryOptions } from "../../../nn/index.ts";
import { rotaryType } from "../../../nn/layers/positions.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of GPT-NeoX's models. */
export interface GptNeoXOptions extends DecoderOptions {
  /** How positions turn queries and keys; default a quarter of a head's features. */
  readonly rotary?: RotaryOptions;
  /** Attention's projections have biases; default true. */
  readonly attentionBias?: boolean;
  /** Attention and network take the same input; default true. */
  readonly parallel?: boolean;
}

const checkOptions = optionsOf<GptNeoXOptions>("gpt_neox", {
  ...decoderTypes,
  rotary: rotaryType,
  attentionBias: flag,
  parallel: flag,
});

const defaults = ({ details, ...options }: GptNeoXOptions) => {
  const { sizes } = options;
  const quarter = { width: Math.floor(sizes.width / sizes.heads / 4) };
  return {
    rotary: quarter as RotaryOptions,
    attentionBias: true,
    parallel: true,
    ...decoderDefaults({ ...options, details: { activation: "gelu", ...details } }),
  };
};

function blockOf(options: ReturnType<typeof defaults>): TransformerBlock {
  const { width, heads, rotary, attentionBias: bias, parallel, epsilon, deviation, dropout: rate } = options;
  const initializer = initial(deviation);
  const attention = new CausalAttention(
    { query_key_value: dense(3 * width, { bias, initializer }) },
    { dense: dense(width, { bias, initializer }), dropout: dropout(rate) },
    { heads, grouped: true, rotary, attend: { dropout: options.attentionDropout } },
  );
  const mlp = plainNetwork(["dense_h_to_4h", "dense_4h_to_h"], { ...options, bias: true, initializer }, rate);
  const [input_layernorm, post_attention_layernorm] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  return new TransformerBlock(
    { input_layernorm, post_attention_layernorm, attention, mlp },
    {
      parallel,
      attention: { part: attention, before: input_layernorm },
      network: { part: [mlp], before: post_attention_layernorm },
    },
  );
}

/** GPT-NeoX (Black et al. 2022): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class GptNeoXModel extends Decoder {
  constructor(options: GptNeoXOptions) {
    const settings = defaults(checkOptions(options));
    requireHeads("gpt_neox", settings);
    const embed_in = embedding(settings.vocabulary, settings.width, { initializer: initial(settings.deviation) });
    const emb_dropout = dropout(settings.dropout);
    const layers = Array.from({ length: settings.layers }, () => blockOf(settings));
    const final_layer_norm = layerNorm({ epsilon: settings.epsilon });
    super(
      { embed_in, emb_dropout, layers, final_layer_norm },
      {
        tokens: embed_in,
        embed: (vectors, context) => emb_dropout.apply(vectors, context),
        blocks: layers,
        finish: [final_layer_norm],
        longest: settings.positions,
      },
    );
  }
}

/** GPT-NeoX's models by the names of Hugging Face's classes. */
export const gptNeoXArchitectures = decoderArchitectures("GPTNeoX", {
  build: (options: GptNeoXOptions) => new GptNeoXModel(options),
  path: "gpt_neox",
  scores: { name: "embed_out" },
  tokenClassifier: "classifier",
  deviation: ({ details }) => details?.deviation,
});
