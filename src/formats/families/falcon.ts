/** The config of falcon, with the library's defaults. */
import { falconArchitectures } from "../../models/index.ts";
import { activation, common, count, fields, flag, layers, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";
import { rotaryFields, rotaryOf } from "./rotary-fields.ts";

const falconSchema = fields(
  {
    ...common,
    ...rotaryFields,
    vocab_size: count().default(65_024),
    hidden_size: count().default(4544),
    num_hidden_layers: layers().default(32),
    num_attention_heads: count().default(71),
    num_ln_in_parallel_attn: count(1, 2).nullish(),
    layer_norm_epsilon: positive().default(1e-5),
    initializer_range: positive().default(0.02),
    hidden_dropout: rate().default(0),
    attention_dropout: rate().default(0),
    num_kv_heads: count().nullish(),
    alibi: flag().default(false),
    new_decoder_architecture: flag().default(false),
    multi_query: flag().default(true),
    parallel_attn: flag().default(true),
    bias: flag().default(false),
    max_position_embeddings: count().default(2048),
    ffn_hidden_size: count().nullish(),
    activation: activation("gelu"),
  },
  (values, report) => {
    requireMultiple(values, report, "hidden_size", "num_attention_heads");
    if (values.num_kv_heads != null) requireMultiple(values, report, "num_attention_heads", "num_kv_heads");
  },
);

const falconFamily = defineFamily({
  type: "falcon",
  schema: falconSchema,
  architectures: falconArchitectures,
  read: (config) => {
    const { new_decoder_architecture: newer, num_attention_heads: heads, hidden_size: width } = config;
    const norms = config.num_ln_in_parallel_attn ?? (newer ? 2 : 1);
    const sideBySide = newer && norms === 2 ? ("parallel-norms" as const) : ("parallel" as const);
    return {
      ...tokens(config.max_position_embeddings),
      options: {
        sizes: {
          vocabulary: config.vocab_size,
          width,
          layers: config.num_hidden_layers,
          heads,
          feedForward: config.ffn_hidden_size ?? 4 * width,
          positions: config.max_position_embeddings,
        },
        details: {
          activation: config.activation,
          dropout: config.hidden_dropout,
          attentionDropout: config.attention_dropout,
          epsilon: config.layer_norm_epsilon,
          deviation: config.initializer_range,
        },
        keyHeads: newer || !config.multi_query ? (config.num_kv_heads ?? heads) : 1,
        rotary: config.alibi ? undefined : rotaryOf(config, width / heads),
        branches: newer || config.parallel_attn ? sideBySide : ("serial" as const),
        bias: config.bias,
      },
      dropout: config.hidden_dropout,
      tied: config.tie_word_embeddings ?? true,
    };
  },
});

export const falconFamilies: readonly Family[] = [falconFamily];
