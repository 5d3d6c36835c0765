/** Configs of encoders, bert, roberta, distilbert, albert and vit, with the library's defaults. */
import type { z } from "zod";
import {
  albertArchitectures,
  type BertOptions,
  bertArchitectures,
  distilbertArchitectures,
  robertaArchitectures,
  vitArchitectures,
} from "../../models/index.ts";
import { imageInputs } from "../../models/shared/preset.ts";
import { vitTokens } from "../../models/vision/vit.ts";
import {
  activation,
  common,
  count,
  extents,
  fields,
  flag,
  layers,
  only,
  positive,
  rate,
  requireMultiple,
  sizesOf,
} from "./config-fields.ts";
import { defineFamily, renamed, tokens } from "./family.ts";

/** Fields of bert, which roberta and albert have too, with other defaults. */
const bertFields = {
  ...common,
  vocab_size: count().default(30_522),
  hidden_size: count().default(768),
  num_hidden_layers: layers().default(12),
  num_attention_heads: count().default(12),
  intermediate_size: count().default(3072),
  hidden_act: activation("gelu"),
  hidden_dropout_prob: rate().default(0.1),
  attention_probs_dropout_prob: rate().default(0.1),
  max_position_embeddings: count().default(512),
  type_vocab_size: count().default(2),
  initializer_range: positive().default(0.02),
  layer_norm_eps: positive().default(1e-12),
  classifier_dropout: rate().nullish(),
  position_embedding_type: only("absolute"),
  is_decoder: only(false),
  add_cross_attention: only(false),
};

const bertSchema = fields(bertFields, (values, report) =>
  requireMultiple(values, report, "hidden_size", "num_attention_heads"),
);

const bertOptions = (config: z.output<typeof bertSchema>): BertOptions => ({
  sizes: sizesOf(config),
  details: {
    activation: config.hidden_act,
    dropout: config.hidden_dropout_prob,
    attentionDropout: config.attention_probs_dropout_prob,
    epsilon: config.layer_norm_eps,
    deviation: config.initializer_range,
  },
  types: config.type_vocab_size,
});

export const bertFamily = defineFamily({
  type: "bert",
  schema: bertSchema,
  architectures: bertArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: bertOptions(config),
    dropout: config.classifier_dropout,
    tied: config.tie_word_embeddings ?? true,
  }),
});

const robertaSchema = fields(
  { ...bertFields, vocab_size: count().default(50_265), pad_token_id: count(0).default(1) },
  (values, report) => {
    requireMultiple(values, report, "hidden_size", "num_attention_heads");
    if (values.max_position_embeddings < values.pad_token_id + 2)
      report("max_position_embeddings", "more than pad_token_id + 1, since positions are counted from there on");
  },
);

const robertaLike = (type: string, classes: string) =>
  defineFamily({
    type,
    schema: robertaSchema,
    architectures: renamed(robertaArchitectures, "Roberta", classes),
    read: (config) => ({
      ...tokens(config.max_position_embeddings - config.pad_token_id - 1),
      options: { ...bertOptions(config), padding: config.pad_token_id },
      dropout: config.classifier_dropout,
      tied: config.tie_word_embeddings ?? true,
    }),
  });

export const robertaFamily = robertaLike("roberta", "Roberta");
/** RoBERTa trained on a hundred languages (Conneau et al. 2020). */
export const xlmRobertaFamily = robertaLike("xlm-roberta", "XLMRoberta");
/** RoBERTa trained on French (Martin et al. 2020). */
export const camembertFamily = robertaLike("camembert", "Camembert");

const albertSchema = fields(
  {
    ...bertFields,
    vocab_size: count().default(30_000),
    embedding_size: count().default(128),
    hidden_size: count().default(4096),
    num_hidden_groups: count().default(1),
    num_attention_heads: count().default(64),
    intermediate_size: count().default(16_384),
    inner_group_num: only(1),
    hidden_act: activation("gelu_new"),
    hidden_dropout_prob: rate().default(0),
    attention_probs_dropout_prob: rate().default(0),
    classifier_dropout_prob: rate().nullish(),
  },
  (values, report) => {
    requireMultiple(values, report, "hidden_size", "num_attention_heads");
    if (values.num_hidden_groups > values.num_hidden_layers)
      report("num_hidden_groups", `at most num_hidden_layers, which is ${values.num_hidden_layers}`);
  },
);

export const albertFamily = defineFamily({
  type: "albert",
  schema: albertSchema,
  architectures: albertArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: { ...bertOptions(config), embeddingWidth: config.embedding_size, groups: config.num_hidden_groups },
    // A null means the rate of the states, an absent field the class's default.
    dropout: config.classifier_dropout_prob === undefined ? 0.1 : config.classifier_dropout_prob,
    tied: config.tie_word_embeddings ?? true,
  }),
});

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

export const distilbertFamily = defineFamily({
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

const vitSchema = fields(
  {
    ...common,
    hidden_size: count().default(768),
    num_hidden_layers: layers().default(12),
    num_attention_heads: count().default(12),
    intermediate_size: count().default(3072),
    hidden_act: activation("gelu"),
    hidden_dropout_prob: rate().default(0),
    attention_probs_dropout_prob: rate().default(0),
    initializer_range: positive().default(0.02),
    layer_norm_eps: positive().default(1e-12),
    image_size: extents().default([224, 224]),
    patch_size: extents().default([16, 16]),
    num_channels: count(1, 65_536).default(3),
    qkv_bias: flag().default(true),
    pooler_act: only("tanh"),
    pooler_output_size: count().nullish(),
  },
  (values, report) => {
    requireMultiple(values, report, "hidden_size", "num_attention_heads");
    if (values.image_size.some((extent, i) => extent % (values.patch_size[i] as number) !== 0))
      report("image_size", `a multiple of patch_size, which is ${values.patch_size.join("x")}`);
    if ((values.pooler_output_size ?? values.hidden_size) !== values.hidden_size)
      report("pooler_output_size", `hidden_size, which is ${values.hidden_size}`);
  },
);

export const vitFamily = defineFamily({
  type: "vit",
  schema: vitSchema,
  architectures: vitArchitectures,
  read: (config) => ({
    inputs: imageInputs(config.num_channels, ...config.image_size),
    maxPositions: vitTokens({ image: config.image_size, patch: config.patch_size }),
    options: {
      sizes: {
        width: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        feedForward: config.intermediate_size,
      },
      details: {
        activation: config.hidden_act,
        dropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
        epsilon: config.layer_norm_eps,
        deviation: config.initializer_range,
      },
      image: config.image_size,
      patch: config.patch_size,
      channels: config.num_channels,
      attentionBias: config.qkv_bias,
    },
  }),
});
