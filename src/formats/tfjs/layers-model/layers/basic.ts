/** Keras's core layers, dense ones, embeddings and masks, and those that regularize. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { cast, div, equal, greater, linear, mul, not, reduceMax, tanh, unsqueeze } from "../../../../ops/index.ts";
import { count, rate } from "../../../config-fields.ts";
import { elementwise } from "../../channels.ts";
import { keepsMask, type LayerCall, type MaskRule } from "../calls.ts";
import { activation, number, toggle } from "../config.ts";
import { CallLayer, defineLayer, type LayerClass, type LayerClasses, plainLayer } from "../layer.ts";

/** Takes floats too, as Keras does: they are cut to whole numbers. */
class Embedding extends nn.Embedding {
  protected override call(x: Value, context: nn.Context): Value {
    return super.call(cast(x, "int32"), context);
  }
}

/** An embedding whose table, or another, turns vectors into scores of every index where a call asks for the reverse. */
class ReversibleEmbedding extends CallLayer {
  override readonly kind = "embedding";
  readonly embedding: Embedding;
  readonly #isTied: boolean;
  readonly #cap: number | undefined;
  constructor(embedding: Embedding, isTied: boolean, cap: number | undefined) {
    super();
    this.embedding = embedding;
    this.#isTied = isTied;
    this.#cap = cap;
  }
  protected call({ inputs: [x], named }: LayerCall, context: nn.Context): Value {
    if (!x) throw new ShapeError("it takes no tensor; connect a layer");
    const { count: rows, width } = this.embedding;
    const reverse = this.#isTied
      ? undefined
      : context.parameter(this, "reverse", { shape: [width, rows], initializer: nn.uniformInit(-0.05, 0.05) });
    if (named["reverse"] !== true) return this.embedding.apply(x, context);
    const table = reverse ?? this.embedding.table(context);
    const scores = linear(x, table, undefined, { inFirst: reverse !== undefined });
    return this.#cap === undefined ? scores : mul(tanh(div(scores, this.#cap)), this.#cap);
  }
}

class Dropout extends nn.Dropout {
  protected override call(x: Value, context: nn.Context): Value {
    return elementwise((value: Value) => super.call(value, context), x);
  }
}

/** What gives its input, or changes it while training only, in a way that is left out here. */
class Same extends nn.Module {
  override readonly kind = "regularization";
  protected call(x: Value): Value {
    return x;
  }
}

/** SpatialDropout drops whole channels, at the same rate as Dropout drops elements. */
const dropout = plainLayer(z.object({ rate: rate() }), ({ rate: own }) => new Dropout(own), { masks: keepsMask });
const same = plainLayer(z.object({}), () => new Same(), { masks: keepsMask });

/** Which steps [N, T] of sequences have an element that is not the mask's value. */
const stepsThatCount = (x: Value, value: number): Value =>
  greater(reduceMax(cast(not(equal(x, value)), "float32"), [x.rank - 1]), 0);

/** Sequences whose steps that do not count are 0, and are left out by what follows. */
class Masking extends nn.Module {
  override readonly kind = "regularization";
  readonly #value: number;
  constructor(value: number) {
    super();
    this.#value = value;
  }
  protected call(x: Value): Value {
    return mul(x, unsqueeze(cast(stepsThatCount(x, this.#value), x.dtype), [x.rank - 1]));
  }
}

const embeddingFields = z.object({ input_dim: count(), output_dim: count(), mask_zero: toggle(false) });
const notZero: MaskRule = ({ inputs: [x] }) => [x && not(equal(cast(x, "int32"), 0))];
const embeddingMasks = ({ mask_zero }: z.output<typeof embeddingFields>) => mask_zero && { masks: notZero };

const ReversibleEmbeddings: LayerClass = defineLayer(
  z.object({
    ...embeddingFields.shape,
    tie_weights: toggle(true),
    logit_soft_cap: number().nullish(),
  }),
  (fields) => ({
    module: new ReversibleEmbedding(
      new Embedding(fields.input_dim, fields.output_dim),
      fields.tie_weights,
      fields.logit_soft_cap ?? undefined,
    ),
    weights: { "embedding.weight": { name: "embeddings" }, reverse: { name: "reverse_embeddings" } },
    ...(fields.mask_zero && { masks: (call, outputs) => (call.named["reverse"] ? [] : notZero(call, outputs)) }),
  }),
  ["inputs", "reverse"],
);

/** Layers that change images at random while training, and leave them as they are otherwise. */
const augmentations = [
  "AugMix",
  "CutMix",
  "MixUp",
  "RandAugment",
  "RandomBrightness",
  "RandomColorDegeneration",
  "RandomColorJitter",
  "RandomContrast",
  "RandomElasticTransform",
  "RandomErasing",
  "RandomFlip",
  "RandomGaussianBlur",
  "RandomGrayscale",
  "RandomHeight",
  "RandomHue",
  "RandomInvert",
  "RandomPerspective",
  "RandomPosterization",
  "RandomRotation",
  "RandomSaturation",
  "RandomSharpness",
  "RandomShear",
  "RandomTranslation",
  "RandomWidth",
  "RandomZoom",
];

export const augmentationClasses: LayerClasses = Object.fromEntries(augmentations.map((name) => [name, same]));

export const basicClasses: LayerClasses = {
  Dense: defineLayer(
    z.object({ units: count(), use_bias: toggle(true), activation }),
    ({ units, use_bias, activation: own }, { keras }) => {
      const apply = own(keras);
      return {
        module: nn.dense(units, { bias: use_bias, activation: (y) => apply(y, -1) }),
        weights: { weight: { name: "kernel", axes: [1, 0] }, bias: { name: "bias" } },
        masks: keepsMask,
      };
    },
  ),
  Embedding: defineLayer(embeddingFields, (fields) => ({
    module: new Embedding(fields.input_dim, fields.output_dim),
    weights: { weight: { name: "embeddings" } },
    ...embeddingMasks(fields),
  })),
  ReversibleEmbedding: ReversibleEmbeddings,
  Masking: defineLayer(z.object({ mask_value: number().default(0) }), ({ mask_value }) => ({
    module: new Masking(mask_value),
    masks: ({ inputs: [x] }) => [x && stepsThatCount(x, mask_value)],
  })),
  Identity: same,
  Dropout: dropout,
  SpatialDropout1D: dropout,
  SpatialDropout2D: dropout,
  SpatialDropout3D: dropout,
  GaussianDropout: same,
  GaussianNoise: same,
  AlphaDropout: same,
  ActivityRegularization: same,
};
