/** Configs of llama and the decoders that compute alike, with the library's defaults. */
import { z } from "zod";
import {
  gemma2Architectures,
  gemma3Architectures,
  gemmaArchitectures,
  type LlamaOptions,
  llamaArchitectures,
  mistralArchitectures,
  mixtralArchitectures,
  phi3Architectures,
  qwen2Architectures,
  qwen3Architectures,
  qwen3MoeArchitectures,
  smollm3Architectures,
} from "../../models/index.ts";
import {
  activation,
  common,
  count,
  fields,
  flag,
  layers,
  positive,
  type Report,
  rate,
  requireMultiple,
  sizesOf,
  tokenId,
} from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";
import { rotaryFields, rotaryOf } from "./rotary-fields.ts";

/** Whether a layer attends to all tokens before or to a window of them. */
const layerTypes = z
  .array(z.enum(["full_attention", "sliding_attention"], { error: "one of full_attention, sliding_attention" }), {
    error: "a list of layer types",
  })
  .nullish();

/** Fields of llama, which the others have too, with other defaults. */
const llamaFields = {
  ...common,
  ...rotaryFields,
  vocab_size: count().default(32_000),
  hidden_size: count().default(4096),
  intermediate_size: count().default(11_008),
  num_hidden_layers: layers().default(32),
  num_attention_heads: count().default(32),
  num_key_value_heads: count().nullish(),
  head_dim: count().nullish(),
  hidden_act: activation("silu"),
  max_position_embeddings: count().default(2048),
  initializer_range: positive().default(0.02),
  rms_norm_eps: positive().default(1e-6),
  attention_dropout: rate().default(0),
  attention_bias: flag().nullish(),
  mlp_bias: flag().nullish(),
  /** A null means that there is no window. */
  sliding_window: count().nullish(),
  layer_types: layerTypes,
};

type LlamaFields = z.output<z.ZodObject<typeof llamaFields>>;

const headWidth = (config: LlamaFields) => config.head_dim ?? config.hidden_size / config.num_attention_heads;

function checkHeads(config: LlamaFields, report: Report): void {
  const { num_key_value_heads, num_attention_heads, head_dim, layer_types, num_hidden_layers } = config;
  if (head_dim == null) requireMultiple(config, report, "hidden_size", "num_attention_heads");
  if (num_key_value_heads != null && num_attention_heads % num_key_value_heads !== 0)
    report("num_key_value_heads", `a divisor of num_attention_heads, which is ${num_attention_heads}`);
  if (headWidth(config) % 2 === 1)
    report(head_dim == null ? "hidden_size" : "head_dim", "heads of an even width, since rotations turn pairs");
  if (layer_types && layer_types.length !== num_hidden_layers)
    report("layer_types", `one for each of the ${num_hidden_layers} layers`);
}

/** Something for each layer. */
const byLayer = <T>({ num_hidden_layers: length }: LlamaFields, of: (layer: number) => T): readonly T[] =>
  Array.from({ length }, (_, layer) => of(layer));

/** The window of each layer: as `layer_types` says, or else where `isWindowed` does. */
const windowsOf = (config: LlamaFields, isWindowed: (layer: number) => boolean) =>
  byLayer(config, (layer) => {
    const windowed = config.layer_types ? config.layer_types[layer] === "sliding_attention" : isWindowed(layer);
    return windowed ? (config.sliding_window ?? undefined) : undefined;
  });

const llamaOptions = (config: LlamaFields): LlamaOptions => ({
  sizes: sizesOf(config),
  details: {
    activation: config.hidden_act,
    attentionDropout: config.attention_dropout,
    epsilon: config.rms_norm_eps,
    deviation: config.initializer_range,
  },
  attention: {
    keyHeads: config.num_key_value_heads ?? undefined,
    headWidth: config.head_dim ?? undefined,
    bias: config.attention_bias ? "all" : "none",
  },
  rotary: rotaryOf(config, headWidth(config)),
  feedForwardBias: config.mlp_bias ?? false,
});

/** The reading of a config, of whose options a family changes some. */
const reading = (config: LlamaFields, change: Partial<LlamaOptions> = {}, tied = false) => {
  const options = llamaOptions(config);
  return {
    ...tokens(config.max_position_embeddings),
    options: { ...options, ...change, attention: { ...options.attention, ...change.attention } },
    tied: config.tie_word_embeddings ?? tied,
  };
};

const llamaSchema = fields(llamaFields, checkHeads);

const llamaFamily = defineFamily({
  type: "llama",
  schema: llamaSchema,
  architectures: llamaArchitectures,
  read: (config) => reading(config),
});

const mistralFamily = defineFamily({
  type: "mistral",
  schema: fields(
    {
      ...llamaFields,
      intermediate_size: count().default(14_336),
      num_key_value_heads: count().nullish().default(8),
      max_position_embeddings: count().default(131_072),
      sliding_window: count().nullish().default(4096),
    },
    checkHeads,
  ),
  architectures: mistralArchitectures,
  read: (config) => reading(config, { attention: { windows: windowsOf(config, () => true) } }),
});

