/** CLIP (Radford et al. 2021): a tower for images and one for texts, whose vectors are alike where they belong together. */
import { count, number } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type Context,
  constantInit,
  type Dense,
  dense,
  type LayerNorm,
  layerNorm,
  Module,
  type PositionEmbedding,
  positionEmbedding,
} from "../../../nn/index.ts";
import { argMax, cast, equal, exp, linear, mul, reduceMean, reshape, slice } from "../../../ops/index.ts";
import { type Architectures, architectures, type EncoderOutputs, headed } from "../../shared/heads.ts";
import { stateAt } from "../../shared/last-token.ts";
import { initial, requireHeads, type TokenInputs, type TransformerDetails, tokenInputs } from "../../shared/tokens.ts";
import { patchEmbedding, TextTower, TowerEncoder, type TowerForm } from "../../shared/tower.ts";
import {
  type ImageTowerOptions,
  imageTowerType,
  type PairInputs,
  type PairOutputs,
  pairInputs,
  type TextTowerOptions,
  textTowerType,
  unit,
} from "./towers.ts";
import { tokenAt, tokensOf } from "./vit.ts";

/** Options of `ClipModel`. */
export interface ClipOptions {
  /** The tower of texts. */
  readonly text: TextTowerOptions;
  /** The tower of images. */
  readonly image: ImageTowerOptions;
  /** Features of the vectors that are compared; default 512. */
  readonly projection?: number;
  /** What the logarithm of the similarities' factor begins at; default log(1/0.07) (sec. 2.5). */
  readonly logScale?: number;
}

const checkOptions = optionsOf<ClipOptions>("clip", {
  text: required(textTowerType),
  image: required(imageTowerType),
  projection: count(),
  logScale: number,
});

function formOf<S extends ImageTowerOptions["sizes"]>(
  sizes: S,
  details: Omit<TransformerDetails, "dropout"> | undefined,
): TowerForm & S {
  requireHeads("clip", sizes);
  return { activation: "quickGelu", attentionDropout: 0, epsilon: 1e-5, deviation: 0.02, ...sizes, ...details };
}

const textTower = ({ sizes, details }: TextTowerOptions) => new TextTower({ ...formOf(sizes, details), causal: true });

/** The state of the token that ends each text: states [M, T, W] → [M, W]. */
function endOf(states: Value, ids: Value, { end }: TextTowerOptions): Value {
  const numbers = cast(end === undefined ? ids : equal(ids, end), "int32");
  return stateAt(states, argMax(numbers));
}

