/** The config of distilbert, with the library's defaults. */
import { distilbertArchitectures } from "../../models/index.ts";
import { activation, common, count, fields, layers, only, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const distilbertSchema = fields(
  {
    ...common,
    vocab_size: count().default(30_522),
    max_position_embeddings: count().default(512),
    sinusoidal_pos_embds: only(false),
    n_layers: layers().default(6),
    n_heads: count().default(12),
    dim: count().default(768),
    hidden_dim: count().default(3072),
    dropout: rate().default(0.1),
    attention_dropout: rate().default(0.1),
    activation: activation("gelu"),
    initializer_range: positive().default(0.02),
    qa_dropout: rate().default(0.1),
    seq_classif_dropout: rate().default(0.2),
  },
  (values, report) => requireMultiple(values, report, "dim", "n_heads"),
);

const distilbertFamily = defineFamily({
  type: "distilbert",
  schema: distilbertSchema,
  architectures: distilbertArchitectures,
  read: (config, name) => ({
    ...tokens(config.max_position_embeddings),
    options: {
      sizes: {
        vocabulary: config.vocab_size,
        width: config.dim,
        layers: config.n_layers,
        heads: config.n_heads,
        feedForward: config.hidden_dim,
        positions: config.max_position_embeddings,
      },
      details: {
        activation: config.activation,
        dropout: config.dropout,
        attentionDropout: config.attention_dropout,
        deviation: config.initializer_range,
      },
    },
    dropout: name === "DistilBertForQuestionAnswering" ? config.qa_dropout : config.seq_classif_dropout,
    tied: config.tie_word_embeddings ?? true,
  }),
});

export const distilbertFamilies: readonly Family[] = [distilbertFamily];
