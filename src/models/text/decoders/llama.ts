/** Llama (Touvron et al. 2023), and Mistral and Qwen2, which compute alike: decoders with rotary positions. */
import { count, flag, matching, oneOf } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activationOf,
  attend,
  type Context,
  type Dense,
  dense,
  type Embedding,
  embedding,
  joinHeads,
  Module,
  type RmsNorm,
  type RotaryOptions,
  rmsNorm,
  rotary,
  splitHeads,
  tiedDense,
} from "../../../nn/index.ts";
import { rotaryType } from "../../../nn/layers/positions.ts";
import { add, mul } from "../../../ops/index.ts";
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

/** How a layer attends. */
export interface LlamaAttention {
  /** Heads of keys and values, which divide those of queries; default as many. */
  readonly keyHeads?: number | undefined;
  /** Features of a head; default width / heads. */
  readonly headWidth?: number | undefined;
  /** Which projections have a bias: those of the input (Qwen2), also that of the output, or none; default none. */
  readonly bias?: "none" | "inputs" | "all";
  /** How many tokens a token attends to in each layer, itself included (Beltagy et al. 2020); default all before it. */
  readonly windows?: readonly (number | undefined)[];
}

/** Options of `LlamaModel`. */
export interface LlamaOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `dropout`. */
  readonly details?: Omit<TransformerDetails, "dropout"> | undefined;
  /** How layers attend; by default as those of Llama. */
  readonly attention?: LlamaAttention;
  /** How positions turn queries and keys. */
  readonly rotary?: RotaryOptions;
  /** The feed-forward networks have biases; default false. */
  readonly feedForwardBias?: boolean;
}

const checkOptions = optionsOf<LlamaOptions>("llama", {
  sizes: required(sizesType),
  details: detailsType,
  attention: optionsOf<LlamaAttention>("attention", {
    keyHeads: count(),
    headWidth: count(),
    bias: oneOf("none", "inputs", "all"),
    windows: matching("a number of tokens or undefined for each layer", Array.isArray),
  }).type,
  rotary: rotaryType,
  feedForwardBias: flag,
});

const defaults = ({ sizes, details, attention, ...own }: LlamaOptions) => ({
  activation: "silu" as ActivationName,
  attentionDropout: 0,
  epsilon: 1e-6,
  deviation: 0.02,
  rotary: {},
  feedForwardBias: false,
  ...sizes,
  ...details,
  ...own,
  attention: {
    keyHeads: attention?.keyHeads ?? sizes.heads,
    headWidth: attention?.headWidth ?? sizes.width / sizes.heads,
    bias: attention?.bias ?? "none",
    windows: attention?.windows ?? [],
  },
});
type Settings = ReturnType<typeof defaults>;

