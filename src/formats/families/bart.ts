/** Configs of bart, mbart and marian, with the library's defaults. */
import type { z } from "zod";
import { type BartOptions, bartArchitectures, marianArchitectures, mbartArchitectures } from "../../models/index.ts";
import {
  activation,
  common,
  count,
  fields,
  flag,
  layers,
  only,
  positive,
  type Report,
  rate,
  tokenId,
} from "../config-fields.ts";
import { defineFamily, type Family, tokens } from "./family.ts";

const bartFields = {
  ...common,
  vocab_size: count().default(50_265),
  max_position_embeddings: count().default(1024),
  encoder_layers: layers().default(12),
  encoder_ffn_dim: count().default(4096),
  encoder_attention_heads: count().default(16),
  decoder_layers: layers().default(12),
  decoder_ffn_dim: count().default(4096),
  decoder_attention_heads: count().default(16),
  activation_function: activation("gelu"),
  d_model: count().default(1024),
  dropout: rate().default(0.1),
  attention_dropout: rate().default(0),
  init_std: positive().default(0.02),
  classifier_dropout: rate().default(0),
  scale_embedding: flag().default(false),
  pad_token_id: tokenId().default(1),
  eos_token_id: tokenId().default(2),
  decoder_start_token_id: tokenId().default(2),
  share_encoder_decoder_embeddings: only(true),
};
const bartSchema = fields(bartFields, checkHeads);
type BartFields = z.output<z.ZodObject<typeof bartFields>>;

function checkHeads(values: BartFields, report: Report): void {
  for (const field of ["encoder_attention_heads", "decoder_attention_heads"] as const)
    if (values.d_model % values[field] !== 0) report(field, `a divisor of d_model, which is ${values.d_model}`);
}

const read = (config: BartFields, name: string) => {
  const options: BartOptions = {
    sizes: {
      vocabulary: config.vocab_size,
      width: config.d_model,
      layers: config.encoder_layers,
      heads: config.encoder_attention_heads,
      feedForward: config.encoder_ffn_dim,
      positions: config.max_position_embeddings,
    },
    details: {
      activation: config.activation_function,
      dropout: config.dropout,
      attentionDropout: config.attention_dropout,
      deviation: config.init_std,
    },
    decoder: {
      layers: config.decoder_layers,
      heads: config.decoder_attention_heads,
      feedForward: config.decoder_ffn_dim,
    },
    scaled: config.scale_embedding,
    marks: { start: Math.max(0, config.decoder_start_token_id ?? 2), end: Math.max(0, config.eos_token_id ?? 2) },
  };
  // The other heads give the decoder what the encoder reads.
  const decoder = name.endsWith("Model") || name.endsWith("Generation");
  return {
    ...tokens(config.max_position_embeddings, { decoder }),
    options,
    dropout: config.classifier_dropout,
    tied: config.tie_word_embeddings ?? true,
  };
};

const bartFamily = defineFamily({
  type: "bart",
  // Three labels: BART was first tuned to tell what follows from a sentence, what contradicts it, and neither.
  schema: fields({ ...bartFields, num_labels: count().nullish().default(3) }, checkHeads),
  architectures: bartArchitectures,
  read,
});
const mbartFamily = defineFamily({ type: "mbart", schema: bartSchema, architectures: mbartArchitectures, read });
const marianFamily = defineFamily({
  type: "marian",
  schema: fields(
    {
      ...bartFields,
      vocab_size: count().default(58_101),
      pad_token_id: tokenId().default(58_100),
      eos_token_id: tokenId().default(0),
      decoder_start_token_id: tokenId().default(58_100),
    },
    (values, report) => {
      checkHeads(values, report);
      if (values.d_model % 2 === 1) report("d_model", "an even number, since positions are sines and cosines");
    },
  ),
  architectures: marianArchitectures,
  read,
});

export const bartFamilies: readonly Family[] = [bartFamily, mbartFamily, marianFamily];
