/** Configs of models with a decoder, gpt2, t5, llama, mistral and qwen2, with the library's defaults. */
import { z } from "zod";
import {
  gpt2Architectures,
  type LlamaOptions,
  llamaArchitectures,
  mistralArchitectures,
  qwen2Architectures,
  t5Architectures,
} from "../../models/index.ts";
import {
  activation,
  activationNames,
  common,
  count,
  fields,
  flag,
  layers,
  only,
  positive,
  type Report,
  rate,
  requireMultiple,
  sizesOf,
} from "./config-fields.ts";
import { defineFamily, renamed, tokens } from "./family.ts";
import { rotaryFields, rotaryOf } from "./rotary-fields.ts";

const gpt2Schema = fields(
  {
    ...common,
    vocab_size: count().default(50_257),
    n_positions: count().default(1024),
    n_embd: count().default(768),
    n_layer: layers().default(12),
    n_head: count().default(12),
    n_inner: count().nullish(),
    activation_function: activation("gelu_new"),
    resid_pdrop: rate().default(0.1),
    embd_pdrop: rate().default(0.1),
    attn_pdrop: rate().default(0.1),
    layer_norm_epsilon: positive().default(1e-5),
    initializer_range: positive().default(0.02),
    scale_attn_weights: only(true),
    scale_attn_by_inverse_layer_idx: only(false),
    add_cross_attention: only(false),
  },
  (values, report) => requireMultiple(values, report, "n_embd", "n_head"),
);

export const gpt2Family = defineFamily({
  type: "gpt2",
  schema: gpt2Schema,
  architectures: gpt2Architectures,
  read: (config) => ({
    ...tokens(config.n_positions),
    options: {
      sizes: {
        vocabulary: config.vocab_size,
        width: config.n_embd,
        layers: config.n_layer,
        heads: config.n_head,
        feedForward: config.n_inner ?? 4 * config.n_embd,
        positions: config.n_positions,
      },
      details: {
        activation: config.activation_function,
        dropout: config.resid_pdrop,
        attentionDropout: config.attn_pdrop,
        epsilon: config.layer_norm_epsilon,
        deviation: config.initializer_range,
      },
      embeddingDropout: config.embd_pdrop,
    },
    tied: config.tie_word_embeddings ?? true,
  }),
});

/** "relu", or "gated-gelu", whose gelu is the library's gelu_new. */
const network = (standard: "relu" | "gated-gelu") =>
  z
    .enum([...activationNames, ...activationNames.map((name) => `gated-${name}` as const)], {
      error: `one of ${activationNames.join(", ")}, or one of them after "gated-"`,
    })
    .default(standard)
    .transform((name) => {
      const inner = name === "gated-gelu" ? "gelu_new" : name.replace("gated-", "");
      return { activation: activation("relu").parse(inner), gated: name.startsWith("gated-") };
    });

const t5Fields = {
  ...common,
  vocab_size: count().default(32_128),
  d_model: count().default(512),
  d_kv: count().default(64),
  d_ff: count().default(2048),
  num_layers: layers().default(6),
  num_decoder_layers: layers().nullish(),
  num_heads: count().default(8),
  relative_attention_num_buckets: count(4, 65_536).default(32),
  relative_attention_max_distance: count().default(128),
  dropout_rate: rate().default(0.1),
  layer_norm_epsilon: positive().default(1e-6),
  feed_forward_proj: network("relu"),
  n_positions: count().default(512),
  scale_decoder_outputs: flag().nullish(),
};

/** Reports distances that do not fit their buckets. */
function checkDistances(
  values: { readonly relative_attention_num_buckets: number; readonly relative_attention_max_distance: number },
  report: Report,
): void {
  const exact = Math.floor(values.relative_attention_num_buckets / 2);
  if (values.relative_attention_max_distance <= exact)
    report("relative_attention_max_distance", `more than half of relative_attention_num_buckets, which is ${exact}`);
}

const t5Schema = fields(t5Fields, checkDistances);

const t5Read = (config: z.output<typeof t5Schema>, name: string) => ({
  ...tokens(config.n_positions, { decoder: !name.endsWith("EncoderModel") }),
  options: {
    sizes: {
      vocabulary: config.vocab_size,
      width: config.d_model,
      layers: config.num_layers,
      heads: config.num_heads,
      feedForward: config.d_ff,
    },
    keyWidth: config.d_kv,
    decoderLayers: config.num_decoder_layers ?? undefined,
    network: config.feed_forward_proj,
    distances: {
      buckets: config.relative_attention_num_buckets,
      farthest: config.relative_attention_max_distance,
    },
    dropout: config.dropout_rate,
    epsilon: config.layer_norm_epsilon,
  },
  // Version 5 of the library writes that embeddings are tied in either case, and the other field decides.
  tied: (config.tie_word_embeddings ?? true) && (config.scale_decoder_outputs ?? true),
});