const mixtralFamily = defineFamily({
  type: "mixtral",
  schema: fields(
    {
      ...llamaFields,
      intermediate_size: count().default(14_336),
      num_key_value_heads: count().nullish().default(8),
      max_position_embeddings: count().default(131_072),
      rms_norm_eps: positive().default(1e-5),
      rope_theta: positive().nullish().default(1e6),
      num_local_experts: count().default(8),
      num_experts_per_tok: count().default(2),
    },
    (values, report) => {
      checkHeads(values, report);
      checkExperts(values, report, "num_local_experts");
    },
  ),
  architectures: mixtralArchitectures,
  read: (config) =>
    reading(config, {
      attention: { windows: windowsOf(config, () => true) },
      experts: { count: config.num_local_experts, perToken: config.num_experts_per_tok },
    }),
});

/** Reports that a token is given to more experts than there are. */
function checkExperts(values: Readonly<Record<string, unknown>>, report: Report, field: string): void {
  if (Number(values["num_experts_per_tok"]) > Number(values[field]))
    report("num_experts_per_tok", `at most ${field}, which is ${values[field]}`);
}

const qwenFields = {
  ...llamaFields,
  vocab_size: count().default(151_936),
  intermediate_size: count().default(22_016),
  num_key_value_heads: count().nullish().default(32),
  max_position_embeddings: count().default(32_768),
  use_sliding_window: flag().default(false),
  sliding_window: count().nullish().default(4096),
  max_window_layers: count(0).default(28),
};
const qwenSchema = fields(qwenFields, checkHeads);

/** Windows where the config uses them, from some layer on. */
const qwenWindows = (config: z.output<typeof qwenSchema>) =>
  config.use_sliding_window ? windowsOf(config, (layer) => layer >= config.max_window_layers) : [];

const qwen2Family = defineFamily({
  type: "qwen2",
  schema: qwenSchema,
  architectures: qwen2Architectures,
  read: (config) => reading(config, { attention: { bias: "inputs", windows: qwenWindows(config) } }),
});

const qwen3Fields = { ...qwenFields, head_dim: count().nullish().default(128) };

const qwen3Family = defineFamily({
  type: "qwen3",
  schema: fields(qwen3Fields, checkHeads),
  architectures: qwen3Architectures,
  read: (config) => reading(config, { attention: { normalized: true, windows: qwenWindows(config) } }),
});

const qwen3MoeFamily = defineFamily({
  type: "qwen3_moe",
  schema: fields(
    {
      ...qwenFields,
      hidden_size: count().default(2048),
      intermediate_size: count().default(6144),
      num_hidden_layers: layers().default(24),
      num_key_value_heads: count().nullish().default(4),
      max_window_layers: count(0).default(0),
      decoder_sparse_step: count().default(1),
      moe_intermediate_size: count().default(768),
      num_experts_per_tok: count().default(8),
      num_experts: count().default(128),
      norm_topk_prob: flag().default(false),
      mlp_only_layers: z.array(count(0), { error: "a list of layers" }).nullish(),
    },
    (values, report) => {
      checkHeads(values, report);
      checkExperts(values, report, "num_experts");
    },
  ),
  architectures: qwen3MoeArchitectures,
  read: (config) => {
    const { mlp_only_layers: dense, decoder_sparse_step: step } = config;
    return reading(config, {
      attention: { normalized: true, windows: qwenWindows(config) },
      experts: {
        count: config.num_experts,
        perToken: config.num_experts_per_tok,
        feedForward: config.moe_intermediate_size,
        normalized: config.norm_topk_prob,
        layers: byLayer(config, (layer) => !dense?.includes(layer) && (layer + 1) % step === 0),
        names: "qwen",
      },
    });
  },
});

const gemmaFields = {
  ...llamaFields,
  vocab_size: count().default(256_000),
  hidden_size: count().default(3072),
  intermediate_size: count().default(24_576),
  num_hidden_layers: layers().default(28),
  num_attention_heads: count().default(16),
  num_key_value_heads: count().nullish().default(16),
  head_dim: count().nullish().default(256),
  hidden_act: activation("gelu_pytorch_tanh"),
  /** It stands over hidden_act, the older field. */
  hidden_activation: activation("gelu_pytorch_tanh").nullish(),
  max_position_embeddings: count().default(8192),
  pad_token_id: tokenId().default(0),
};

const gemmaFamily = defineFamily({
  type: "gemma",
  schema: fields(gemmaFields, checkHeads),
  architectures: gemmaArchitectures,
  read: (config) => reading(gemmaActivation(config), { variant: { gemma: true } }, true),
});

const gemmaActivation = <T extends LlamaFields & { hidden_activation?: LlamaFields["hidden_act"] | null | undefined }>(
  config: T,
): T => ({ ...config, hidden_act: config.hidden_activation ?? config.hidden_act });

