/** The config of gpt_neox, with the library's defaults. */
import { gptNeoXArchitectures } from "../../models/index.ts";
import {
  activation,
  common,
  count,
  fields,
  flag,
  layers,
  positive,
  rate,
  requireMultiple,
  share,
  sizesOf,
} from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";
import { rotaryFields, rotaryOf } from "./rotary-fields.ts";

const gptNeoXFamily = defineFamily({
  type: "gpt_neox",
  schema: fields(
    {
      ...common,
      ...rotaryFields,
      vocab_size: count().default(50_432),
      hidden_size: count().default(6144),
      num_hidden_layers: layers().default(44),
      num_attention_heads: count().default(64),
      intermediate_size: count().default(24_576),
      hidden_act: activation("gelu"),
      /** The older names of rope_theta and partial_rotary_factor. */
      rotary_emb_base: positive().default(10_000),
      rotary_pct: share().default(0.25),
      attention_dropout: rate().default(0),
      hidden_dropout: rate().default(0),
      classifier_dropout: rate().nullish().default(0.1),
      max_position_embeddings: count().default(2048),
      initializer_range: positive().default(0.02),
      layer_norm_eps: positive().default(1e-5),
      use_parallel_residual: flag().default(true),
      attention_bias: flag().default(true),
    },
    (values, report) => requireMultiple(values, report, "hidden_size", "num_attention_heads"),
  ),
  architectures: gptNeoXArchitectures,
  read: (config) => {
    const { rope_theta, partial_rotary_factor, ...rest } = config;
    const turning = {
      ...rest,
      rope_theta: rope_theta ?? config.rotary_emb_base,
      partial_rotary_factor: partial_rotary_factor ?? config.rotary_pct,
    };
    return {
      ...tokens(config.max_position_embeddings),
      options: {
        sizes: sizesOf(config),
        details: {
          activation: config.hidden_act,
          dropout: config.hidden_dropout,
          attentionDropout: config.attention_dropout,
          epsilon: config.layer_norm_eps,
          deviation: config.initializer_range,
        },
        rotary: rotaryOf(turning, config.hidden_size / config.num_attention_heads),
        attentionBias: config.attention_bias,
        parallel: config.use_parallel_residual,
      },
      dropout: config.classifier_dropout,
      tied: config.tie_word_embeddings ?? false,
    };
  },
});

export const gptNeoXFamilies: readonly Family[] = [gptNeoXFamily];
