/** SigLIP (Zhai et al. 2023): CLIP with a loss for each pair, whose image tower asks its patches by a query of its own. */
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
  type MultiHeadAttention,
  multiHeadAttention,
  type PositionEmbedding,
  positionEmbedding,
} from "../../../nn/index.ts";
import { add, exp, expand, linear, mul, reduceMean } from "../../../ops/index.ts";
import type { Chain } from "../../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, headed } from "../../shared/heads.ts";
import { plainNetwork } from "../../shared/networks.ts";
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

/** Options of `SiglipModel`. */
export interface SiglipOptions {
  /** The tower of texts. */
  readonly text: TextTowerOptions;
  /** The tower of images. */
  readonly image: ImageTowerOptions;
}

const checkOptions = optionsOf<SiglipOptions>("siglip", {
  text: required(textTowerType),
  image: required(imageTowerType),
});

function formOf<S extends ImageTowerOptions["sizes"]>(
  sizes: S,
  details: Omit<TransformerDetails, "dropout"> | undefined,
): TowerForm & S {
  requireHeads("siglip", sizes);
  return { activation: "geluTanh", attentionDropout: 0, epsilon: 1e-6, deviation: 0.02, ...sizes, ...details };
}

/** A query of its own attends to the patches, and a network follows: [N, T, W] → [N, W]. */
class AttentionPooling extends Module {
  readonly attention: MultiHeadAttention;
  readonly layernorm: LayerNorm;
  readonly mlp: Chain;
  readonly #deviation: number;
  constructor({ width, heads, epsilon, ...form }: TowerForm) {
    super();
    this.attention = multiHeadAttention(width, heads);
    this.layernorm = layerNorm({ epsilon });
    this.mlp = plainNetwork(["fc1", "fc2"], { ...form, width, bias: true, initializer: initial(form.deviation) });
    this.#deviation = form.deviation;
  }
  protected call(x: Value, context: Context): Value {
    const [batch = 1, , width = 1] = x.shape;
    const probe = context.parameter(this, "probe", { shape: [1, 1, width], initializer: initial(this.#deviation) });
    const found = this.attention.apply({ x: expand(probe, [batch, 1, width]), memory: x }, context);
    return tokenAt(add(found, this.mlp.apply(this.layernorm.apply(found, context), context)), 0);
  }
}

/** The transformer of patches: images [N, C, H, W] → states [N, patches, W], and that of the image. */
class ImageTower extends Module<Value, EncoderOutputs> {
  readonly embeddings: { readonly patch_embedding: Module; readonly position_embedding: PositionEmbedding };
  readonly encoder: TowerEncoder;
  readonly post_layernorm: LayerNorm;
  readonly head: AttentionPooling;
  constructor({ sizes, details, image = 224, patch = 16 }: ImageTowerOptions) {
    super();
    const form = formOf(sizes, details);
    const { width, epsilon, deviation } = form;
    this.embeddings = {
      patch_embedding: patchEmbedding(width, patch, { bias: true, deviation }),
      position_embedding: positionEmbedding(Math.floor(image / patch) ** 2, { initializer: initial(deviation) }),
    };
    this.encoder = new TowerEncoder(form);
    this.post_layernorm = layerNorm({ epsilon });
    this.head = new AttentionPooling(form);
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const { patch_embedding: patches, position_embedding: positions } = this.embeddings;
    const vectors = positions.apply(tokensOf(patches.apply(x, context), []), context);
    const states = this.post_layernorm.apply(this.encoder.apply({ x: vectors }, context), context);
    return { states, pooled: this.head.apply(states, context) };
  }
}

/** The transformer of tokens under `text_model`, whose last token's state goes through one more layer. */
class TextTowerWithHead extends TextTower {
  readonly head: Dense;
  constructor({ sizes, details }: TextTowerOptions) {
    const form = formOf(sizes, details);
    super(form);
    this.head = dense(sizes.width, { initializer: initial(form.deviation) });
  }
  /** States [M, T, W] → [M, W]. */
  pool(states: Value, context: Context): Value {
    return this.head.apply(tokenAt(states, (states.shape[1] ?? 1) - 1), context);
  }
}

/**
 * SigLIP (Zhai et al. 2023): images [N, C, H, W] and texts [M, T] → how well each fits each, and their vectors. Names as in Hugging
 * Face's library.
 */
export class SiglipModel extends Module<PairInputs, PairOutputs> {
  override readonly inputs = pairInputs;
  readonly text_model: TextTowerWithHead;
  readonly vision_model: ImageTower;
  constructor(options: SiglipOptions) {
    super();
    const { text, image } = checkOptions(options);
    this.text_model = new TextTowerWithHead(text);
    this.vision_model = new ImageTower(image);
  }
  protected call({ x, text, mask }: PairInputs, context: Context): PairOutputs {
    const states = this.text_model.apply({ x: text, mask }, context);
    const textVectors = unit(this.text_model.pool(states, context));
    const imageVectors = unit(this.vision_model.apply(x, context).pooled as Value);
    // Sec. 3.2: the factor begins at 10, and the bias at -10, since most pairs do not fit.
    const learned = (name: string, start: number) =>
      context.parameter(this, name, { shape: [1], initializer: constantInit(start) });
    const scaled = mul(linear(imageVectors, textVectors), exp(learned("logit_scale", Math.log(10))));
    return { similarities: add(scaled, learned("logit_bias", -10)), textVectors, imageVectors };
  }
}

/** The tower of texts alone. */
class SiglipTextModel extends Module<TokenInputs, EncoderOutputs> {
  override readonly inputs = tokenInputs;
  readonly text_model: TextTowerWithHead;
  constructor(options: TextTowerOptions) {
    super();
    this.text_model = new TextTowerWithHead(options);
  }
  protected call(inputs: TokenInputs, context: Context): EncoderOutputs {
    const states = this.text_model.apply(inputs, context);
    return { states, pooled: this.text_model.pool(states, context) };
  }
}

/** The tower of images alone. */
class SiglipVisionModel extends Module<Value, EncoderOutputs> {
  readonly vision_model: ImageTower;
  constructor(options: ImageTowerOptions) {
    super();
    this.vision_model = new ImageTower(options);
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    return this.vision_model.apply(x, context);
  }
}

/** SigLIP's models by the names of Hugging Face's classes. */
export const siglipArchitectures = architectures({
  SiglipModel: (options) => new SiglipModel(options),
  SiglipTextModel: ({ text }) => new SiglipTextModel(text),
  SiglipVisionModel: ({ image }) => new SiglipVisionModel(image),
  SiglipForImageClassification: ({ image }, { labels = 2 } = {}) =>
    headed(
      { vision_model: new ImageTower(image) },
      { classifier: dense(labels, { initializer: initial() }) },
      ({ states }: EncoderOutputs) => reduceMean(states, 1),
    ),
} as const satisfies Architectures<SiglipOptions>);
