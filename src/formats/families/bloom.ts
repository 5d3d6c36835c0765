/** The config of bloom, with the library's defaults. */
import { bloomArchitectures } from "../../models/index.ts";
import { common, count, fields, flag, layers, positive, rate, tokenId } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

/** The length of the sequences that BLOOM was trained with; its biases by distance have no longest one. */
const trained = 2048;

const bloomFamily = defineFamily({
  type: "bloom",
  schema: fields(
    {
      ...common,
      vocab_size: count().default(250_880),
      hidden_size: count().nullish(),
      /** The older name of hidden_size. */
      n_embed: count().default(64),
      n_layer: layers().default(2),
      n_head: count().default(8),
      /** Other names of n_layer and n_head. */
      num_hidden_layers: layers().nullish(),
      num_attention_heads: count().nullish(),
      seq_length: count().default(trained),
      layer_norm_epsilon: positive().default(1e-5),
      initializer_range: positive().default(0.02),
      apply_residual_connection_post_layernorm: flag().default(false),
      hidden_dropout: rate().default(0),
      attention_dropout: rate().default(0),
      pad_token_id: tokenId().default(3),
    },
    (values, report) => {
      const { hidden_size, n_embed, n_head, num_attention_heads } = values;
      const heads = num_attention_heads ?? n_head;
      if ((hidden_size ?? n_embed) % heads !== 0)
        report(hidden_size == null ? "n_embed" : "hidden_size", `a multiple of n_head, which is ${heads}`);
    },
  ),
  architectures: bloomArchitectures,
  read: (config) => {
    const width = config.hidden_size ?? config.n_embed;
    return {
      ...tokens(config.seq_length),
      options: {
        sizes: {
          vocabulary: config.vocab_size,
          width,
          layers: config.num_hidden_layers ?? config.n_layer,
          heads: config.num_attention_heads ?? config.n_head,
          feedForward: 4 * width,
          positions: config.seq_length,
        },
        details: {
          dropout: config.hidden_dropout,
          attentionDropout: config.attention_dropout,
          epsilon: config.layer_norm_epsilon,
          deviation: config.initializer_range,
        },
        normalizedSums: config.apply_residual_connection_post_layernorm,
      },
      tied: config.tie_word_embeddings ?? true,
    };
  },
});

export const bloomFamilies: readonly Family[] = [bloomFamily];
