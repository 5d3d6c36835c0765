/** The config of phi, with the library's defaults. */
import { phiArchitectures } from "../../models/index.ts";
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

const phiFamily = defineFamily({
  type: "phi",
  schema: fields(
    {
      ...common,
      ...rotaryFields,
      vocab_size: count().default(51_200),
      hidden_size: count().default(2048),
      intermediate_size: count().default(8192),
      num_hidden_layers: layers().default(24),
      num_attention_heads: count().default(32),
      num_key_value_heads: count().nullish(),
      resid_pdrop: rate().default(0),
      embd_pdrop: rate().default(0),
      attention_dropout: rate().default(0),
      hidden_act: activation("gelu_new"),
      max_position_embeddings: count().default(2048),
      initializer_range: positive().default(0.02),
      layer_norm_eps: positive().default(1e-5),
      partial_rotary_factor: share().nullish().default(0.5),
      qk_layernorm: flag().default(false),
    },
    (values, report) => {
      requireMultiple(values, report, "hidden_size", "num_attention_heads");
      if (values.num_key_value_heads != null)
        requireMultiple(values, report, "num_attention_heads", "num_key_value_heads");
    },
  ),
  architectures: phiArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: {
      sizes: sizesOf(config),
      details: {
        activation: config.hidden_act,
        dropout: config.resid_pdrop,
        attentionDropout: config.attention_dropout,
        epsilon: config.layer_norm_eps,
        deviation: config.initializer_range,
      },
      embeddingDropout: config.embd_pdrop,
      keyHeads: config.num_key_value_heads ?? undefined,
      rotary: rotaryOf(config, config.hidden_size / config.num_attention_heads),
      normalized: config.qk_layernorm,
    },
    tied: config.tie_word_embeddings ?? false,
  }),
});

export const phiFamilies: readonly Family[] = [phiFamily];
