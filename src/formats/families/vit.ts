/** Configs of vit, deit and dinov2, with the library's defaults. */
import * as z from "zod";
import { deitArchitectures, dinov2Architectures, type VitTokens, vitArchitectures } from "../../models/index.ts";
import { imageInputs } from "../../models/shared/preset.ts";
import { vitTokens } from "../../models/vision/transformers/vit.ts";
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
  type Report,
  rate,
  requireMultiple,
} from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";

const vitFields = {
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
};
type VitFields = z.output<z.ZodObject<typeof vitFields>>;

function checkFields(values: VitFields, report: Report): void {
  requireMultiple(values, report, "hidden_size", "num_attention_heads");
  if (values.image_size.some((extent, i) => extent % (values.patch_size[i] as number) !== 0))
    report("image_size", `a multiple of patch_size, which is ${values.patch_size.join("x")}`);
  if ((values.pooler_output_size ?? values.hidden_size) !== values.hidden_size)
    report("pooler_output_size", `hidden_size, which is ${values.hidden_size}`);
}

const vitReading = (config: VitFields, tokens: VitTokens = {}) => ({
  inputs: imageInputs(config.num_channels, ...config.image_size),
  maxPositions: vitTokens({ image: config.image_size, patch: config.patch_size, tokens }),
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
    tokens,
  },
});

const vitFamily = defineFamily({
  type: "vit",
  schema: fields(vitFields, checkFields),
  architectures: vitArchitectures,
  read: (config) => vitReading(config),
});

const deitFamily = defineFamily({
  type: "deit",
  schema: fields(vitFields, checkFields),
  architectures: deitArchitectures,
  read: (config) => vitReading(config, { distilled: true }),
});

const dinov2Family = defineFamily({
  type: "dinov2",
  schema: fields(
    {
      ...vitFields,
      layer_norm_eps: positive().default(1e-6),
      patch_size: extents().default([14, 14]),
      mlp_ratio: positive().default(4),
      layerscale_value: z.number({ error: "a number" }).default(1),
      use_swiglu_ffn: flag().default(false),
      use_mask_token: flag().default(true),
    },
    checkFields,
  ),
  architectures: dinov2Architectures,
  read: (config) => {
    const feedForward = Math.floor(config.hidden_size * config.mlp_ratio);
    const { options, ...reading } = vitReading(config, { mask: config.use_mask_token });
    const dino = { layerScale: config.layerscale_value, gated: config.use_swiglu_ffn };
    return { ...reading, options: { ...options, sizes: { ...options.sizes, feedForward }, dino } };
  },
});

export const vitFamilies: readonly Family[] = [vitFamily, deitFamily, dinov2Family];
