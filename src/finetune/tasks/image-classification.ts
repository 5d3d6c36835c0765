/** Classes of images, by a pretrained model of images with a new head. */
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/index.ts";
import { cast, constant, div, sub } from "../../ops/index.ts";
import { type NamedInput, onlyInput, type SamplesWithLabels, sampleClassification } from "./labelled-samples.ts";
import type { BatchSettings, FinetuneTask } from "./task.ts";

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

const imageInput = (base: AnyModule): NamedInput =>
  onlyInput(
    base,
    ({ shape }) => shape.length === 4 && [1, 3].includes(shape[1] ?? 0),
    "no image [N, 1 or 3, height, width]; pass a model of images",
  );

/** The size of the images that a model takes. Throws OptionError for a model that takes no images. */
export function imageSizeOf(base: AnyModule): ImageSize {
  const { shape } = imageInput(base).type;
  const [, channels = 3, height = 224, width = 224] = shape;
  return { height, width, channels: channels as 1 | 3 };
}

/** A task of labelled images. Throws DataError for too few, OptionError for a model of something else. */
export async function imageClassification(
  base: AnyModule,
  images: SamplesWithLabels,
  options: ImageClassificationOptions,
): Promise<ImageTask> {
  const { scaling } = options;
  const image = imageSizeOf(base);
  const type = { dtype: "float32", shape: [1, image.channels, image.height, image.width] } as const;
  const made = sampleClassification(base, images, {
    ...options,
    input: { name: imageInput(base).name, type },
    prepare: scaledBy(scaling, image),
    notes: [`images of ${image.width} x ${image.height}, ${image.channels === 1 ? "grey" : "in colour"}`],
  });
  return { ...made, image, prepare: (raw) => preparedBy(scaling, image, raw) };
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