export const t5Family = defineFamily({ type: "t5", schema: t5Schema, architectures: t5Architectures, read: t5Read });

/** T5 trained on a hundred languages (Xue et al. 2021): gated networks, and scores of their own. */
export const mt5Family = defineFamily({
  type: "mt5",
  schema: fields(
    {
      ...t5Fields,
      vocab_size: count().default(250_112),
      d_ff: count().default(1024),
      num_layers: layers().default(8),
      num_heads: count().default(6),
      feed_forward_proj: network("gated-gelu"),
      tie_word_embeddings: flag().default(false),
    },
    checkDistances,
  ),
  architectures: renamed(t5Architectures, "T5", "MT5"),
  read: t5Read,
});

/** Fields of llama, which mistral and qwen2 have too, with other defaults. */
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
};

type LlamaFields = z.output<z.ZodObject<typeof llamaFields>>;

const headWidth = (config: LlamaFields) => config.head_dim ?? config.hidden_size / config.num_attention_heads;

function checkHeads(config: LlamaFields, report: Report): void {
  const { num_key_value_heads, num_attention_heads, head_dim } = config;
  if (head_dim == null) requireMultiple(config, report, "hidden_size", "num_attention_heads");
  if (num_key_value_heads != null && num_attention_heads % num_key_value_heads !== 0)
    report("num_key_value_heads", `a divisor of num_attention_heads, which is ${num_attention_heads}`);
  if (headWidth(config) % 2 === 1)
    report(head_dim == null ? "hidden_size" : "head_dim", "heads of an even width, since rotations turn pairs");
}

const llamaOptions = (config: LlamaFields, attention: LlamaOptions["attention"] = {}): LlamaOptions => ({
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
    ...attention,
  },
  rotary: rotaryOf(config),
});

const llamaReading = (config: LlamaFields, options: LlamaOptions) => ({
  ...tokens(config.max_position_embeddings),
  options,
  tied: config.tie_word_embeddings ?? false,
});

export const llamaFamily = defineFamily({
  type: "llama",
  schema: fields(
    { ...llamaFields, attention_bias: flag().default(false), mlp_bias: flag().default(false) },
    checkHeads,
  ),
  architectures: llamaArchitectures,
  read: (config) => {
    const options = llamaOptions(config, { bias: config.attention_bias ? "all" : "none" });
    return llamaReading(config, { ...options, feedForwardBias: config.mlp_bias });
  },
});

export const mistralFamily = defineFamily({
  type: "mistral",
  schema: fields(
    {
      ...llamaFields,
      intermediate_size: count().default(14_336),
      num_key_value_heads: count().nullish().default(8),
      max_position_embeddings: count().default(131_072),
      /** A null means that there is no window. */
      sliding_window: count().nullish().default(4096),
    },
    checkHeads,
  ),
  architectures: mistralArchitectures,
  read: (config) => {
    const { sliding_window: window, num_hidden_layers: length } = config;
    const windows = Array.from({ length }, () => window ?? undefined);
    return llamaReading(config, llamaOptions(config, { windows }));
  },
});

const layerTypes = z.enum(["full_attention", "sliding_attention"], {
  error: "one of full_attention, sliding_attention",
});

export const qwen2Family = defineFamily({
  type: "qwen2",
  schema: fields(
    {
      ...llamaFields,
      vocab_size: count().default(151_936),
      intermediate_size: count().default(22_016),
      num_key_value_heads: count().nullish().default(32),
      max_position_embeddings: count().default(32_768),
      use_sliding_window: flag().default(false),
      sliding_window: count().nullish().default(4096),
      max_window_layers: count(0).default(28),
      layer_types: z.array(layerTypes, { error: "a list of layer types" }).nullish(),
    },
    (values, report) => {
      checkHeads(values, report);
      if (values.layer_types && values.layer_types.length !== values.num_hidden_layers)
        report("layer_types", `one for each of the ${values.num_hidden_layers} layers`);
    },
  ),
  architectures: qwen2Architectures,
  read: (config) => {
    const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
    const windowed = (layer: number) =>
      config.layer_types ? config.layer_types[layer] === "sliding_attention" : layer >= config.max_window_layers;
    const windows = Array.from({ length: config.num_hidden_layers }, (_, i) => (windowed(i) ? window : undefined));
    return llamaReading(config, llamaOptions(config, { windows }));
  },
});
