/** ViT: a transformer of image patches (Dosovitskiy et al. 2021), under torchvision's names and Hugging Face's. */

import { OptionError, ShapeError } from "../../../core/errors.ts";
import { count, eitherOf, extentsType, flag } from "../../../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../../../core/options.ts";
import { type Shape, showShape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  type Context,
  conv2d,
  type Dense,
  dense,
  dropout,
  type LayerNorm,
  layerNorm,
  Module,
  multiHeadAttention,
  type TensorModule,
} from "../../../nn/index.ts";
import { add, concat, expand, reshape, slice, transpose } from "../../../ops/index.ts";
import { type Chain, chain } from "../../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, firstToken, headed } from "../../shared/heads.ts";
import { imageInputs, type Preset, plainPreset } from "../../shared/preset.ts";
import {
  detailsType,
  initial,
  requireHeads,
  SelfAttention,
  sizesTypes,
  type TransformerDetails,
  type TransformerSizes,
} from "../../shared/tokens.ts";
import { BertPooler } from "../../text/encoders/bert.ts";

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
  /** Learned tokens besides the class token; default none. Only under Hugging Face's names. */
  readonly tokens?: VitTokens;
}

/** Learned tokens besides the class token. */
export interface VitTokens {
  /** One that learns from a teacher (Touvron et al. 2021); default false. */
  readonly distilled?: boolean;
  /** A vector that stands for hidden patches, which training by hidden patches alone uses; default false. */
  readonly mask?: boolean;
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
  tokens: optionsOf<VitTokens>("tokens", { distilled: flag, mask: flag }).type,
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
    tokens: {} as VitTokens,
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
/** Every option of ViT. */
export type VitSettings = ReturnType<typeof defaults> & { readonly epsilon: number };

/** Tokens of an image: its patches, the class token, and the one that learns from a teacher. */
export function vitTokens({ image = 224, patch = 16, tokens }: Pick<VitOptions, "image" | "patch" | "tokens">): number {
  const [[rows, columns], [height, width]] = [pairOf(image), pairOf(patch)];
  return (rows / height) * (columns / width) + (tokens?.distilled ? 2 : 1);
}

const patches = ({ width, patch }: VitSettings) => conv2d(width, patch, { stride: patch, initializer: "lecunNormal" });

/** Learned tokens [1, K, W] before the patches of a map [N, W, rows, columns]: [N, K + patches, W] (eq. 1). */
export function tokensOf(map: Value, learned: readonly Value[]): Value {
  const [batch = 1, width = 1, rows = 1, columns = 1] = map.shape;
  const tokens = transpose(reshape(map, [batch, width, rows * columns]), [0, 2, 1]);
  return concat([...learned.map((token) => expand(token, [batch, token.shape[1] ?? 1, width])), tokens], 1);
}

function requireImage(x: Value, { image, channels }: VitSettings): void {
  const wanted = [channels, ...image];
  if (x.rank !== 4 || wanted.some((extent, i) => x.shape[i + 1] !== extent))
    throw new ShapeError(
      `input ${showShape(x.shape)} is no batch of the images that the positions are for; pass [batch, ${wanted.join(", ")}]`,
    );
}

/** Adds to its input, one after the other, what its branches make of it (eq. 2 and 3); parts by their published names. */
export class VitResidual extends Module {
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
function visionBlock({ width, heads, feedForward, activation: name, epsilon, ...options }: VitSettings): VitResidual {
  const [ln_1, ln_2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  const self_attention = multiHeadAttention(width, heads, { dropout: options.attentionDropout });
  const [drop, inner, outer] = [dropout(options.dropout), dropout(options.dropout), dropout(options.dropout)];
  const mlp = chain([dense(feedForward), activation(name), inner, dense(width), outer]);
  const branches = [
    [ln_1, self_attention, drop],
    [ln_2, mlp],
  ];
  return new VitResidual({ ln_1, self_attention, dropout: drop, ln_2, mlp }, branches);
}

/** A block under Hugging Face's names. */
export function vitLayer({
  width,
  heads,
  feedForward,
  activation: name,
  epsilon,
  ...options
}: VitSettings): VitResidual {
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
  return new VitResidual({ attention, intermediate, output, layernorm_before, layernorm_after }, branches);
}

/** Under torchvision's names: positions are added, blocks, a norm. */
class VisionEncoder extends Module {
  readonly dropout: Module;
  readonly layers: Chain;
  readonly ln: LayerNorm;
  readonly #options: VitSettings;
  constructor(options: VitSettings) {
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
  readonly #options: VitSettings;
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
    const states = this.encoder.apply(tokensOf(this.conv_proj.apply(x, context), [classToken]), context);
    return this.heads.apply(firstToken(states), context);
  }
}

class VitEmbeddings extends Module {
  readonly patch_embeddings: { readonly projection: Module };
  readonly dropout: Module;
  readonly #options: VitSettings;
  constructor(options: VitSettings) {
    super();
    this.patch_embeddings = { projection: patches(options) };
    this.dropout = dropout(options.dropout);
    this.#options = options;
  }
  protected call(x: Value, context: Context): Value {
    requireImage(x, this.#options);
    const { width, deviation, tokens } = this.#options;
    const learned = (name: string, shape: Shape) =>
      context.parameter(this, name, { shape, initializer: initial(deviation) });
    const token = (name: string) => learned(name, [1, 1, width]);
    const first = [token("cls_token"), ...(tokens.distilled ? [token("distillation_token")] : [])];
    // No patch is hidden: the vector is there for checkpoints alone.
    if (tokens.mask) learned("mask_token", [1, width]);
    const map = this.patch_embeddings.projection.apply(x, context);
    const positions = learned("position_embeddings", [1, vitTokens(this.#options), width]);
    const placed = add(tokensOf(map, first), positions);
    return this.dropout.apply(placed, context);
  }
}

/** Images → states [N, 1 + patches, width], and the pooled state of the image. Names as in Hugging Face's library. */
export class VitModel extends Module<Value, EncoderOutputs> {
  readonly embeddings: VitEmbeddings;
  readonly encoder: { readonly layer: readonly VitResidual[] };
  readonly layernorm: LayerNorm;
  readonly pooler: BertPooler | undefined;
  /** @param layerOf makes a layer; default ViT's */
  constructor(given: VitModelOptions, layerOf: (settings: VitSettings) => VitResidual = vitLayer) {
    super();
    const { pooler = true, ...options } = checkVit(given);
    const settings = { epsilon: 1e-12, ...defaults(options) };
    this.embeddings = new VitEmbeddings(settings);
    this.encoder = { layer: Array.from({ length: settings.layers }, () => layerOf(settings)) };
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

/** The layer that classifies images by their state. */
export const imageClassifier = ({ details }: VitOptions, labels = 2): Dense =>
  dense(labels, { initializer: initial(details?.deviation) });

/** The state of one token of an image: [N, T, W] → [N, W]. */
export const tokenAt = (states: Value, at: number): Value => {
  const [batch = 1, , width = 1] = states.shape;
  return reshape(slice(states, { axis: 1, start: at, end: at + 1 }), [batch, width]);
};

/** ViT's models by the names of Hugging Face's classes. */
export const vitArchitectures = architectures({
  ViTModel: (options) => new VitModel(options),
  ViTForImageClassification: (options, { labels } = {}) =>
    headed(
      { vit: new VitModel({ ...options, pooler: false }) },
      { classifier: imageClassifier(options, labels) },
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
