/** Llama (Touvron et al. 2023) and the decoders that compute alike: Mistral, Mixtral, Qwen, Gemma, Phi-3 and SmolLM. */
import { count, flag, listOf, matching, number, oneOf, positive } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import {
  type ActivationName,
  dense,
  embedding,
  type RmsNorm,
  type RotaryOptions,
  rmsNorm,
  type TensorModule,
} from "../../../nn/index.ts";
import { mul } from "../../../ops/index.ts";
import { Experts, GatedNetwork } from "../../shared/networks.ts";
import { type Preset, tokenPreset } from "../../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  sizesType,
  type TransformerDetails,
  type TransformerSizes,
} from "../../shared/tokens.ts";
import { TransformerBlock } from "../../shared/transformer-block.ts";
import { CausalAttention } from "./attention.ts";
import { Decoder } from "./decoder.ts";
import { decoderArchitectures } from "./heads.ts";

/** How layers attend. */
export interface LlamaAttention {
  /** Heads of keys and values, which divide those of queries; default as many. */
  readonly keyHeads?: number | undefined;
  /** Features of a head; default width / heads. */
  readonly headWidth?: number | undefined;
  /** Which projections have a bias: those of the input (Qwen2), also that of the output, or none; default none. */
  readonly bias?: "none" | "inputs" | "all";
  /** How many tokens a token attends to in each layer, itself included (Beltagy et al. 2020); default all before it. */
  readonly windows?: readonly (number | undefined)[];
  /** Queries and keys of a head are normalized (Henry et al. 2020), as in Qwen3 and Gemma 3; default false. */
  readonly normalized?: boolean;
  /** Factor of the products of queries and keys; default 1/√headWidth. */
  readonly scale?: number | undefined;
  /** Products x become cap · tanh(x / cap), as in Gemma 2; default as they are. */
  readonly cap?: number | undefined;
}

/** Experts in place of feed-forward networks (Jiang et al. 2024). */
export interface LlamaExperts {
  /** How many experts there are. */
  readonly count: number;
  /** How many a token is given to. */
  readonly perToken: number;
  /** Features inside an expert; default `sizes.feedForward`. */
  readonly feedForward?: number | undefined;
  /** The shares of a token's experts sum to 1; default true. */
  readonly normalized?: boolean;
  /** Whether a layer has experts rather than one network, for each; default all have. */
  readonly layers?: readonly boolean[];
  /** Names of their layers, as Mixtral published them or as Qwen; default Mixtral's. */
  readonly names?: "mixtral" | "qwen";
}

/** What sets families of one computation apart. */
export interface LlamaVariant {
  /** One projection makes queries, keys and values, another gate and inner features, as in Phi-3; default false. */
  readonly joined?: boolean;
  /** The outputs of attention and network are normalized too, before they are added, as in Gemma 2; default false. */
  readonly sandwiched?: boolean;
  /** Norms add 1 to their weight, and vectors of tokens are times the root of the width, as in Gemma; default false. */
  readonly gemma?: boolean;
  /** Scores x of tokens become cap · tanh(x / cap), as in Gemma 2; default as they are. */
  readonly scoreCap?: number | undefined;
}

/** Options of `LlamaModel`. */
export interface LlamaOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `dropout`. */
  readonly details?: Omit<TransformerDetails, "dropout"> | undefined;
  /** How layers attend; by default as those of Llama. */
  readonly attention?: LlamaAttention;
  /** How positions turn queries and keys: in all layers, or in each, where undefined means not at all. */
  readonly rotary?: RotaryOptions | readonly (RotaryOptions | undefined)[];
  /** The feed-forward networks have biases; default false. */
  readonly feedForwardBias?: boolean;
  /** Experts in place of feed-forward networks; default none. */
  readonly experts?: LlamaExperts | undefined;
  /** What sets its family apart; default nothing. */
  readonly variant?: LlamaVariant;
}

const checkOptions = optionsOf<LlamaOptions>("llama", {
  sizes: required(sizesType),
  details: detailsType,
  attention: optionsOf<LlamaAttention>("attention", {
    keyHeads: count(),
    headWidth: count(),
    bias: oneOf("none", "inputs", "all"),
    windows: matching("a number of tokens or undefined for each layer", Array.isArray),
    normalized: flag,
    scale: number,
    cap: positive,
  }).type,
  rotary: matching("options of rotary, or a list of them", (value) => typeof value === "object" && value !== null),
  feedForwardBias: flag,
  experts: optionsOf<LlamaExperts>("experts", {
    count: required(count()),
    perToken: required(count()),
    feedForward: count(),
    normalized: flag,
    layers: listOf(flag, "true or false for each layer"),
    names: oneOf("mixtral", "qwen"),
  }).type,
  variant: optionsOf<LlamaVariant>("variant", { joined: flag, sandwiched: flag, gemma: flag, scoreCap: positive }).type,
});

