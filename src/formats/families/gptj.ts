/** The config of gptj, with the library's defaults. */
import { gptjArchitectures } from "../../models/index.ts";
import { activation, common, count, fields, layers, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const gptjFamily = defineFamily({
  type: "gptj",
  schema: fields(
    {
      ...common,
      vocab_size: count().default(50_400),
      n_positions: count().default(2048),
      n_embd: count().default(4096),
      n_layer: layers().default(28),
      n_head: count().default(16),
      rotary_dim: count().nullish().default(64),
      n_inner: count().nullish(),
      activation_function: activation("gelu_new"),
      resid_pdrop: rate().default(0),
      embd_pdrop: rate().default(0),
      attn_pdrop: rate().default(0),
      layer_norm_epsilon: positive().default(1e-5),
      initializer_range: positive().default(0.02),
    },
    (values, report) => requireMultiple(values, report, "n_embd", "n_head"),
  ),
  architectures: gptjArchitectures,
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
      turned: config.rotary_dim ?? undefined,
    },
    tied: config.tie_word_embeddings ?? false,
  }),
});

export const gptjFamilies: readonly Family[] = [gptjFamily];
