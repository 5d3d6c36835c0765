/** Configs of convnext, resnet, mobilenet_v1 and mobilenet_v2, with the library's defaults. */
import * as z from "zod";
import {
  convnextArchitectures,
  mobilenetV1Architectures,
  mobilenetV2Architectures,
  resnetArchitectures,
} from "../../models/index.ts";
import { imageInputs } from "../../models/shared/preset.ts";
import {
  activation,
  common,
  count,
  depths,
  extents,
  fields,
  flag,
  only,
  positive,
  type Report,
  rate,
} from "../config-fields.ts";
import { defineFamily, type Family } from "./family.ts";

/** One number for each stage. */
const perStage = (...standard: readonly number[]) =>
  z.array(count(1, 65_536), { error: "a list of whole numbers, one for each stage" }).default([...standard]);

const imageFields = {
  ...common,
  num_channels: count(1, 65_536).default(3),
  image_size: extents().default([224, 224]),
};

/** What an image is: [channels, rows, columns], and that there are no positions. */
const images = ({
  num_channels,
  image_size,
}: {
  readonly num_channels: number;
  readonly image_size: readonly [number, number];
}) => ({
  inputs: imageInputs(num_channels, ...image_size),
  maxPositions: 1,
});

function checkStages(
  values: { readonly depths: readonly number[]; readonly hidden_sizes: readonly number[] },
  report: Report,
): void {
  if (values.depths.length !== values.hidden_sizes.length)
    report("depths", `one for each of the ${values.hidden_sizes.length} hidden_sizes`);
}

const convnextFamily = defineFamily({
  type: "convnext",
  schema: fields(
    {
      ...imageFields,
      patch_size: count(1, 65_536).default(4),
      hidden_sizes: perStage(96, 192, 384, 768),
      depths: depths(3, 3, 9, 3),
      hidden_act: activation("gelu"),
      initializer_range: positive().default(0.02),
      layer_norm_eps: positive().default(1e-12),
      layer_scale_init_value: z.number({ error: "a number from 0" }).min(0, { error: "a number from 0" }).default(1e-6),
    },
    checkStages,
  ),
  architectures: convnextArchitectures,
  read: (config) => ({
    ...images(config),
    options: {
      depths: config.depths,
      widths: config.hidden_sizes,
      patch: config.patch_size,
      layerScale: config.layer_scale_init_value,
      activation: config.hidden_act,
      epsilon: config.layer_norm_eps,
      deviation: config.initializer_range,
    },
  }),
});

const layerType = z.enum(["basic", "bottleneck"], { error: "one of basic, bottleneck" }).default("bottleneck");

const resnetFamily = defineFamily({
  type: "resnet",
  schema: fields(
    {
      ...imageFields,
      embedding_size: count(1, 65_536).default(64),
      hidden_sizes: perStage(256, 512, 1024, 2048),
      depths: depths(3, 4, 6, 3),
      layer_type: layerType,
      hidden_act: activation("relu"),
      downsample_in_first_stage: flag().default(false),
      downsample_in_bottleneck: flag().default(false),
    },
    checkStages,
  ),
  architectures: resnetArchitectures,
  read: (config) => ({
    ...images(config),
    options: {
      depths: config.depths,
      widths: config.hidden_sizes,
      stem: config.embedding_size,
      layer: config.layer_type,
      activation: config.hidden_act,
      halveFirst: config.downsample_in_first_stage,
      strideFirst: config.downsample_in_bottleneck,
    },
  }),
});

const mobilenetFields = {
  ...imageFields,
  depth_multiplier: positive().default(1),
  min_depth: count(1, 65_536).default(8),
  hidden_act: activation("relu6"),
  tf_padding: flag().default(true),
  classifier_dropout_prob: rate().default(0.999),
  layer_norm_eps: positive().default(1e-3),
};

const mobilenetOptions = (config: z.output<z.ZodObject<typeof mobilenetFields>>) => ({
  width: config.depth_multiplier,
  least: config.min_depth,
  activation: config.hidden_act,
  tensorflowPadding: config.tf_padding,
  epsilon: config.layer_norm_eps,
});

const mobilenetV1Family = defineFamily({
  type: "mobilenet_v1",
  schema: fields(mobilenetFields, () => {}),
  architectures: mobilenetV1Architectures,
  read: (config) => ({
    ...images(config),
    options: mobilenetOptions(config),
    dropout: config.classifier_dropout_prob,
  }),
});

const mobilenetV2Family = defineFamily({
  type: "mobilenet_v2",
  schema: fields(
    {
      ...mobilenetFields,
      classifier_dropout_prob: rate().default(0.8),
      depth_divisible_by: only(8),
      expand_ratio: positive().default(6),
      output_stride: only(32),
      first_layer_is_expansion: only(true),
      finegrained_output: flag().default(true),
    },
    () => {},
  ),
  architectures: mobilenetV2Architectures,
  read: (config) => ({
    ...images(config),
    options: { ...mobilenetOptions(config), expansion: config.expand_ratio, wideEnd: config.finegrained_output },
    dropout: config.classifier_dropout_prob,
  }),
});

export const convolutionalFamilies: readonly Family[] = [
  convnextFamily,
  resnetFamily,
  mobilenetV1Family,
  mobilenetV2Family,
];
