/** Configs of clip and siglip, whose towers have configs of their own, with the library's defaults. */
import * as z from "zod";
import { isPlainObject } from "../../core/tree.ts";
import { clipArchitectures, siglipArchitectures } from "../../models/index.ts";
import { imageInputs, shownLength, tokenType } from "../../models/shared/preset.ts";
import {
  activation,
  common,
  count,
  fields,
  layers,
  positive,
  type Report,
  rate,
  section,
  sizesOf,
  tokenId,
} from "../config-fields.ts";
import { type ConfiguredModel, defineFamily, type Family } from "./family.ts";

const tower = (act: "quick_gelu" | "gelu_pytorch_tanh", epsilon: number) => ({
  hidden_size: count().default(768),
  intermediate_size: count().default(3072),
  num_hidden_layers: layers().default(12),
  num_attention_heads: count().default(12),
  hidden_act: activation(act),
  layer_norm_eps: positive().default(epsilon),
  attention_dropout: rate().default(0),
  initializer_range: positive().default(0.02),
});

const textFields = (act: "quick_gelu" | "gelu_pytorch_tanh", epsilon: number, positions: number) => ({
  ...tower(act, epsilon),
  vocab_size: count().default(49_408),
  max_position_embeddings: count().default(positions),
  eos_token_id: tokenId().default(49_407),
});

const imageFields = (act: "quick_gelu" | "gelu_pytorch_tanh", epsilon: number, patch: number) => ({
  ...tower(act, epsilon),
  num_channels: count(1, 65_536).default(3),
  image_size: count(1, 65_536).default(224),
  patch_size: count(1, 65_536).default(patch),
});

type TowerFields = z.output<z.ZodObject<ReturnType<typeof tower>>>;
type TextFields = z.output<z.ZodObject<ReturnType<typeof textFields>>>;
type ImageFields = z.output<z.ZodObject<ReturnType<typeof imageFields>>>;

/** Fields of both towers: in an object of each, or of one tower alone at the top. */
interface Towers {
  readonly text_config: TextFields;
  readonly vision_config: ImageFields;
}

function checkTowers({ text_config: text, vision_config: image }: Towers, report: Report): void {
  for (const [name, { hidden_size, num_attention_heads }] of Object.entries({
    text_config: text,
    vision_config: image,
  }))
    if (hidden_size % num_attention_heads !== 0)
      report(`${name}.hidden_size`, `a multiple of num_attention_heads, which is ${num_attention_heads}`);
  if (image.patch_size > image.image_size)
    report("vision_config.patch_size", `at most image_size, which is ${image.image_size}`);
}

const detailsOf = (config: TowerFields) => ({
  activation: config.hidden_act,
  attentionDropout: config.attention_dropout,
  epsilon: config.layer_norm_eps,
  deviation: config.initializer_range,
});

/** Options of both towers. */
const towersOf = ({ text_config: text, vision_config: image }: Towers) => ({
  text: {
    sizes: sizesOf(text),
    details: detailsOf(text),
    // A 2 stands for the wrong number that early files have, and the largest number of a text is taken.
    end: text.eos_token_id == null || text.eos_token_id <= 2 ? undefined : text.eos_token_id,
  },
  image: {
    sizes: {
      width: image.hidden_size,
      layers: image.num_hidden_layers,
      heads: image.num_attention_heads,
      feedForward: image.intermediate_size,
    },
    details: detailsOf(image),
    image: image.image_size,
    patch: image.patch_size,
    channels: image.num_channels,
  },
});

/** What a class takes: images, texts, or both. */
function inputsOf(
  { text_config: text, vision_config: image }: Towers,
  name: string,
): Pick<ConfiguredModel, "inputs" | "maxPositions"> {
  const ids = tokenType(shownLength(text.max_position_embeddings));
  const images = imageInputs(image.num_channels, image.image_size);
  const maxPositions = text.max_position_embeddings;
  if (/TextModel/.test(name)) return { inputs: { x: ids }, maxPositions };
  if (/VisionModel|ImageClassification/.test(name)) return { inputs: images, maxPositions };
  return { inputs: { ...images, text: ids }, maxPositions };
}

const [clipText, clipImage] = [textFields("quick_gelu", 1e-5, 77), imageFields("quick_gelu", 1e-5, 32)];
const clipTextDefaults = {
  ...clipText,
  hidden_size: count().default(512),
  intermediate_size: count().default(2048),
  num_attention_heads: count().default(8),
};

/** Early files describe the towers in fields of other names, which are what counts. */
const byLaterNames = (config: unknown) => {
  if (!isPlainObject(config)) return config;
  const { text_config_dict, vision_config_dict, text_config, vision_config, ...rest } = config;
  return {
    ...rest,
    text_config: text_config_dict ?? text_config,
    vision_config: vision_config_dict ?? vision_config,
  };
};

const clipFamily = defineFamily({
  type: "clip",
  schema: z.preprocess(
    byLaterNames,
    fields(
      {
        ...common,
        text_config: section(clipTextDefaults),
        vision_config: section(clipImage),
        projection_dim: count().default(512),
        logit_scale_init_value: z.number({ error: "a number" }).default(2.6592),
      },
      checkTowers,
    ),
  ),
  architectures: clipArchitectures,
  read: (config, name) => ({
    ...inputsOf(config, name),
    options: { ...towersOf(config), projection: config.projection_dim, logScale: config.logit_scale_init_value },
  }),
});

const siglipFamily = defineFamily({
  type: "siglip",
  schema: fields(
    {
      ...common,
      text_config: section({ ...textFields("gelu_pytorch_tanh", 1e-6, 64), vocab_size: count().default(32_000) }),
      vision_config: section(imageFields("gelu_pytorch_tanh", 1e-6, 16)),
    },
    checkTowers,
  ),
  architectures: siglipArchitectures,
  read: (config, name) => ({ ...inputsOf(config, name), options: towersOf(config) }),
});

export const towerFamilies: readonly Family[] = [clipFamily, siglipFamily];
