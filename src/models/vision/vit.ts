/** ViT: a transformer of image patches (Dosovitskiy et al. 2021), under torchvision's names and Hugging Face's. */

import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, eitherOf, extentsType, flag } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  type Context,
  conv2d,
  dense,
  dropout,
  type LayerNorm,
  layerNorm,
  Module,
  multiHeadAttention,
  type TensorModule,
} from "../../nn/index.ts";
import { add, concat, expand, reshape, transpose } from "../../ops/index.ts";
import { type Chain, chain } from "../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, firstToken, headed } from "../shared/heads.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  SelfAttention,
  sizesTypes,
  type TransformerDetails,
  type TransformerSizes,
} from "../shared/tokens.ts";
import { BertPooler } from "../text/encoders/bert.ts";

/** Rows and columns: one number for both, or one each. */
export type ImageExtents = number | readonly [rows: number, columns: number];

const pairOf = (extents: ImageExtents): readonly [rows: number, columns: number] =>
  typeof extents === "number" ? [extents, extents] : extents;

/** Options of `VitModel` and `VisionTransformer`. */
export interface VitOptions {
  /** Its extents. */
  readonly sizes: Omit<TransformerSizes, "vocabulary" | "positions">;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** Rows and columns of an image, one number for both or [rows, columns]; the patch's divide them. Default 224. */
  readonly image?: ImageExtents;
  /** Rows and columns of a patch, likewise; default 16. */
  readonly patch?: ImageExtents;
  /** Default 3. */
  readonly channels?: number;
  /** Queries, keys and values have a bias; default true. Only under Hugging Face's names. */
  readonly attentionBias?: boolean;
}

/** Options of `VisionTransformer`. */
export interface VisionTransformerOptions extends VitOptions {
  /** Default 1,000. */
  readonly classes?: number;
}

/** Options of `VitModel`. */
export interface VitModelOptions extends VitOptions {
  /** Run the pooler; default true. */
  readonly pooler?: boolean;
}

const { vocabulary: _, positions: __, ...extents } = sizesTypes;
const vitTypes: OptionTypes<VitOptions> = {
  sizes: required(optionsOf<VitOptions["sizes"]>("sizes", extents).type),
  details: detailsType,
  image: eitherOf(count(), extentsType, "a whole number from 1, or [rows, columns]"),
  patch: eitherOf(count(), extentsType, "a whole number from 1, or [rows, columns]"),
  channels: count(),
  attentionBias: flag,
};
const checkVision = optionsOf<VisionTransformerOptions>("VisionTransformer", { ...vitTypes, classes: count() });
const checkVit = optionsOf<VitModelOptions>("VitModel", { ...vitTypes, pooler: flag });

const defaults = ({ sizes, details, image = 224, patch = 16, ...own }: VitOptions) => {
  const settings = {
    activation: "gelu" as ActivationName,
    dropout: 0,
    attentionDropout: 0,
    image: pairOf(image),
    patch: pairOf(patch),
    channels: 3,
    attentionBias: true,
    deviation: 0.02,
    ...sizes,
    ...details,
    ...own,
  };
  requireHeads("vit", settings);
  if (settings.image.some((extent, i) => extent % (settings.patch[i] as number) !== 0))
    throw new OptionError(
      `vit: patches of ${settings.patch.join("x")} do not divide an image of ${settings.image.join("x")}; pass divisors of it`,
    );
  return settings;
};
type Settings = ReturnType<typeof defaults> & { readonly epsilon: number };

/** Tokens of an image: its patches and the class token. */
export function vitTokens({ image = 224, patch = 16 }: Pick<VitOptions, "image" | "patch">): number {
  const [[rows, columns], [height, width]] = [pairOf(image), pairOf(patch)];
  return (rows / height) * (columns / width) + 1;
}

const patches = ({ width, patch }: Settings) => conv2d(width, patch, { stride: patch, initializer: "lecunNormal" });

