/** Classes of images, by a pretrained model of images with a new head. */
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, type Dataset, fromIndexed, type Labelled } from "../../data/index.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { type AnyModule, crossEntropy, dense, isTensorType, type Module, mapTypes } from "../../nn/index.ts";
import { cast, constant, div, sub } from "../../ops/index.ts";
import { accuracy, confusionMatrix } from "../../train/index.ts";
import { inputTypesOf } from "../adapters/sites.ts";
import { featureLayer } from "../heads/feature-layer.ts";
import { withHead } from "../heads/with-head.ts";
import { type BatchSettings, type FinetuneTask, partsOf } from "./task.ts";

/** What is done with pixels in [0, 1] before a model sees them: less the mean, by the deviation, channel by channel. */
export interface PixelScaling {
  /** One for each channel, or one for all. */
  readonly mean: readonly number[];
  /** Likewise. */
  readonly deviation: readonly number[];
}

/** What an image model takes. */
export interface ImageSize {
  /** Rows of pixels. */
  readonly height: number;
  /** Columns of pixels. */
  readonly width: number;
  /** 1 for grey, 3 for red, green and blue. */
  readonly channels: 1 | 3;
}

/** Labelled images: bytes [C, H, W] of one size, with the names of their classes. */
export interface ImagesWithLabels {
  /** The samples, to be had in any order. */
  readonly all: Dataset<Labelled>;
  /** Names of the classes, in the order of the labels. */
  readonly classes: readonly string[];
}

/** How images are prepared, and where the head stands. */
export interface ImageClassificationOptions extends BatchSettings {
  /** The layer whose output the head takes; default what the model's own scores are made of. */
  readonly at?: string | undefined;
  /** Default pixels in [0, 1]. */
  readonly scaling?: PixelScaling | undefined;
}

/** The task, and how further images are prepared. */
export interface ImageTask extends FinetuneTask {
  /** The size that images are brought to. */
  readonly image: ImageSize;
  /** From bytes [N, C, H, W] to what the model takes, in a graph. */
  prepare(raw: Value): Value;
}

/** The only input of a model of images. Throws OptionError for another kind. */
function imageInput(base: AnyModule): { readonly name: string; readonly type: TensorType } {
  const found: { name: string; type: TensorType }[] = [];
  mapTypes(inputTypesOf(base), (type, name) => found.push({ name, type }));
  const [only, ...others] = found;
  if (!only || others.length > 0 || only.type.shape.length !== 4 || ![1, 3].includes(only.type.shape[1] ?? 0))
    throw new OptionError(
      `the model takes ${found.map(({ name, type }) => `${name || "a tensor"} ${showShape(type.shape)}`).join(", ")}, no image [N, 1 or 3, height, width]; pass a model of images, or choose another task`,
    );
  return only;
}

/** The size of the images that a model takes. Throws OptionError for a model that takes no images. */
export function imageSizeOf(base: AnyModule): ImageSize {
  const { shape } = imageInput(base).type;
  const [, channels = 3, height = 224, width = 224] = shape;
  return { height, width, channels: channels as 1 | 3 };
}

/** A task of labelled images. Throws DataError for too few, OptionError for a model of something else. */
export async function imageClassification(
  base: AnyModule,
  { all, classes }: ImagesWithLabels,
  options: ImageClassificationOptions,
): Promise<ImageTask> {
  const { at = featureLayer(base), scaling, batchSize, seed } = options;
  const { name } = imageInput(base);
  const image = imageSizeOf(base);
  const parts = partsOf(all.length ?? 0, options);
  const head = dense(classes.length);
  const model = withHead(base as Module<never, unknown>, head, at === undefined ? {} : { at });
  const type = { dtype: "float32", shape: [1, image.channels, image.height, image.width] } as const;
  const inputs = isTensorType(inputTypesOf(base)) ? type : { [name]: type };
  model.trace(inputs);
  head.initialize(keyOf(seed));
  const known = typeof base.inputs === "object" ? name : "x";
  const scale = scaledBy(scaling, image);
  const { at: imageAt } = all.source;
  if (!imageAt)
    throw new OptionError(
      "the images are a stream; pass a dataset whose samples can be had in any order, such as of loadImageFolder",
    );
  const samplesOf = (places: readonly number[]) =>
    fromIndexed(places.length, async (index) => {
      const { x, y } = await imageAt(places[index] as number, 0);
      return { [known]: scale(x), y };
    });
  const batches = (samples: ReturnType<typeof samplesOf>) =>
    samples.batch(Math.min(batchSize, samples.length ?? 1)) as unknown as Dataset<Batch>;
  return {
    model,
    inputs,
    fresh: ["head"],
    image,
    prepare: (raw) => preparedBy(scaling, image, raw),
    train: batches(samplesOf(parts.train).shuffle(keyOf(seed))),
    validation: batches(samplesOf(parts.validation)),
    test: batches(samplesOf(parts.test)),
    loss: crossEntropy() as never,
    metrics: [accuracy(), confusionMatrix(classes.length)],
    classes,
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `images of ${image.width} x ${image.height}, ${image.channels === 1 ? "grey" : "in colour"}`,
      `features: ${at ?? "what the model gives"}`,
    ],
    preview: [],
  };
}

/** The offset and factor of each channel. */
const channelsOf = ({ mean, deviation }: PixelScaling, { channels }: ImageSize) =>
  Array.from({ length: channels }, (_, c) => ({
    mean: mean[c % mean.length] ?? 0,
    deviation: deviation[c % deviation.length] ?? 1,
  }));

function scaledBy(scaling: PixelScaling | undefined, size: ImageSize): (pixels: Tensor) => Tensor<"float32"> {
  const channels = channelsOf(scaling ?? { mean: [0], deviation: [1] }, size);
  const area = size.height * size.width;
  return ({ shape, data }) =>
    new Tensor(
      "float32",
      shape,
      Float32Array.from(data as Uint8Array, (byte, i) => {
        const { mean, deviation } = channels[Math.floor(i / area)] as (typeof channels)[number];
        return (byte / 255 - mean) / deviation;
      }),
    );
}

/** From bytes [N, C, H, W] to what a model takes, in a graph. */
export function preparedBy(scaling: PixelScaling | undefined, size: ImageSize, raw: Value): Value {
  const pixels = div(cast(raw, "float32"), 255);
  if (!scaling) return pixels;
  const channels = channelsOf(scaling, size);
  const row = (numbers: readonly number[]) =>
    constant(new Tensor("float32", [1, size.channels, 1, 1], Float32Array.from(numbers)));
  return div(sub(pixels, row(channels.map(({ mean }) => mean))), row(channels.map(({ deviation }) => deviation)));
}