const defaults = ({ sizes, details, attention, ...own }: LlamaOptions) => ({
  activation: "silu" as ActivationName,
  attentionDropout: 0,
  epsilon: 1e-6,
  deviation: 0.02,
  rotary: {},
  feedForwardBias: false,
  variant: {} as LlamaVariant,
  ...sizes,
  ...details,
  ...own,
  attention: {
    bias: "none" as const,
    normalized: false,
    ...attention,
    keyHeads: attention?.keyHeads ?? sizes.heads,
    headWidth: attention?.headWidth ?? sizes.width / sizes.heads,
  },
});
type Settings = ReturnType<typeof defaults>;

const normOf = ({ epsilon, variant }: Settings): RmsNorm => rmsNorm({ epsilon, ...(variant.gemma && { offset: 1 }) });

function attentionOf(options: Settings, layer: number): CausalAttention {
  const { width, heads, attention, deviation, rotary, variant } = options;
  const { keyHeads, headWidth, bias, windows, normalized, scale, cap } = attention;
  const initializer = initial(deviation);
  const projection = (count: number) => dense(count * headWidth, { bias: bias !== "none", initializer });
  const projections: Readonly<Record<string, TensorModule>> = variant.joined
    ? { qkv_proj: projection(heads + 2 * keyHeads) }
    : { q_proj: projection(heads), k_proj: projection(keyHeads), v_proj: projection(keyHeads) };
  const turning: RotaryOptions | undefined = Array.isArray(rotary) ? rotary[layer] : (rotary as RotaryOptions);
  return new CausalAttention(
    projections,
    { o_proj: dense(width, { bias: bias === "all", initializer }) },
    {
      heads,
      keyHeads,
      rotary: turning,
      norms: normalized ? { q_norm: normOf(options), k_norm: normOf(options) } : undefined,
      attend: {
        window: windows?.[layer],
        dropout: options.attentionDropout,
        ...(scale !== undefined && { scale }),
        cap,
      },
    },
  );
}

/** The property that holds a layer's network, and the network. */
function networkOf(options: Settings, layer: number): readonly [name: string, TensorModule] {
  const { width, feedForward, activation, deviation, feedForwardBias: bias, experts, variant } = options;
  const form = { width, feedForward, activation, bias, initializer: initial(deviation) };
  if (!experts || experts.layers?.[layer] === false)
    return ["mlp", new GatedNetwork(variant.joined ? ["gate_up_proj", "down_proj"] : gated, form)];
  const { names = "mixtral", normalized = true, feedForward: inside = feedForward } = experts;
  const own = { ...form, ...experts, feedForward: inside, normalized };
  return names === "mixtral"
    ? ["block_sparse_moe", new Experts({ ...own, names: ["w1", "w3", "w2"] })]
    : ["mlp", new Experts({ ...own, names: gated })];
}

const gated = ["gate_proj", "up_proj", "down_proj"] as const;

function blockOf(options: Settings, layer: number): TransformerBlock {
  const self_attn = attentionOf(options, layer);
  const [name, network] = networkOf(options, layer);
  const [input_layernorm, post_attention_layernorm] = [normOf(options), normOf(options)];
  const parts = { self_attn, [name]: network, input_layernorm, post_attention_layernorm };
  if (!options.variant.sandwiched)
    return new TransformerBlock(parts, {
      attention: { part: self_attn, before: input_layernorm },
      network: { part: [network], before: post_attention_layernorm },
    });
  const [pre_feedforward_layernorm, post_feedforward_layernorm] = [normOf(options), normOf(options)];
  return new TransformerBlock(
    { ...parts, pre_feedforward_layernorm, post_feedforward_layernorm },
    {
      attention: { part: self_attn, before: input_layernorm, after: post_attention_layernorm },
      network: { part: [network], before: pre_feedforward_layernorm, after: post_feedforward_layernorm },
    },
  );
}

/**
 * Llama (Touvron et al. 2023), a causal decoder with rotary positions, RMS normalization and gated feed-forward
 * networks: token ids [N, T] → states [N, T, width], each of a token and those before it.
 */
export class LlamaModel extends Decoder {
  constructor(options: LlamaOptions) {
    const settings = defaults(checkOptions(options));
    if (options.attention?.headWidth === undefined) requireHeads("llama", settings);
    const { vocabulary, width, deviation, positions: longest, variant } = settings;
    const embed_tokens = embedding(vocabulary, width, { initializer: initial(deviation) });
    const layers = Array.from({ length: settings.layers }, (_, i) => blockOf(settings, i));
    const norm = normOf(settings);
    super(
      { embed_tokens, layers, norm },
      {
        tokens: embed_tokens,
        ...(variant.gemma && { embed: (vectors) => mul(vectors, Math.sqrt(width)) }),
        blocks: layers,
        finish: [norm],
        longest,
      },
    );
  }
}