/** A class token [1, 1, W] before the patches of a map [N, W, rows, columns]: [N, 1 + patches, W] (eq. 1). */
function tokensOf(map: Value, classToken: Value): Value {
  const [batch = 1, width = 1, rows = 1, columns = 1] = map.shape;
  const tokens = transpose(reshape(map, [batch, width, rows * columns]), [0, 2, 1]);
  return concat([expand(classToken, [batch, 1, width]), tokens], 1);
}

function requireImage(x: Value, { image, channels }: Settings): void {
  const wanted = [channels, ...image];
  if (x.rank !== 4 || wanted.some((extent, i) => x.shape[i + 1] !== extent))
    throw new ShapeError(
      `input ${showShape(x.shape)} is no batch of the images that the positions are for; pass [batch, ${wanted.join(", ")}]`,
    );
}

/** Adds to its input, one after the other, what its branches make of it (eq. 2 and 3); parts by their published names. */
class Residual extends Module {
  readonly #branches: readonly (readonly TensorModule[])[];
  constructor(parts: Readonly<Record<string, object>>, branches: readonly (readonly TensorModule[])[]) {
    super();
    Object.assign(this, parts);
    this.#branches = branches;
  }
  protected call(x: Value, context: Context): Value {
    const through = (value: Value, parts: readonly TensorModule[]) =>
      parts.reduce((inner, part) => part.apply(inner, context), value);
    return this.#branches.reduce((value, branch) => add(value, through(value, branch)), x);
  }
}

