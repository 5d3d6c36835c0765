/** Phi-1.5 and Phi-2 (Li et al. 2023): decoders whose attention and network take the same normalized input. */
import { count, flag } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm, type RotaryOptions } from "../../../nn/index.ts";
import { rotaryType } from "../../../nn/layers/positions.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of Phi's models. */
export interface PhiOptions extends DecoderOptions {
  /** Heads of keys and values, which divide those of queries; default as many. */
  readonly keyHeads?: number | undefined;
  /** How positions turn queries and keys; default the first half of a head's features. */
  readonly rotary?: RotaryOptions;
  /** Queries and keys of a head are normalized; default false. */
  readonly normalized?: boolean;
}

const checkOptions = optionsOf<PhiOptions>("phi", {
  ...decoderTypes,
  keyHeads: count(),
  rotary: rotaryType,
  normalized: flag,
});

const defaults = (options: PhiOptions) => {
  const { sizes } = options;
  const half = { width: sizes.width / sizes.heads / 2 };
  return { keyHeads: sizes.heads, rotary: half as RotaryOptions, normalized: false, ...decoderDefaults(options) };
};
type Settings = ReturnType<typeof defaults>;

function blockOf(options: Settings): TransformerBlock {
  const { width, heads, keyHeads = heads, epsilon, deviation, dropout: rate, attentionDropout } = options;
  const initializer = initial(deviation);
  const projection = (own: number) => dense((own * width) / heads, { initializer });
  const norm = () => layerNorm({ epsilon });
  const self_attn = new CausalAttention(
    { q_proj: projection(heads), k_proj: projection(keyHeads), v_proj: projection(keyHeads) },
    { dense: dense(width, { initializer }), resid_dropout: dropout(rate) },
    {
      heads,
      keyHeads,
      rotary: options.rotary,
      norms: options.normalized ? { q_layernorm: norm(), k_layernorm: norm() } : undefined,
      attend: { dropout: attentionDropout },
    },
  );
  const mlp = plainNetwork(["fc1", "fc2"], { ...options, bias: true, initializer }, rate);
  const input_layernorm = norm();
  return new TransformerBlock(
    { self_attn, mlp, input_layernorm },
    {
      parallel: true,
      attention: { part: self_attn, before: input_layernorm },
      network: { part: [mlp], before: input_layernorm },
    },
  );
}

/** Phi (Li et al. 2023): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class PhiModel extends Decoder {
  constructor(options: PhiOptions) {
    const settings = defaults(checkOptions(options));
    requireHeads("phi", settings);
    const embed_tokens = embedding(settings.vocabulary, settings.width, { initializer: initial(settings.deviation) });
    const embed_dropout = dropout(settings.embeddingDropout);
    const layers = Array.from({ length: settings.layers }, () => blockOf(settings));
    const final_layernorm = layerNorm({ epsilon: settings.epsilon });
    super(
      { embed_tokens, embed_dropout, layers, final_layernorm },
      {
        tokens: embed_tokens,
        embed: (vectors, context) => embed_dropout.apply(vectors, context),
        blocks: layers,
        finish: [final_layernorm],
        longest: settings.positions,
      },
    );
  }
}

/** Phi's models by the names of Hugging Face's classes. */
export const phiArchitectures = decoderArchitectures("Phi", {
  build: (options: PhiOptions) => new PhiModel(options),
  path: "model",
  scores: { bias: true },
  deviation: ({ details }) => details?.deviation,
});