const gemma2Fields = {
  ...gemmaFields,
  hidden_size: count().default(2304),
  intermediate_size: count().default(9216),
  num_hidden_layers: layers().default(26),
  num_attention_heads: count().default(8),
  num_key_value_heads: count().nullish().default(4),
  query_pre_attn_scalar: positive().default(256),
  sliding_window: count().nullish().default(4096),
  final_logit_softcapping: positive().nullish().default(30),
  attn_logit_softcapping: positive().nullish().default(50),
};
type Caps = "final_logit_softcapping" | "attn_logit_softcapping";
type Gemma2Fields = Omit<z.output<z.ZodObject<typeof gemma2Fields>>, Caps> & {
  readonly [name in Caps]?: number | null | undefined;
};

/** Gemma 2 and 3: norms on both sides, and a window in all layers but each `period`-th. */
const gemma2Options = (config: Gemma2Fields, period: number): Partial<LlamaOptions> => ({
  attention: {
    windows: windowsOf(config, (layer) => (layer + 1) % period !== 0),
    scale: config.query_pre_attn_scalar ** -0.5,
    cap: config.attn_logit_softcapping ?? undefined,
  },
  variant: { gemma: true, sandwiched: true, scoreCap: config.final_logit_softcapping ?? undefined },
});

const gemma2Family = defineFamily({
  type: "gemma2",
  schema: fields(gemma2Fields, checkHeads),
  architectures: gemma2Architectures,
  read: (config) => reading(gemmaActivation(config), gemma2Options(config, 2), true),
});

const gemma3Family = defineFamily({
  type: "gemma3_text",
  schema: fields(
    {
      ...gemma2Fields,
      vocab_size: count().default(262_208),
      max_position_embeddings: count().default(131_072),
      rope_theta: positive().nullish().default(1e6),
      /** Of layers with a window. */
      rope_local_base_freq: positive().default(10_000),
      /** One layer of so many attends to all tokens. */
      sliding_window_pattern: count().nullish(),
      _sliding_window_pattern: count().nullish(),
      final_logit_softcapping: positive().nullish(),
      attn_logit_softcapping: positive().nullish(),
    },
    checkHeads,
  ),
  architectures: gemma3Architectures,
  read: (config) => {
    const period = config.sliding_window_pattern ?? config._sliding_window_pattern ?? 6;
    const options = gemma2Options(config, period);
    const windows = options.attention?.windows ?? [];
    const rotary = rotaryOf(config, headWidth(config));
    const rotaries = windows.map((window) => (window === undefined ? rotary : { base: config.rope_local_base_freq }));
    const attention = { ...options.attention, normalized: true };
    return reading(gemmaActivation(config), { ...options, attention, rotary: rotaries }, true);
  },
});

const phi3Family = defineFamily({
  type: "phi3",
  schema: fields(
    {
      ...llamaFields,
      vocab_size: count().default(32_064),
      hidden_size: count().default(3072),
      intermediate_size: count().default(8192),
      max_position_embeddings: count().default(4096),
      original_max_position_embeddings: count().nullish().default(4096),
      rms_norm_eps: positive().default(1e-5),
      pad_token_id: tokenId().default(32_000),
    },
    checkHeads,
  ),
  architectures: phi3Architectures,
  read: (config) =>
    reading(config, { attention: { windows: windowsOf(config, () => true) }, variant: { joined: true } }),
});

const smollm3Family = defineFamily({
  type: "smollm3",
  schema: fields(
    {
      ...qwenFields,
      vocab_size: count().default(128_256),
      hidden_size: count().default(2048),
      intermediate_size: count().default(11_008),
      num_hidden_layers: layers().default(36),
      num_attention_heads: count().default(16),
      num_key_value_heads: count().nullish().default(4),
      rope_theta: positive().nullish().default(2e6),
      sliding_window: count().nullish(),
      pad_token_id: tokenId().default(128_004),
      /** 0 for the layers whose queries and keys are not turned. */
      no_rope_layers: z.array(count(0, 1), { error: "a list of 0 and 1" }).nullish(),
      no_rope_layer_interval: count().default(4),
    },
    checkHeads,
  ),
  architectures: smollm3Architectures,
  read: (config) => {
    const { no_rope_layers: turns, no_rope_layer_interval: interval } = config;
    const turning = byLayer(config, (layer) => (turns ? turns[layer] !== 0 : (layer + 1) % interval !== 0));
    const rotary = rotaryOf(config, headWidth(config));
    const windows = config.use_sliding_window ? windowsOf(config, (layer) => turning[layer] === false) : [];
    return reading(
      config,
      { rotary: turning.map((turned) => (turned ? rotary : undefined)), attention: { windows } },
      true,
    );
  },
});

export const llamaFamilies: readonly Family[] = [
  llamaFamily,
  mistralFamily,
  mixtralFamily,
  qwen2Family,
  qwen3Family,
  qwen3MoeFamily,
  gemmaFamily,
  gemma2Family,
  gemma3Family,
  phi3Family,
  smollm3Family,
];
