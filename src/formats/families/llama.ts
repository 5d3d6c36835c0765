/** Configs of llama, mistral, mixtral and phi3, with the library's defaults. */
import * as z from "zod";
import { limits } from "../../core/limits.ts";
import {
  type LlamaOptions,
  llamaArchitectures,
  mistralArchitectures,
  mixtralArchitectures,
  phi3Architectures,
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
export const llamaFields = {
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

export type LlamaFields = z.output<z.ZodObject<typeof llamaFields>>;

export const headWidth = (config: LlamaFields) => config.head_dim ?? config.hidden_size / config.num_attention_heads;

export function checkHeads(config: LlamaFields, report: Report): void {
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
export const byLayer = <T>({ num_hidden_layers: length }: LlamaFields, of: (layer: number) => T): readonly T[] =>
  Array.from({ length }, (_, layer) => of(layer));

/** The window of each layer: as `layer_types` says, or else where `isWindowed` does. */
export const windowsOf = (config: LlamaFields, isWindowed: (layer: number) => boolean) =>
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
export const reading = (config: LlamaFields, change: Partial<LlamaOptions> = {}, tied = false) => {
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

/** Reports more experts than are built, and that a token is given to more than there are. */
export function checkExperts(values: Readonly<Record<string, unknown>>, report: Report, field: string): void {
  const most = Math.floor(limits.experts / Number(values["num_hidden_layers"]));
  if (Number(values[field]) > most)
    report(
      field,
      `at most ${most} in each of ${values["num_hidden_layers"]} layers, since ${limits.experts} is the limit experts`,
    );
  if (Number(values["num_experts_per_tok"]) > Number(values[field]))
    report("num_experts_per_tok", `at most ${field}, which is ${values[field]}`);
}

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

export const llamaFamilies: readonly Family[] = [llamaFamily, mistralFamily, mixtralFamily, phi3Family];
