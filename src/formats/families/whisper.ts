/** The config of whisper, with the library's defaults. */
import { whisperArchitectures } from "../../models/index.ts";
import { shownLength, tokenType } from "../../models/shared/preset.ts";
import { activation, common, count, fields, layers, only, positive, rate } from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";

const whisperFamily = defineFamily({
  type: "whisper",
  schema: fields(
    {
      ...common,
      vocab_size: count().default(51_865),
      num_mel_bins: count(1, 65_536).default(80),
      encoder_layers: layers().default(4),
      encoder_attention_heads: count().default(6),
      encoder_ffn_dim: count().default(1536),
      decoder_layers: layers().default(4),
      decoder_attention_heads: count().default(6),
      decoder_ffn_dim: count().default(1536),
      activation_function: activation("gelu"),
      d_model: count().default(384),
      dropout: rate().default(0),
      attention_dropout: rate().default(0),
      init_std: positive().default(0.02),
      scale_embedding: only(false),
      max_source_positions: count(1, 1_000_000).default(1500),
      max_target_positions: count().default(448),
      use_weighted_layer_sum: only(false),
      classifier_proj_size: count().default(256),
    },
    (values, report) => {
      for (const field of ["encoder_attention_heads", "decoder_attention_heads"] as const)
        if (values.d_model % values[field] !== 0) report(field, `a divisor of d_model, which is ${values.d_model}`);
      if (values.d_model % 2 === 1) report("d_model", "an even number, since positions are sines and cosines");
    },
  ),
  architectures: whisperArchitectures,
  read: (config, name) => {
    // Two frames of sound a position.
    const shape = [1, config.num_mel_bins, 2 * config.max_source_positions];
    const decoder = tokenType(shownLength(config.max_target_positions));
    return {
      inputs: { x: { dtype: "float32", shape }, ...(name !== "WhisperForAudioClassification" && { decoder }) },
      maxPositions: config.max_source_positions,
      options: {
        sizes: {
          vocabulary: config.vocab_size,
          width: config.d_model,
          layers: config.encoder_layers,
          heads: config.encoder_attention_heads,
          feedForward: config.encoder_ffn_dim,
          positions: config.max_source_positions,
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
          positions: config.max_target_positions,
        },
        projection: config.classifier_proj_size,
      },
      tied: config.tie_word_embeddings ?? true,
    };
  },
});

export const whisperFamilies: readonly Family[] = [whisperFamily];
