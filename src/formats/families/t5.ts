/** Configs of t5 and mt5, with the library's defaults. */
import * as z from "zod";
import { t5Architectures } from "../../models/index.ts";
import {
  activation,
  activationNames,
  common,
  count,
  fields,
  flag,
  layers,
  positive,
  type Report,
  rate,
  tokenId,
} from "../config-fields.ts";
import { defineFamily, type Family, renamed, tokens } from "./family.ts";

/** "relu", or "gated-gelu", whose gelu is the library's gelu_new. */
const network = (standard: "relu" | "gated-gelu") =>
  z
    .enum([...activationNames, ...activationNames.map((name) => `gated-${name}` as const)], {
      error: `one of ${activationNames.join(", ")}, or one of them after "gated-"`,
    })
    .default(standard)
    .transform((name) => {
      const inner = name === "gated-gelu" ? "gelu_new" : name.replace("gated-", "");
      return { activation: activation("relu").parse(inner), gated: name.startsWith("gated-") };
    });

const t5Fields = {
  ...common,
  vocab_size: count().default(32_128),
  d_model: count().default(512),
  d_kv: count().default(64),
  d_ff: count().default(2048),
  num_layers: layers().default(6),
  num_decoder_layers: layers().nullish(),
  num_heads: count().default(8),
  relative_attention_num_buckets: count(4, 65_536).default(32),
  relative_attention_max_distance: count().default(128),
  dropout_rate: rate().default(0.1),
  layer_norm_epsilon: positive().default(1e-6),
  feed_forward_proj: network("relu"),
  n_positions: count().default(512),
  eos_token_id: tokenId(),
  classifier_dropout: rate().nullish(),
  scale_decoder_outputs: flag().nullish(),
};

/** Reports distances that do not fit their buckets. */
function checkDistances(
  values: { readonly relative_attention_num_buckets: number; readonly relative_attention_max_distance: number },
  report: Report,
): void {
  const exact = Math.floor(values.relative_attention_num_buckets / 2);
  if (values.relative_attention_max_distance <= exact)
    report("relative_attention_max_distance", `more than half of relative_attention_num_buckets, which is ${exact}`);
}

const t5Schema = fields(t5Fields, checkDistances);

const t5Read = (config: z.output<typeof t5Schema>, name: string) => ({
  ...tokens(config.n_positions, { decoder: /(T5Model|Generation)$/.test(name) }),
  dropout: config.classifier_dropout,
  options: {
    sizes: {
      vocabulary: config.vocab_size,
      width: config.d_model,
      layers: config.num_layers,
      heads: config.num_heads,
      feedForward: config.d_ff,
    },
    keyWidth: config.d_kv,
    decoderLayers: config.num_decoder_layers ?? undefined,
    network: config.feed_forward_proj,
    distances: {
      buckets: config.relative_attention_num_buckets,
      farthest: config.relative_attention_max_distance,
    },
    dropout: config.dropout_rate,
    epsilon: config.layer_norm_epsilon,
  },
  // Version 5 of the library writes that embeddings are tied in either case, and the other field decides.
  tied: (config.tie_word_embeddings ?? true) && (config.scale_decoder_outputs ?? true),
});

const t5Family = defineFamily({ type: "t5", schema: t5Schema, architectures: t5Architectures, read: t5Read });

/** T5 trained on a hundred languages (Xue et al. 2021): gated networks, and scores of their own. */
const mt5Family = defineFamily({
  type: "mt5",
  schema: fields(
    {
      ...t5Fields,
      vocab_size: count().default(250_112),
      d_ff: count().default(1024),
      num_layers: layers().default(8),
      num_heads: count().default(6),
      feed_forward_proj: network("gated-gelu"),
      tie_word_embeddings: flag().default(false),
    },
    checkDistances,
  ),
  architectures: renamed(t5Architectures, "T5", "MT5"),
  read: t5Read,
});

export const t5Families: readonly Family[] = [t5Family, mt5Family];
