/** The config of deberta-v2, which version 3 has too, with the library's defaults. */
import * as z from "zod";
import { debertaArchitectures } from "../../models/index.ts";
import { activation, count, fields, flag, only, positive, rate, requireMultiple } from "../config-fields.ts";
import { bertFields, bertOptions } from "./bert.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

/** A list of names, or one string of them with bars between. */
const names = () =>
  z.union(
    [z.string().transform((text) => text.split("|").map((name) => name.trim().toLowerCase())), z.array(z.string())],
    {
      error: "a list of names",
    },
  );
/** A number that is below 1 where there is none. */
const optional = () => z.number({ error: "a whole number" }).int({ error: "a whole number" }).default(-1);

const debertaFamily = defineFamily({
  type: "deberta-v2",
  schema: fields(
    {
      ...bertFields,
      vocab_size: count().default(128_100),
      hidden_size: count().default(1536),
      num_hidden_layers: bertFields.num_hidden_layers.unwrap().default(24),
      num_attention_heads: count().default(24),
      intermediate_size: count().default(6144),
      type_vocab_size: count(0).default(0),
      layer_norm_eps: positive().default(1e-7),
      relative_attention: flag().default(false),
      max_relative_positions: optional(),
      position_buckets: optional(),
      position_biased_input: flag().default(true),
      pos_att_type: names().nullish(),
      share_att_key: flag().default(false),
      norm_rel_ebd: names().default(["none"]),
      conv_kernel_size: count(0).default(0),
      conv_groups: only(1),
      conv_act: activation("tanh"),
      pooler_dropout: rate().default(0),
      pooler_hidden_act: activation("gelu"),
      pooler_hidden_size: count().nullish(),
      cls_dropout: rate().nullish(),
      embedding_size: count().nullish(),
    },
    (values, report) => {
      requireMultiple(values, report, "hidden_size", "num_attention_heads");
      for (const field of ["pooler_hidden_size", "embedding_size"] as const)
        if ((values[field] ?? values.hidden_size) !== values.hidden_size)
          report(field, `hidden_size, which is ${values.hidden_size}`);
      if (values.conv_kernel_size > 0 && values.conv_kernel_size % 2 === 0)
        report("conv_kernel_size", "an odd number, so that a word stands in the middle");
    },
  ),
  architectures: debertaArchitectures,
  read: (config, name) => {
    const { sizes, details, types } = bertOptions(config);
    const known = (product: string): product is "c2p" | "p2c" => product === "c2p" || product === "p2c";
    const atLeastOne = (value: number) => (value > 0 ? value : undefined);
    return {
      ...tokens(config.max_position_embeddings),
      options: {
        sizes,
        details,
        types,
        attention: config.relative_attention
          ? {
              products: (config.pos_att_type ?? []).filter(known),
              buckets: atLeastOne(config.position_buckets),
              farthest: atLeastOne(config.max_relative_positions),
              shared: config.share_att_key,
              normalized: config.norm_rel_ebd.includes("layer_norm"),
            }
          : undefined,
        positioned: config.position_biased_input,
        convolution:
          config.conv_kernel_size > 0 ? { kernel: config.conv_kernel_size, activation: config.conv_act } : undefined,
        poolerActivation: config.pooler_hidden_act,
      },
      dropout: name.endsWith("SequenceClassification") ? (config.cls_dropout ?? undefined) : undefined,
      tied: config.tie_word_embeddings ?? true,
    };
  },
});

export const debertaFamilies: readonly Family[] = [debertaFamily];
