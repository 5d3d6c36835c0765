/** Configs of gpt2 and gptj, which name their extents alike, with the library's defaults. */
import type { z } from "zod";
import { gpt2Architectures, gptjArchitectures } from "../../models/index.ts";
import { activation, common, count, fields, layers, only, positive, rate, requireMultiple } from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

/** The library's defaults of a family. */
interface GptDefaults {
  readonly vocabulary: number;
  readonly positions: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Of states, embeddings and weights of attention. */
  readonly dropout: number;
}

const gptFields = (defaults: GptDefaults) => ({
  vocab_size: count().default(defaults.vocabulary),
  n_positions: count().default(defaults.positions),
  n_embd: count().default(defaults.width),
  n_layer: layers().default(defaults.layers),
  n_head: count().default(defaults.heads),
  n_inner: count().nullish(),
  activation_function: activation("gelu_new"),
  resid_pdrop: rate().default(defaults.dropout),
  embd_pdrop: rate().default(defaults.dropout),
  attn_pdrop: rate().default(defaults.dropout),
  layer_norm_epsilon: positive().default(1e-5),
  initializer_range: positive().default(0.02),
});

/** The options of a model that these fields mean. */
const gptOptions = (config: z.output<z.ZodObject<ReturnType<typeof gptFields>>>) => ({
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
});

const gpt2Family = defineFamily({
  type: "gpt2",
  schema: fields(
    {
      ...common,
      ...gptFields({ vocabulary: 50_257, positions: 1024, width: 768, layers: 12, heads: 12, dropout: 0.1 }),
      scale_attn_weights: only(true),
      scale_attn_by_inverse_layer_idx: only(false),
      add_cross_attention: only(false),
    },
    (values, report) => requireMultiple(values, report, "n_embd", "n_head"),
  ),
  architectures: gpt2Architectures,
  read: (config) => ({
    ...tokens(config.n_positions),
    options: gptOptions(config),
    tied: config.tie_word_embeddings ?? true,
  }),
});

const gptjFamily = defineFamily({
  type: "gptj",
  schema: fields(
    {
      ...common,
      ...gptFields({ vocabulary: 50_400, positions: 2048, width: 4096, layers: 28, heads: 16, dropout: 0 }),
      rotary_dim: count().nullish().default(64),
    },
    (values, report) => requireMultiple(values, report, "n_embd", "n_head"),
  ),
  architectures: gptjArchitectures,
  read: (config) => ({
    ...tokens(config.n_positions),
    options: { ...gptOptions(config), turned: config.rotary_dim ?? undefined },
    tied: config.tie_word_embeddings ?? false,
  }),
});

export const gptFamilies: readonly Family[] = [gpt2Family, gptjFamily];