class Attention extends Module<TokenInputs> {
  override readonly kind = "attention";
  override readonly inputs = tokenInputs;
  readonly q_proj: Dense;
  readonly k_proj: Dense;
  readonly v_proj: Dense;
  readonly o_proj: Dense;
  readonly #options: Settings;
  readonly #window: number | undefined;
  constructor(options: Settings, layer: number) {
    super();
    const { width, heads, attention, deviation } = options;
    const { keyHeads, headWidth, bias, windows } = attention;
    const initializer = initial(deviation);
    const projection = (count: number) => dense(count * headWidth, { bias: bias !== "none", initializer });
    this.q_proj = projection(heads);
    this.k_proj = projection(keyHeads);
    this.v_proj = projection(keyHeads);
    this.o_proj = dense(width, { bias: bias === "all", initializer });
    this.#options = options;
    this.#window = windows[layer];
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const { heads, attention, rotary: turning, attentionDropout: dropout } = this.#options;
    const options = { ...turning, positions: context.positions(x.shape[1] ?? 1) };
    const { keyHeads } = attention;
    const q = rotary(splitHeads(this.q_proj.apply(x, context), heads), options);
    const k = rotary(splitHeads(this.k_proj.apply(x, context), keyHeads), options);
    const v = splitHeads(this.v_proj.apply(x, context), keyHeads);
    const found = attend(q, k, v, { causal: true, window: this.#window, mask, dropout }, context);
    return this.o_proj.apply(joinHeads(found), context);
  }
}

/** act(x W_gate) · (x W_up) W_down (Shazeer 2020). */
class GatedNetwork extends Module {
  readonly gate_proj: Dense;
  readonly up_proj: Dense;
  readonly down_proj: Dense;
  readonly #activation: (x: Value) => Value;
  constructor({ width, feedForward, feedForwardBias: bias, activation, deviation }: Settings) {
    super();
    const initializer = initial(deviation);
    this.gate_proj = dense(feedForward, { bias, initializer });
    this.up_proj = dense(feedForward, { bias, initializer });
    this.down_proj = dense(width, { bias, initializer });
    this.#activation = activationOf(activation);
  }
  protected call(x: Value, context: Context): Value {
    const gate = this.#activation(this.gate_proj.apply(x, context));
    return this.down_proj.apply(mul(gate, this.up_proj.apply(x, context)), context);
  }
}

class Layer extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly self_attn: Attention;
  readonly mlp: GatedNetwork;
  readonly input_layernorm: RmsNorm;
  readonly post_attention_layernorm: RmsNorm;
  constructor(options: Settings, index: number) {
    super();
    const { epsilon } = options;
    this.self_attn = new Attention(options, index);
    this.mlp = new GatedNetwork(options);
    this.input_layernorm = rmsNorm({ epsilon });
    this.post_attention_layernorm = rmsNorm({ epsilon });
  }
  protected call({ x, mask }: TokenInputs, context: Context): Value {
    const attended = add(x, this.self_attn.apply({ x: this.input_layernorm.apply(x, context), mask }, context));
    return add(attended, this.mlp.apply(this.post_attention_layernorm.apply(attended, context), context));
  }
}

/**
 * Llama (Touvron et al. 2023), a causal decoder with rotary positions, RMS normalization and gated feed-forward
 * networks: token ids [N, T] → states [N, T, width], each of a token and those before it.
 */
export class LlamaModel extends Module<TokenInputs> {
  override readonly inputs = tokenInputs;
  readonly embed_tokens: Embedding;
  readonly layers: readonly Layer[];
  readonly norm: RmsNorm;
  readonly #positions: number;
  constructor(options: LlamaOptions) {
    super();
    const settings = defaults(checkOptions(options));
    if (options.attention?.headWidth === undefined) requireHeads("llama", settings);
    this.embed_tokens = embedding(settings.vocabulary, settings.width, { initializer: initial(settings.deviation) });
    this.layers = Array.from({ length: settings.layers }, (_, i) => new Layer(settings, i));
    this.norm = rmsNorm({ epsilon: settings.epsilon });
    this.#positions = settings.positions;
  }
  protected call({ x: ids, mask }: TokenInputs, context: Context): Value {
    requireTokens(ids, this.#positions);
    const embedded = this.embed_tokens.apply(ids, context);
    const states = this.layers.reduce((value, layer) => layer.apply({ x: value, mask }, context), embedded);
    return this.norm.apply(states, context);
  }
}

/** The states' model under `model`, and scores of the next token, which are tied to its embedding or not. */
const causal = (options: LlamaOptions, tied = false) => {
  const model = new LlamaModel(options);
  const { sizes, details } = options;
  const untied = () => dense(sizes.vocabulary, { bias: false, initializer: initial(details?.deviation) });
  return headed({ model }, { lm_head: tied ? tiedDense(model.embed_tokens) : untied() });
};

/** Qwen2's attention has biases where queries, keys and values are made. */
const qwen2 = (options: LlamaOptions): LlamaOptions => ({
  ...options,
  attention: { bias: "inputs", ...options.attention },
});

/** Llama's models by the names of Hugging Face's classes. */
export const llamaArchitectures = architectures({
  LlamaModel: (options) => new LlamaModel(options),
  LlamaForCausalLM: (options, { tied } = {}) => causal(options, tied),
} as const satisfies Architectures<LlamaOptions>);
/** Mistral's models by the names of Hugging Face's classes. */
export const mistralArchitectures = architectures({
  MistralModel: (options) => new LlamaModel(options),
  MistralForCausalLM: (options, { tied } = {}) => causal(options, tied),
} as const satisfies Architectures<LlamaOptions>);
/**
 * Qwen2's models by the names of Hugging Face's classes; attention has biases where queries, keys and values are made.
 */
export const qwen2Architectures = architectures({
  Qwen2Model: (options) => new LlamaModel(qwen2(options)),
  Qwen2ForCausalLM: (options, { tied } = {}) => causal(qwen2(options), tied),
} as const satisfies Architectures<LlamaOptions>);

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
    () => causal(options, tied),
  ),
);