/** A block under torchvision's names. */
function visionBlock({ width, heads, feedForward, activation: name, epsilon, ...options }: Settings): Residual {
  const [ln_1, ln_2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  const self_attention = multiHeadAttention(width, heads, { dropout: options.attentionDropout });
  const [drop, inner, outer] = [dropout(options.dropout), dropout(options.dropout), dropout(options.dropout)];
  const mlp = chain([dense(feedForward), activation(name), inner, dense(width), outer]);
  const branches = [
    [ln_1, self_attention, drop],
    [ln_2, mlp],
  ];
  return new Residual({ ln_1, self_attention, dropout: drop, ln_2, mlp }, branches);
}

/** A block under Hugging Face's names. */
function vitLayer({ width, heads, feedForward, activation: name, epsilon, ...options }: Settings): Residual {
  const initializer = initial(options.deviation);
  const outputOf = () => chain({ dense: dense(width, { initializer }), dropout: dropout(options.dropout) });
  const [layernorm_before, layernorm_after] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  const attention = {
    attention: new SelfAttention({
      width,
      heads,
      dropout: options.attentionDropout,
      bias: options.attentionBias,
      initializer,
    }),
    output: outputOf(),
  };
  const intermediate = chain({ dense: dense(feedForward, { initializer }), activation: activation(name) });
  const output = outputOf();
  const branches = [
    [layernorm_before, attention.attention, attention.output],
    [layernorm_after, intermediate, output],
  ];
  return new Residual({ attention, intermediate, output, layernorm_before, layernorm_after }, branches);
}

/** Under torchvision's names: positions are added, blocks, a norm. */
class VisionEncoder extends Module {
  readonly dropout: Module;
  readonly layers: Chain;
  readonly ln: LayerNorm;
  readonly #options: Settings;
  constructor(options: Settings) {
    super();
    this.dropout = dropout(options.dropout);
    const layers = Array.from({ length: options.layers }, (_, i) => [`encoder_layer_${i}`, visionBlock(options)]);
    this.layers = chain(Object.fromEntries(layers));
    this.ln = layerNorm({ epsilon: options.epsilon });
    this.#options = options;
  }
  protected call(x: Value, context: Context): Value {
    const shape = [1, vitTokens(this.#options), this.#options.width];
    const positions = context.parameter(this, "pos_embedding", { shape, initializer: initial() });
    const parts = [this.dropout, this.layers, this.ln];
    return parts.reduce((value, part) => part.apply(value, context), add(x, positions));
  }
}

/**
 * The vision transformer (Dosovitskiy et al. 2021): images [N, channels, image, image] → [N, classes]; names as in
 * torchvision.
 */
export class VisionTransformer extends Module {
  readonly conv_proj: Module;
  readonly encoder: VisionEncoder;
  readonly heads: Chain;
  readonly #options: Settings;
  constructor(given: VisionTransformerOptions) {
    super();
    const { classes = 1000, ...options } = checkVision(given);
    const settings = { epsilon: 1e-6, ...defaults(options) };
    this.conv_proj = patches(settings);
    this.encoder = new VisionEncoder(settings);
    this.heads = chain({ head: dense(classes, { initializer: "zeros" }) });
    this.#options = settings;
  }
  protected call(x: Value, context: Context): Value {
    requireImage(x, this.#options);
    const shape = [1, 1, this.#options.width];
    const classToken = context.parameter(this, "class_token", { shape, initializer: initial() });
    const states = this.encoder.apply(tokensOf(this.conv_proj.apply(x, context), classToken), context);
    return this.heads.apply(firstToken(states), context);
  }
}

class VitEmbeddings extends Module {
  readonly patch_embeddings: { readonly projection: Module };
  readonly dropout: Module;
  readonly #options: Settings;
  constructor(options: Settings) {
    super();
    this.patch_embeddings = { projection: patches(options) };
    this.dropout = dropout(options.dropout);
    this.#options = options;
  }
  protected call(x: Value, context: Context): Value {
    requireImage(x, this.#options);
    const { width, deviation } = this.#options;
    const learned = (name: string, tokens: number) =>
      context.parameter(this, name, { shape: [1, tokens, width], initializer: initial(deviation) });
    const map = this.patch_embeddings.projection.apply(x, context);
    const placed = add(
      tokensOf(map, learned("cls_token", 1)),
      learned("position_embeddings", vitTokens(this.#options)),
    );
    return this.dropout.apply(placed, context);
  }
}

/** Images → states [N, 1 + patches, width], and the pooled state of the image. Names as in Hugging Face's library. */
export class VitModel extends Module<Value, EncoderOutputs> {
  readonly embeddings: VitEmbeddings;
  readonly encoder: { readonly layer: readonly Residual[] };
  readonly layernorm: LayerNorm;
  readonly pooler: BertPooler | undefined;
  constructor(given: VitModelOptions) {
    super();
    const { pooler = true, ...options } = checkVit(given);
    const settings = { epsilon: 1e-12, ...defaults(options) };
    this.embeddings = new VitEmbeddings(settings);
    this.encoder = { layer: Array.from({ length: settings.layers }, () => vitLayer(settings)) };
    this.layernorm = layerNorm({ epsilon: settings.epsilon });
    this.pooler = pooler ? new BertPooler(settings) : undefined;
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const parts = [this.embeddings, ...this.encoder.layer, this.layernorm];
    const states = parts.reduce((value, part) => part.apply(value, context), x);
    const pooled = this.pooler?.apply(states, context);
    return { states, ...(pooled && { pooled }) };
  }
}

/** ViT's models by the names of Hugging Face's classes. */
export const vitArchitectures = architectures({
  ViTModel: (options) => new VitModel(options),
  ViTForImageClassification: (options, { labels = 2 } = {}) =>
    headed(
      { vit: new VitModel({ ...options, pooler: false }) },
      { classifier: dense(labels, { initializer: initial(options.details?.deviation) }) },
      firstToken,
    ),
} as const satisfies Architectures<VitOptions>);

const base = { width: 768, layers: 12, heads: 12, feedForward: 3072 };

export const vitPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "vit_b_16",
      summary: "transformer of 12 layers over patches of 16x16, classified by a token of its own",
      source: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
      inputs: imageInputs(3, 224),
    },
    (options) => new VisionTransformer({ sizes: base, ...options }),
  ),
];
