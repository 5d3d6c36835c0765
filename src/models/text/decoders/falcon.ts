/** Falcon (Almazrouei et al. 2023): decoders whose queries share one head of keys, or few, beside their networks. */
import { count, flag, oneOf } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import { dense, dropout, embedding, layerNorm, type RotaryOptions } from "../../../nn/index.ts";
import { rotaryType } from "../../../nn/layers/positions.ts";
import { plainNetwork } from "../../shared/networks.ts";
import { initial, requireHeads } from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder, type DecoderOptions, decoderDefaults, decoderTypes } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** Options of Falcon's models. */
export interface FalconOptions extends Omit<DecoderOptions, "embeddingDropout"> {
  /** Heads of keys and values, which divide those of queries; default 1. */
  readonly keyHeads?: number;
  /** How positions turn queries and keys, or undefined for biases by distance in its place. */
  readonly rotary?: RotaryOptions | undefined;
  /** One after the other; side by side, with one norm or with one each; default side by side with one. */
  readonly branches?: "serial" | "parallel" | "parallel-norms";
  /** Projections have biases; default false. */
  readonly bias?: boolean;
}

const { embeddingDropout: _, ...types } = decoderTypes;
const checkOptions = optionsOf<FalconOptions>("falcon", {
  ...types,
  keyHeads: count(),
  rotary: rotaryType,
  branches: oneOf("serial", "parallel", "parallel-norms"),
  bias: flag,
});

const defaults = ({ details, ...options }: FalconOptions) => ({
  keyHeads: 1,
  branches: "parallel" as const,
  bias: false,
  ...decoderDefaults({ ...options, details: { activation: "gelu" as const, ...details } }),
});

function blockOf(options: ReturnType<typeof defaults>): TransformerBlock {
  const { width, heads, keyHeads, rotary, branches, bias, epsilon, deviation, dropout: rate } = options;
  const initializer = initial(deviation);
  const headWidth = width / heads;
  const self_attention = new CausalAttention(
    { query_key_value: dense((heads + 2 * keyHeads) * headWidth, { bias, initializer }) },
    { dense: dense(width, { bias, initializer }), dropout: dropout(rate) },
    {
      heads,
      keyHeads,
      grouped: true,
      rotary,
      // Biases are added before products are scaled.
      linearBias: rotary ? undefined : headWidth ** -0.5,
      attend: { dropout: options.attentionDropout },
    },
  );
  const mlp = plainNetwork(["dense_h_to_4h", "dense_4h_to_h"], { ...options, initializer }, rate);
  const [first, second] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  const norms = {
    serial: { input_layernorm: first, post_attention_layernorm: second },
    parallel: { input_layernorm: first },
    "parallel-norms": { ln_attn: first, ln_mlp: second },
  }[branches];
  return new TransformerBlock(
    { self_attention, mlp, ...norms },
    {
      parallel: branches !== "serial",
      attention: { part: self_attention, before: first },
      network: { part: [mlp], before: branches === "parallel" ? first : second },
    },
  );
}

/** Falcon (Almazrouei et al. 2023): token ids [N, T] → states [N, T, width], each of a token and those before it. */
export class FalconModel extends Decoder {
  constructor(options: FalconOptions) {
    const settings = defaults(checkOptions(options));
    requireHeads("falcon", settings);
    const { vocabulary, width, deviation, epsilon } = settings;
    const word_embeddings = embedding(vocabulary, width, { initializer: initial(deviation) });
    const h = Array.from({ length: settings.layers }, () => blockOf(settings));
    const ln_f = layerNorm({ epsilon });
    super(
      { word_embeddings, h, ln_f },
      { tokens: word_embeddings, blocks: h, finish: [ln_f], longest: settings.positions },
    );
  }
}

/** Falcon's models by the names of Hugging Face's classes. */
export const falconArchitectures = decoderArchitectures("Falcon", {
  build: (options: FalconOptions) => new FalconModel(options),
  path: "transformer",
  tied: true,
  tokenClassifier: "classifier",
  deviation: ({ details }) => details?.deviation,
});
