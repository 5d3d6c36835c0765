/** The config of gpt2, with the library's defaults. */
import { gpt2Architectures } from "../../models/index.ts";
import { activation, common, count, fields, layers, only, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

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

const gpt2Family = defineFamily({
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

export const gpt2Families: readonly Family[] = [gpt2Family];
