/** The config of opt, with the library's defaults. */
import { optArchitectures } from "../../models/index.ts";
import {
  activation,
  common,
  count,
  fields,
  flag,
  layers,
  only,
  positive,
  rate,
  requireMultiple,
  tokenId,
} from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const optFamily = defineFamily({
  type: "opt",
  schema: fields(
    {
      ...common,
      vocab_size: count().default(50_272),
      hidden_size: count().default(768),
      num_hidden_layers: layers().default(12),
      ffn_dim: count().default(3072),
      max_position_embeddings: count().default(2048),
      do_layer_norm_before: flag().default(true),
      _remove_final_layer_norm: flag().default(false),
      word_embed_proj_dim: count().nullish(),
      dropout: rate().default(0.1),
      attention_dropout: rate().default(0),
      num_attention_heads: count().default(12),
      activation_function: activation("relu"),
      init_std: positive().default(0.02),
      enable_bias: flag().default(true),
      layer_norm_elementwise_affine: only(true),
      pad_token_id: tokenId().default(1),
    },
    (values, report) => requireMultiple(values, report, "hidden_size", "num_attention_heads"),
  ),
  architectures: optArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: {
      sizes: {
        vocabulary: config.vocab_size,
        width: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        feedForward: config.ffn_dim,
        positions: config.max_position_embeddings,
      },
      details: {
        activation: config.activation_function,
        dropout: config.dropout,
        attentionDropout: config.attention_dropout,
        deviation: config.init_std,
      },
      embeddingWidth: config.word_embed_proj_dim ?? config.hidden_size,
      normsBefore: config.do_layer_norm_before,
      finalNorm: !config._remove_final_layer_norm,
      bias: config.enable_bias,
    },
    tied: config.tie_word_embeddings ?? true,
  }),
});

export const optFamilies: readonly Family[] = [optFamily];
