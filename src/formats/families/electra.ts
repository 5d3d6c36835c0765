/** The config of electra, with the library's defaults. */
import { electraArchitectures } from "../../models/index.ts";
import { count, fields, requireMultiple } from "../config-fields.ts";
import { bertFields, bertOptions } from "./bert.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const electraFamily = defineFamily({
  type: "electra",
  schema: fields(
    {
      ...bertFields,
      embedding_size: count().default(128),
      hidden_size: count().default(256),
      num_attention_heads: count().default(4),
      intermediate_size: count().default(1024),
    },
    (values, report) => requireMultiple(values, report, "hidden_size", "num_attention_heads"),
  ),
  architectures: electraArchitectures,
  read: (config) => ({
    ...tokens(config.max_position_embeddings),
    options: { ...bertOptions(config), embeddingWidth: config.embedding_size },
    dropout: config.classifier_dropout,
    tied: config.tie_word_embeddings ?? true,
  }),
});

export const electraFamilies: readonly Family[] = [electraFamily];
