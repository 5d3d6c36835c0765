/** The config of gpt_neo, with the library's defaults. */
import * as z from "zod";
import { gptNeoArchitectures } from "../../models/index.ts";
import { activation, common, count, fields, layers, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const kind = z.enum(["global", "local"], { error: "one of global, local" });

const gptNeoFamily = defineFamily({
  type: "gpt_neo",
  schema: fields(
    {
      ...common,
      vocab_size: count().default(50_257),
      max_position_embeddings: count().default(2048),
      hidden_size: count().default(2048),
      num_layers: layers().default(24),
      /** Kinds of layers, and how often they are repeated. */
      attention_types: z
        .array(z.tuple([z.array(kind), count(1, 10_000)]), { error: 'a list such as [[["global", "local"], 12]]' })
        .default([[["global", "local"], 12]]),
      num_heads: count().default(16),
      intermediate_size: count().nullish(),
      window_size: count().default(256),
      activation_function: activation("gelu_new"),
      resid_dropout: rate().default(0),
      embed_dropout: rate().default(0),
      attention_dropout: rate().default(0),
      classifier_dropout: rate().default(0.1),
      layer_norm_epsilon: positive().default(1e-5),
      initializer_range: positive().default(0.02),
    },
    (values, report) => {
      requireMultiple(values, report, "hidden_size", "num_heads");
      const named = values.attention_types.reduce((sum, [kinds, times]) => sum + kinds.length * times, 0);
      if (named !== values.num_layers)
        report("attention_types", `kinds of ${values.num_layers} layers, num_layers; these are ${named}`);
    },
  ),
  architectures: gptNeoArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: {
      sizes: {
        vocabulary: config.vocab_size,
        width: config.hidden_size,
        layers: config.num_layers,
        heads: config.num_heads,
        feedForward: config.intermediate_size ?? 4 * config.hidden_size,
        positions: config.max_position_embeddings,
      },
      details: {
        activation: config.activation_function,
        dropout: config.resid_dropout,
        attentionDropout: config.attention_dropout,
        epsilon: config.layer_norm_epsilon,
        deviation: config.initializer_range,
      },
      embeddingDropout: config.embed_dropout,
      windows: config.attention_types
        .flatMap(([kinds, times]) => Array.from({ length: times }, () => kinds).flat())
        .map((own) => (own === "local" ? config.window_size : undefined)),
    },
    dropout: config.classifier_dropout,
    tied: config.tie_word_embeddings ?? true,
  }),
});

export const gptNeoFamilies: readonly Family[] = [gptNeoFamily];
