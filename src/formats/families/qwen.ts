/** Configs of qwen2, qwen3, qwen3_moe and smollm3, with the library's defaults. */
import * as z from "zod";
import {
  qwen2Architectures,
  qwen3Architectures,
  qwen3MoeArchitectures,
  smollm3Architectures,
} from "../../models/index.ts";
import { count, fields, flag, layers, positive, tokenId } from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";
import { byLayer, checkExperts, checkHeads, headWidth, llamaFields, reading, windowsOf } from "./llama.ts";
import { rotaryOf } from "./rotary-fields.ts";

const qwenFields = {
  ...llamaFields,
  vocab_size: count().default(151_936),
  intermediate_size: count().default(22_016),
  num_key_value_heads: count().nullish().default(32),
  max_position_embeddings: count().default(32_768),
  use_sliding_window: flag().default(false),
  sliding_window: count().nullish().default(4096),
  max_window_layers: count(0).default(28),
};
const qwenSchema = fields(qwenFields, checkHeads);

/** Windows where the config uses them, from some layer on. */
const qwenWindows = (config: z.output<typeof qwenSchema>) =>
  config.use_sliding_window ? windowsOf(config, (layer) => layer >= config.max_window_layers) : [];

const qwen2Family = defineFamily({
  type: "qwen2",
  schema: qwenSchema,
  architectures: qwen2Architectures,
  read: (config) => reading(config, { attention: { bias: "inputs", windows: qwenWindows(config) } }),
});

const qwen3Fields = { ...qwenFields, head_dim: count().nullish().default(128) };

const qwen3Family = defineFamily({
  type: "qwen3",
  schema: fields(qwen3Fields, checkHeads),
  architectures: qwen3Architectures,
  read: (config) => reading(config, { attention: { normalized: true, windows: qwenWindows(config) } }),
});

const qwen3MoeFamily = defineFamily({
  type: "qwen3_moe",
  schema: fields(
    {
      ...qwenFields,
      hidden_size: count().default(2048),
      intermediate_size: count().default(6144),
      num_hidden_layers: layers().default(24),
      num_key_value_heads: count().nullish().default(4),
      max_window_layers: count(0).default(0),
      decoder_sparse_step: count().default(1),
      moe_intermediate_size: count().default(768),
      num_experts_per_tok: count().default(8),
      num_experts: count().default(128),
      norm_topk_prob: flag().default(false),
      mlp_only_layers: z.array(count(0), { error: "a list of layers" }).nullish(),
    },
    (values, report) => {
      checkHeads(values, report);
      checkExperts(values, report, "num_experts");
    },
  ),
  architectures: qwen3MoeArchitectures,
  read: (config) => {
    const { mlp_only_layers: dense, decoder_sparse_step: step } = config;
    return reading(config, {
      attention: { normalized: true, windows: qwenWindows(config) },
      experts: {
        count: config.num_experts,
        perToken: config.num_experts_per_tok,
        feedForward: config.moe_intermediate_size,
        normalized: config.norm_topk_prob,
        layers: byLayer(config, (layer) => !dense?.includes(layer) && (layer + 1) % step === 0),
        names: "qwen",
      },
    });
  },
});

const smollm3Family = defineFamily({
  type: "smollm3",
  schema: fields(
    {
      ...qwenFields,
      vocab_size: count().default(128_256),
      hidden_size: count().default(2048),
      intermediate_size: count().default(11_008),
      num_hidden_layers: layers().default(36),
      num_attention_heads: count().default(16),
      num_key_value_heads: count().nullish().default(4),
      rope_theta: positive().nullish().default(2e6),
      sliding_window: count().nullish(),
      pad_token_id: tokenId().default(128_004),
      /** 0 for the layers whose queries and keys are not turned. */
      no_rope_layers: z.array(count(0, 1), { error: "a list of 0 and 1" }).nullish(),
      no_rope_layer_interval: count().default(4),
    },
    checkHeads,
  ),
  architectures: smollm3Architectures,
  read: (config) => {
    const { no_rope_layers: turns, no_rope_layer_interval: interval } = config;
    const turning = byLayer(config, (layer) => (turns ? turns[layer] !== 0 : (layer + 1) % interval !== 0));
    const rotary = rotaryOf(config, headWidth(config));
    const windows = config.use_sliding_window ? windowsOf(config, (layer) => turning[layer] === false) : [];
    return reading(
      config,
      { rotary: turning.map((turned) => (turned ? rotary : undefined)), attention: { windows } },
      true,
    );
  },
});

export const qwenFamilies: readonly Family[] = [qwen2Family, qwen3Family, qwen3MoeFamily, smollm3Family];
