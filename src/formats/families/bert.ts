/** Configs of bert, roberta and its relatives, and albert, with the library's defaults. */
import type { z } from "zod";
import { albertArchitectures, type BertOptions, bertArchitectures, robertaArchitectures } from "../../models/index.ts";
import {
  activation,
  common,
  count,
  fields,
  layers,
  only,
  positive,
  rate,
  requireMultiple,
  sizesOf,
} from "../config-fields.ts";
import { defineFamily, type Family, renamed, tokens } from "./family.ts";

/** Fields of bert, which roberta and albert have too, with other defaults. */
export const bertFields = {
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

export const bertOptions = (config: z.output<typeof bertSchema>): BertOptions => ({
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

const bertFamily = defineFamily({
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

const robertaFamily = robertaLike("roberta", "Roberta");
/** RoBERTa trained on a hundred languages (Conneau et al. 2020). */
const xlmRobertaFamily = robertaLike("xlm-roberta", "XLMRoberta");
/** RoBERTa trained on French (Martin et al. 2020). */
const camembertFamily = robertaLike("camembert", "Camembert");

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

const albertFamily = defineFamily({
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

export const bertFamilies: readonly Family[] = [
  bertFamily,
  robertaFamily,
  xlmRobertaFamily,
  camembertFamily,
  albertFamily,
];
