/** GPT-J (Wang and Komatsuzaki 2021): a decoder whose attention and network take the same normalized input, with rotary positions. */
import { count } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm } from "../../../nn/index.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of GPT-J's models. */
export interface GptJOptions extends DecoderOptions {
  /** Features of a head that positions turn; default all. */
  readonly turned?: number | undefined;
}

const checkOptions = optionsOf<GptJOptions>("gptj", { ...decoderTypes, turned: count() });

function blockOf(options: ReturnType<typeof decoderDefaults<GptJOptions>>): TransformerBlock {
  const { width, heads, turned, epsilon, deviation, dropout: rate, attentionDropout } = options;
  const initializer = initial(deviation);
  const projection = () => dense(width, { bias: false, initializer });
  const attn = new CausalAttention(
    { q_proj: projection(), k_proj: projection(), v_proj: projection() },
    { out_proj: projection(), resid_dropout: dropout(rate) },
    { heads, rotary: { width: turned, interleaved: true }, attend: { dropout: attentionDropout } },
  );
  const mlp = plainNetwork(["fc_in", "fc_out"], { ...options, bias: true, initializer }, rate);
  const ln_1 = layerNorm({ epsilon });
  return new TransformerBlock(
    { ln_1, attn, mlp },
    { parallel: true, attention: { part: attn, before: ln_1 }, network: { part: [mlp], before: ln_1 } },
  );
}

/** GPT-J (Wang and Komatsuzaki 2021): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class GptJModel extends Decoder {
  constructor(options: GptJOptions) {
    const settings = decoderDefaults(checkOptions(options));
    requireHeads("gptj", settings);
    const wte = embedding(settings.vocabulary, settings.width, { initializer: initial(settings.deviation) });
    const drop = dropout(settings.embeddingDropout);
    const h = Array.from({ length: settings.layers }, () => blockOf(settings));
    const ln_f = layerNorm({ epsilon: settings.epsilon });
    super(
      { wte, drop, h, ln_f },
      {
        tokens: wte,
        embed: (vectors, context) => drop.apply(vectors, context),
        blocks: h,
        finish: [ln_f],
        longest: settings.positions,
      },
    );
  }
}

/** GPT-J's models by the names of Hugging Face's classes. */
export const gptjArchitectures = decoderArchitectures("GPTJ", {
  build: (options: GptJOptions) => new GptJModel(options),
  path: "transformer",
  scores: { bias: true },
  deviation: ({ details }) => details?.deviation,
});
