/** The config of swin, with the library's defaults. */
import * as z from "zod";
import { swinArchitectures } from "../../models/index.ts";
import { imageInputs } from "../../models/shared/preset.ts";
import { activation, common, count, depths, extents, fields, flag, only, positive, rate } from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";

const list = (...standard: readonly number[]) =>
  z.array(count(1, 65_536), { error: "a list of whole numbers, one for each stage" }).default([...standard]);

const swinFamily = defineFamily({
  type: "swin",
  schema: fields(
    {
      ...common,
      image_size: extents().default([224, 224]),
      patch_size: count(1, 65_536).default(4),
      num_channels: count(1, 65_536).default(3),
      embed_dim: count().default(96),
      depths: depths(2, 2, 6, 2),
      num_heads: list(3, 6, 12, 24),
      window_size: count(1, 65_536).default(7),
      mlp_ratio: positive().default(4),
      qkv_bias: flag().default(true),
      hidden_dropout_prob: rate().default(0),
      attention_probs_dropout_prob: rate().default(0),
      hidden_act: activation("gelu"),
      use_absolute_embeddings: only(false),
      initializer_range: positive().default(0.02),
      layer_norm_eps: positive().default(1e-5),
    },
    (values, report) => {
      const { depths, num_heads: heads, embed_dim: width, image_size: image, patch_size: patch } = values;
      if (depths.length !== heads.length) report("num_heads", `one for each of the ${depths.length} depths`);
      heads.forEach((own, i) => {
        if ((width * 2 ** i) % own !== 0)
          report("num_heads", `divisors of the widths, which are ${width} times 1, 2, 4, …`);
      });
      const smallest = Math.min(
        ...image.map((extent) => Math.ceil(Math.ceil(extent / patch) / 2 ** (depths.length - 1))),
      );
      if (smallest < values.window_size)
        report("window_size", `at most ${smallest}, the patches beside one another in the last stage`);
    },
  ),
  architectures: swinArchitectures,
  read: (config) => ({
    inputs: imageInputs(config.num_channels, ...config.image_size),
    maxPositions: config.image_size.reduce((product, extent) => product * Math.ceil(extent / config.patch_size), 1),
    options: {
      image: config.image_size,
      patch: config.patch_size,
      width: config.embed_dim,
      stages: config.depths.map((own, i) => ({ layers: own, heads: config.num_heads[i] ?? 1 })),
      window: config.window_size,
      details: {
        activation: config.hidden_act,
        dropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
        epsilon: config.layer_norm_eps,
        deviation: config.initializer_range,
      },
      variant: { expansion: config.mlp_ratio, attentionBias: config.qkv_bias },
    },
  }),
});

export const swinFamilies: readonly Family[] = [swinFamily];