/** A class token and the vectors of patches, with those of their positions. */
class ImageEmbeddings extends Module {
  readonly patch_embedding: Module;
  readonly position_embedding: PositionEmbedding;
  readonly #deviation: number;
  constructor(width: number, deviation: number, { image = 224, patch = 32 }: ImageTowerOptions) {
    super();
    this.patch_embedding = patchEmbedding(width, patch, { bias: false, deviation });
    const positions = Math.floor(image / patch) ** 2 + 1;
    this.position_embedding = positionEmbedding(positions, { initializer: initial(deviation) });
    this.#deviation = deviation;
  }
  protected call(x: Value, context: Context): Value {
    const map = this.patch_embedding.apply(x, context);
    const shape = [map.shape[1] ?? 1];
    const classToken = context.parameter(this, "class_embedding", { shape, initializer: initial(this.#deviation) });
    return this.position_embedding.apply(tokensOf(map, [reshape(classToken, [1, 1, ...shape])]), context);
  }
}

/** The transformer of patches: images [N, C, H, W] → states [N, 1 + patches, W], and that of the image. */
class ImageTower extends Module<Value, EncoderOutputs> {
  readonly embeddings: ImageEmbeddings;
  readonly pre_layrnorm: LayerNorm;
  readonly encoder: TowerEncoder;
  readonly post_layernorm: LayerNorm;
  constructor(options: ImageTowerOptions) {
    super();
    const form = formOf(options.sizes, options.details);
    const { epsilon } = form;
    this.embeddings = new ImageEmbeddings(form.width, form.deviation, options);
    this.pre_layrnorm = layerNorm({ epsilon });
    this.encoder = new TowerEncoder(form);
    this.post_layernorm = layerNorm({ epsilon });
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const vectors = this.pre_layrnorm.apply(this.embeddings.apply(x, context), context);
    const states = this.encoder.apply({ x: vectors }, context);
    return { states, pooled: this.post_layernorm.apply(tokenAt(states, 0), context) };
  }
}

const projection = (units: number) => dense(units, { bias: false, initializer: initial() });

/**
 * CLIP (Radford et al. 2021): images [N, C, H, W] and texts [M, T] → how well each fits each, and their vectors. Names as in Hugging
 * Face's library.
 */
export class ClipModel extends Module<PairInputs, PairOutputs> {
  override readonly inputs = pairInputs;
  readonly text_model: TextTower;
  readonly vision_model: ImageTower;
  readonly visual_projection: Dense;
  readonly text_projection: Dense;
  readonly #options: ClipOptions;
  constructor(options: ClipOptions) {
    super();
    const { text, image, projection: units = 512 } = checkOptions(options);
    this.text_model = textTower(text);
    this.vision_model = new ImageTower(image);
    this.visual_projection = projection(units);
    this.text_projection = projection(units);
    this.#options = options;
  }
  protected call({ x, text: ids, mask }: PairInputs, context: Context): PairOutputs {
    const { text, logScale = Math.log(1 / 0.07) } = this.#options;
    const states = this.text_model.apply({ x: ids, mask }, context);
    const textVectors = unit(this.text_projection.apply(endOf(states, ids, text), context));
    const { pooled } = this.vision_model.apply(x, context);
    const imageVectors = unit(this.visual_projection.apply(pooled as Value, context));
    const scale = context.parameter(this, "logit_scale", { shape: [], initializer: constantInit(logScale) });
    return { similarities: mul(linear(imageVectors, textVectors), exp(scale)), textVectors, imageVectors };
  }
}

/** The tower of texts alone. */
class ClipTextModel extends Module<TokenInputs, EncoderOutputs> {
  override readonly inputs = tokenInputs;
  readonly text_model: TextTower;
  readonly text_projection: Dense | undefined;
  readonly #options: TextTowerOptions;
  /** @param units of the projection, which there is none without */
  constructor(options: TextTowerOptions, units?: number) {
    super();
    this.text_model = textTower(options);
    this.text_projection = units === undefined ? undefined : projection(units);
    this.#options = options;
  }
  protected call(inputs: TokenInputs, context: Context): EncoderOutputs {
    const states = this.text_model.apply(inputs, context);
    const end = endOf(states, inputs.x, this.#options);
    return { states, pooled: this.text_projection ? this.text_projection.apply(end, context) : end };
  }
}

/** The tower of images alone. */
class ClipVisionModel extends Module<Value, EncoderOutputs> {
  readonly vision_model: ImageTower;
  readonly visual_projection: Dense | undefined;
  /** @param units of the projection, which there is none without */
  constructor(options: ImageTowerOptions, units?: number) {
    super();
    this.vision_model = new ImageTower(options);
    this.visual_projection = units === undefined ? undefined : projection(units);
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const { states, pooled } = this.vision_model.apply(x, context);
    return { states, pooled: this.visual_projection?.apply(pooled as Value, context) ?? pooled };
  }
}

/** The mean of the patches' states: [N, 1 + patches, W] → [N, W]. */
const patchMean = ({ states }: EncoderOutputs): Value => reduceMean(slice(states, { axis: 1, start: 1 }), 1);

/** CLIP's models by the names of Hugging Face's classes. */
export const clipArchitectures = architectures({
  CLIPModel: (options) => new ClipModel(options),
  CLIPTextModel: ({ text }) => new ClipTextModel(text),
  CLIPTextModelWithProjection: ({ text, projection: units = 512 }) => new ClipTextModel(text, units),
  CLIPVisionModel: ({ image }) => new ClipVisionModel(image),
  CLIPVisionModelWithProjection: ({ image, projection: units = 512 }) => new ClipVisionModel(image, units),
  CLIPForImageClassification: ({ image }, { labels = 2 } = {}) =>
    headed(
      { vision_model: new ImageTower(image) },
      { classifier: dense(labels, { initializer: initial() }) },
      patchMean,
    ),
} as const satisfies Architectures<ClipOptions>);
