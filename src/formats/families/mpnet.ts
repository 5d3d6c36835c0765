/** The config of mpnet, with the library's defaults. */
import { mpnetArchitectures } from "../../models/index.ts";
import { count, fields, requireMultiple } from "../config-fields.ts";
import { bertFields, bertOptions } from "./bert.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

/** Positions count from the padding token, which is 1 whatever the config says. */
const firstPosition = 2;

const mpnetFamily = defineFamily({
  type: "mpnet",
  schema: fields(
    {
      ...bertFields,
      vocab_size: count().default(30_527),
      max_position_embeddings: count(firstPosition + 1).default(512),
      relative_attention_num_buckets: count(4, 65_536).default(32),
    },
    (values, report) => requireMultiple(values, report, "hidden_size", "num_attention_heads"),
  ),
  architectures: mpnetArchitectures,
  read: (config) => {
    const { sizes, details } = bertOptions(config);
    return {
      ...tokens(config.max_position_embeddings - firstPosition),
      options: { sizes, details, buckets: config.relative_attention_num_buckets },
      tied: config.tie_word_embeddings ?? true,
    };
  },
});

export const mpnetFamilies: readonly Family[] = [mpnetFamily];
