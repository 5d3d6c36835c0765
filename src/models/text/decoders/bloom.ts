/** BLOOM (BigScience 2022): a decoder whose heads weigh keys by their distance, without vectors of positions. */
import { flag } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm } from "../../../nn/index.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of BLOOM's models. */
export interface BloomOptions extends Omit<DecoderOptions, "embeddingDropout"> {
  /** Branches are added to the normalized input rather than to the input; default false. */
  readonly normalizedSums?: boolean;
}

const { embeddingDropout: _, ...types } = decoderTypes;
const checkOptions = optionsOf<BloomOptions>("bloom", { ...types, normalizedSums: flag });

function blockOf(options: ReturnType<typeof decoderDefaults<BloomOptions>>): TransformerBlock {
  const { width, heads, normalizedSums, epsilon, deviation, dropout: rate } = options;
  const initializer = initial(deviation);
  const self_attention = new CausalAttention(
    { query_key_value: dense(3 * width, { initializer }) },
    { dense: dense(width, { initializer }), dropout: dropout(rate) },
    { heads, grouped: true, linearBias: 1, attend: { dropout: options.attentionDropout } },
  );
  const mlp = plainNetwork(["dense_h_to_4h", "dense_4h_to_h"], { ...options, bias: true, initializer }, rate);
  const [input_layernorm, post_attention_layernorm] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  return new TransformerBlock(
    { input_layernorm, self_attention, post_attention_layernorm, mlp },
    {
      normalizedSums,
      attention: { part: self_attention, before: input_layernorm },
      network: { part: [mlp], before: post_attention_layernorm },
    },
  );
}

/** BLOOM (BigScience 2022): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class BloomModel extends Decoder {
  constructor(options: BloomOptions) {
    const settings = decoderDefaults(checkOptions(options));
    requireHeads("bloom", settings);
    const { vocabulary, width, epsilon } = settings;
    const word_embeddings = embedding(vocabulary, width, { initializer: initial(settings.deviation) });
    const [word_embeddings_layernorm, ln_f] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
    const h = Array.from({ length: settings.layers }, () => blockOf(settings));
    super(
      { word_embeddings, word_embeddings_layernorm, h, ln_f },
      {
        tokens: word_embeddings,
        embed: (vectors, context) => word_embeddings_layernorm.apply(vectors, context),
        blocks: h,
        finish: [ln_f],
        longest: settings.positions,
      },
    );
  }
}

/** BLOOM's models by the names of Hugging Face's classes. */
export const bloomArchitectures = decoderArchitectures("Bloom", {
  build: (options: BloomOptions) => new BloomModel(options),
  path: "transformer",
  tied: true,
  tokenClassifier: "classifier",
  deviation: ({ details }) => details?.deviation,
});
