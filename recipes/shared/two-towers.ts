/** A tower of images and one of texts, whose vectors are alike where they belong together (Radford et al. 2021, fig. 3). */
import {
  activation,
  batchNorm,
  type CompileOptions,
  type Context,
  constantInit,
  contrastive,
  conv2d,
  dense,
  embedding,
  flatten,
  Module,
  maxPool2d,
  models,
  type Objective,
  ops,
  predictor,
  scaleBytes,
  sequential,
  type Tensor,
  unitLength,
  type Value,
} from "../../src/index.ts";

/** The largest factor of the similarities (sec. 2.5). */
const largestScale = 100;

const convolution = (filters: number, size: number, stride = 1) => [
  conv2d(filters, size, { stride, padding: (size - 1) / 2, bias: false, initializer: "heNormal" }),
  batchNorm(),
  activation("relu"),
];

/** Images [N, 3, H, W] → features [N, 128]. */
export const imageFeatures = () =>
  sequential([
    ...convolution(16, 5, 2),
    ...convolution(32, 3),
    maxPool2d(2),
    ...convolution(64, 3),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu", initializer: "heNormal" }),
  ]);

/** Images to vectors of length 1. */
class ImageTower extends Module {
  readonly features = imageFeatures();
  readonly projection;
  constructor(width: number) {
    super();
    this.projection = dense(width, { bias: false });
  }
  protected call(x: Value, context: Context): Value {
    return unitLength(this.projection.apply(this.features.apply(x, context), context));
  }
}

const states = 64;

/** Token ids [N, T], padded with 0 → the state of the first token, which attention makes one of the sentence, [N, 64]. */
class AttentiveReader extends Module {
  readonly encoder;
  constructor(vocabulary: number, positions: number) {
    super();
    this.encoder = new models.BertModel({
      sizes: { vocabulary, width: states, layers: 2, heads: 4, feedForward: 2 * states, positions },
      details: { deviation: 0.05, dropout: 0, attentionDropout: 0 },
      pooler: false,
    });
  }
  protected call(ids: Value, context: Context): Value {
    const mask = ops.cast(ops.greater(ids, 0), "int32");
    const found = this.encoder.apply({ x: ids, mask }, context);
    return ops.reshape(ops.slice(models.statesOf(found), { axis: 1, start: 0, end: 1 }), [-1, states]);
  }
}

/** Token ids [N, T], padded with 0 → the mean of the words' vectors, through a layer, [N, 64]: their order is lost. */
class BagOfWords extends Module {
  readonly words;
  readonly layer = dense(states, { activation: "relu", initializer: "heNormal" });
  constructor(vocabulary: number) {
    super();
    this.words = embedding(vocabulary, states);
  }
  protected call(ids: Value, context: Context): Value {
    const [rows = 1, length = 1] = ids.shape;
    const present = ops.reshape(ops.cast(ops.greater(ids, 0), "float32"), [rows, length, 1]);
    const sum = ops.reduceSum(ops.mul(this.words.apply(ids, context), present), 1);
    return this.layer.apply(ops.div(sum, ops.maximum(ops.reduceSum(present, 1), 1)), context);
  }
}

export type ReaderKind = "attention" | "words";

/** Texts to vectors of length 1. */
class TextTower extends Module {
  readonly reader: Module;
  readonly projection;
  constructor(width: number, { reader, vocabulary, positions }: Omit<TowersOptions, "width">) {
    super();
    this.reader = reader === "words" ? new BagOfWords(vocabulary) : new AttentiveReader(vocabulary, positions);
    this.projection = dense(width, { bias: false });
  }
  protected call(ids: Value, context: Context): Value {
    return unitLength(this.projection.apply(this.reader.apply(ids, context), context));
  }
}

/** How towers are built. */
export interface TowersOptions {
  /** Elements of the vectors that are compared. */
  readonly width: number;
  readonly vocabulary: number;
  /** Tokens of the longest text. */
  readonly positions: number;
  /** Whether the text tower reads words in their order, or adds them up. */
  readonly reader: ReaderKind;
}

/** Images x [N, 3, H, W] and token ids text [M, T] → how well each fits each, [N, M], and their vectors of length 1. */
export class TwoTowers extends Module<models.PairInputs, models.PairOutputs> {
  override readonly inputs = { x: "required", text: "required" } as const;
  readonly image;
  readonly text;
  constructor({ width, ...texts }: TowersOptions) {
    super();
    this.image = new ImageTower(width);
    this.text = new TextTower(width, texts);
  }
  protected call({ x, text }: models.PairInputs, context: Context): models.PairOutputs {
    const [imageVectors, textVectors] = [this.image.apply(x, context), this.text.apply(text, context)];
    const similarities = ops.mul(ops.linear(imageVectors, textVectors), this.scale(context));
    return { similarities, imageVectors, textVectors };
  }

  /** The inverse of the temperature, whose logarithm is learned. */
  scale(context: Context): Value {
    const initializer = constantInit(Math.log(1 / 0.07));
    return ops.minimum(ops.exp(context.parameter(this, "logit_scale", { shape: [], initializer })), largestScale);
  }
}

/** Each image of a batch is to be nearest to its own text, and each text to its image. */
export const pairing =
  (model: TwoTowers): Objective<{ readonly x: Tensor; readonly text: Tensor }> =>
  (context, batch) => ({
    loss: contrastive(model.apply(batch, context).similarities),
    figures: { scale: model.scale(context) },
  });

/** What makes vectors of images and of texts. */
export interface Embedder {
  /** Bytes [N, 3, H, W] → [N, D]. */
  images(x: Tensor): Promise<Tensor>;
  /** Token ids [N, T] → [N, D]. */
  texts(ids: Tensor): Promise<Tensor>;
  /** What cosines are multiplied by. */
  readonly scale: number;
}

/** The towers as they are now. */
export function embedder(model: TwoTowers, compile: CompileOptions): Embedder {
  const images = predictor(model.image, { compile, snapshot: true });
  const texts = predictor(model.text, { compile, snapshot: true });
  const bytes = scaleBytes();
  const logScale = Number(model.parameters().get("logit_scale")?.value?.data[0]);
  return {
    images: (x) => images(bytes({ x }).x),
    texts,
    scale: Math.min(Math.exp(logScale), largestScale),
  };
}

/** The cosine of one row's angle with another's, of vectors of length 1. */
export function cosineOf(left: Tensor, i: number, right: Tensor, j: number): number {
  const width = left.shape[1] ?? 1;
  let sum = 0;
  for (let k = 0; k < width; k++) sum += Number(left.data[i * width + k]) * Number(right.data[j * width + k]);
  return sum;
}
