/** Configs of gemma, gemma2 and gemma3_text, with the library's defaults. */
import type { z } from "zod";
import { gemma2Architectures, gemma3Architectures, gemmaArchitectures, type LlamaOptions } from "../../models/index.ts";
import { activation, count, fields, layers, positive, tokenId } from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";
import { checkHeads, headWidth, type LlamaFields, llamaFields, reading, windowsOf } from "./llama.ts";
import { rotaryOf } from "./rotary-fields.ts";

const gemmaFields = {
  ...llamaFields,
  vocab_size: count().default(256_000),
  hidden_size: count().default(3072),
  intermediate_size: count().default(24_576),
  num_hidden_layers: layers().default(28),
  num_attention_heads: count().default(16),
  num_key_value_heads: count().nullish().default(16),
  head_dim: count().nullish().default(256),
  hidden_act: activation("gelu_pytorch_tanh"),
  /** It stands over hidden_act, the older field. */
  hidden_activation: activation("gelu_pytorch_tanh").nullish(),
  max_position_embeddings: count().default(8192),
  pad_token_id: tokenId().default(0),
};

const gemmaFamily = defineFamily({
  type: "gemma",
  schema: fields(gemmaFields, checkHeads),
  architectures: gemmaArchitectures,
  read: (config) => reading(gemmaActivation(config), { variant: { gemma: true } }, true),
});

const gemmaActivation = <T extends LlamaFields & { hidden_activation?: LlamaFields["hidden_act"] | null | undefined }>(
  config: T,
): T => ({ ...config, hidden_act: config.hidden_activation ?? config.hidden_act });

const gemma2Fields = {
  ...gemmaFields,
  hidden_size: count().default(2304),
  intermediate_size: count().default(9216),
  num_hidden_layers: layers().default(26),
  num_attention_heads: count().default(8),
  num_key_value_heads: count().nullish().default(4),
  query_pre_attn_scalar: positive().default(256),
  sliding_window: count().nullish().default(4096),
  final_logit_softcapping: positive().nullish().default(30),
  attn_logit_softcapping: positive().nullish().default(50),
};
type Caps = "final_logit_softcapping" | "attn_logit_softcapping";
type Gemma2Fields = Omit<z.output<z.ZodObject<typeof gemma2Fields>>, Caps> & {
  readonly [name in Caps]?: number | null | undefined;
};

/** Gemma 2 and 3: norms on both sides, and a window in all layers but each `period`-th. */
const gemma2Options = (config: Gemma2Fields, period: number): Partial<LlamaOptions> => ({
  attention: {
    windows: windowsOf(config, (layer) => (layer + 1) % period !== 0),
    scale: config.query_pre_attn_scalar ** -0.5,
    cap: config.attn_logit_softcapping ?? undefined,
  },
  variant: { gemma: true, sandwiched: true, scoreCap: config.final_logit_softcapping ?? undefined },
});

const gemma2Family = defineFamily({
  type: "gemma2",
  schema: fields(gemma2Fields, checkHeads),
  architectures: gemma2Architectures,
  read: (config) => reading(gemmaActivation(config), gemma2Options(config, 2), true),
});

const gemma3Family = defineFamily({
  type: "gemma3_text",
  schema: fields(
    {
      ...gemma2Fields,
      vocab_size: count().default(262_208),
      max_position_embeddings: count().default(131_072),
      rope_theta: positive().nullish().default(1e6),
      /** Of layers with a window. */
      rope_local_base_freq: positive().default(10_000),
      /** One layer of so many attends to all tokens. */
      sliding_window_pattern: count().nullish(),
      _sliding_window_pattern: count().nullish(),
      final_logit_softcapping: positive().nullish(),
      attn_logit_softcapping: positive().nullish(),
    },
    checkHeads,
  ),
  architectures: gemma3Architectures,
  read: (config) => {
    const period = config.sliding_window_pattern ?? config._sliding_window_pattern ?? 6;
    const options = gemma2Options(config, period);
    const windows = options.attention?.windows ?? [];
    const rotary = rotaryOf(config, headWidth(config));
    const rotaries = windows.map((window) => (window === undefined ? rotary : { base: config.rope_local_base_freq }));
    const attention = { ...options.attention, normalized: true };
    return reading(gemmaActivation(config), { ...options, attention, rotary: rotaries }, true);
  },
});

export const gemmaFamilies: readonly Family[] = [gemmaFamily, gemma2Family, gemma3Family];
