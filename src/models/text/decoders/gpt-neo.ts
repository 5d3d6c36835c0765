/** GPT-Neo (Black et al. 2021): GPT-2 with every other layer attending to a window, and products that are not scaled. */
import { matching } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm, positionEmbedding } from "../../../nn/index.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of GPT-Neo's models. */
export interface GptNeoOptions extends DecoderOptions {
  /** How many tokens a token attends to in each layer, itself included; default all before it. */
  readonly windows?: readonly (number | undefined)[];
}

const checkOptions = optionsOf<GptNeoOptions>("gpt_neo", {
  ...decoderTypes,
  windows: matching("a number of tokens or undefined for each layer", Array.isArray),
});

function blockOf(options: ReturnType<typeof decoderDefaults<GptNeoOptions>>, layer: number): TransformerBlock {
  const { width, heads, windows, epsilon, deviation, dropout: rate, attentionDropout } = options;
  const initializer = initial(deviation);
  const projection = (bias: boolean) => dense(width, { bias, initializer });
  const attention = new CausalAttention(
    { q_proj: projection(false), k_proj: projection(false), v_proj: projection(false) },
    { out_proj: projection(true), resid_dropout: dropout(rate) },
    { heads, attend: { scale: 1, window: windows?.[layer], dropout: attentionDropout } },
  );
  const mlp = plainNetwork(["c_fc", "c_proj"], { ...options, bias: true, initializer }, rate);
  const [ln_1, ln_2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  return new TransformerBlock(
    { ln_1, attn: { attention }, ln_2, mlp },
    { attention: { part: attention, before: ln_1 }, network: { part: [mlp], before: ln_2 } },
  );
}

/** GPT-Neo (Black et al. 2021): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class GptNeoModel extends Decoder {
  constructor(options: GptNeoOptions) {
    const settings = decoderDefaults(checkOptions(options));
    requireHeads("gpt_neo", settings);
    const initializer = initial(settings.deviation);
    const wte = embedding(settings.vocabulary, settings.width, { initializer });
    const wpe = positionEmbedding(settings.positions, { initializer });
    const drop = dropout(settings.embeddingDropout);
    const h = Array.from({ length: settings.layers }, (_, i) => blockOf(settings, i));
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

/** GPT-Neo's models by the names of Hugging Face's classes. */
export const gptNeoArchitectures = decoderArchitectures("GPTNeo", {
  build: (options: GptNeoOptions) => new GptNeoModel(options),
  path: "transformer",
  tied: true,
  tokenClassifier: "classifier",
  deviation: ({ details }) => details?.deviation,
});