const family = {
  build: (options: LlamaOptions) => new LlamaModel(options),
  path: "model",
  scores: { cap: ({ variant }: LlamaOptions) => variant?.scoreCap },
  deviation: ({ details }: LlamaOptions) => details?.deviation,
};

/** Qwen2's attention has biases where queries, keys and values are made. */
const qwen2 = (options: LlamaOptions): LlamaOptions => ({
  ...options,
  attention: { bias: "inputs", ...options.attention },
});

/** Llama's models by the names of Hugging Face's classes. */
export const llamaArchitectures = decoderArchitectures("Llama", { ...family, answerPath: "transformer" });
/** Mistral's models by the names of Hugging Face's classes. */
export const mistralArchitectures = decoderArchitectures("Mistral", family);
/** Mixtral's models, with experts in place of networks (Jiang et al. 2024), by the names of Hugging Face's classes. */
export const mixtralArchitectures = decoderArchitectures("Mixtral", family);
/**
 * Qwen2's models by the names of Hugging Face's classes; attention has biases where queries, keys and values are made.
 */
export const qwen2Architectures = decoderArchitectures("Qwen2", {
  ...family,
  build: (options: LlamaOptions) => new LlamaModel(qwen2(options)),
  answerPath: "transformer",
});
/** Qwen3's models by the names of Hugging Face's classes; they normalize queries and keys. */
export const qwen3Architectures = decoderArchitectures("Qwen3", { ...family, answerPath: "transformer" });
/** Qwen3's models of experts by the names of Hugging Face's classes. */
export const qwen3MoeArchitectures = decoderArchitectures("Qwen3Moe", { ...family, answerPath: "transformer" });
/** Gemma's models (Gemma Team 2024) by the names of Hugging Face's classes. */
export const gemmaArchitectures = decoderArchitectures("Gemma", { ...family, tied: true });
/** Gemma 2's models by the names of Hugging Face's classes. */
export const gemma2Architectures = decoderArchitectures("Gemma2", { ...family, tied: true });
/** The text models of Gemma 3 by the names of Hugging Face's classes. */
export const gemma3Architectures = decoderArchitectures("Gemma3", { ...family, tied: true }, { model: "TextModel" });
/** Phi-3's models (Abdin et al. 2024) by the names of Hugging Face's classes. */
export const phi3Architectures = decoderArchitectures("Phi3", family);
/** SmolLM3's models by the names of Hugging Face's classes. */
export const smollm3Architectures = decoderArchitectures("SmolLM3", {
  ...family,
  tied: true,
  answerPath: "transformer",
});

const llama2 = { vocabulary: 32_000, positions: 4096 };
const details = { epsilon: 1e-5 };
const published: Readonly<Record<string, { options: LlamaOptions; tied?: boolean; source: string }>> = {
  llama2_7b: {
    options: { sizes: { ...llama2, width: 4096, layers: 32, heads: 32, feedForward: 11_008 }, details },
    source: "Touvron et al. 2023, Llama 2: Open Foundation and Fine-Tuned Chat Models",
  },
  llama2_13b: {
    options: { sizes: { ...llama2, width: 5120, layers: 40, heads: 40, feedForward: 13_824 }, details },
    source: "Touvron et al. 2023, Llama 2: Open Foundation and Fine-Tuned Chat Models",
  },
  llama3_8b: {
    options: {
      sizes: { vocabulary: 128_256, width: 4096, layers: 32, heads: 32, feedForward: 14_336, positions: 8192 },
      details,
      attention: { keyHeads: 8 },
      rotary: { base: 500_000 },
    },
    source: "Grattafiori et al. 2024, The Llama 3 Herd of Models",
  },
  qwen2_5_0_5b: {
    options: qwen2({
      sizes: { vocabulary: 151_936, width: 896, layers: 24, heads: 14, feedForward: 4864, positions: 32_768 },
      attention: { keyHeads: 2 },
      rotary: { base: 1_000_000 },
    }),
    tied: true,
    source: "Qwen Team 2024, Qwen2.5 Technical Report",
  },
};

export const llamaPresets: readonly Preset[] = Object.entries(published).map(([name, { options, tied, source }]) =>
  tokenPreset(
    {
      name,
      summary: `decoder of ${options.sizes.layers} layers with rotary positions, gated networks and ${options.attention?.keyHeads ?? options.sizes.heads} heads of keys`,
      source,
    },
    options.sizes,
    () => llamaArchitectures.LlamaForCausalLM(options, { tied }),
  ),
);
