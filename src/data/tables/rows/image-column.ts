/** A column of images in a table: what training rows show of their pixels, and the few numbers that say roughly how each looks. */
import { deviationOf, meanOf } from "../columns.ts";

/** What rows and columns of pixels are multiples of: three convolutions halve them, and halves of the rest are kept apart. */
export const imageMultiple = 16;

/** Size and colours that the images of a column are brought to. */
export interface ImageExtents {
  /** Rows of pixels, a multiple of 16. */
  readonly height: number;
  /** Columns of pixels, a multiple of 16. */
  readonly width: number;
  /** 1 for grey, 3 for red, green and blue. */
  readonly channels: 1 | 3;
}

/** Mean and standard deviation of numbers; 1 where they are constant. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** Parts of an image across and down, whose brightness stands for it where no network reads it. */
export const imageParts = 4;

/** The mean of each of 4 x 4 parts of each channel, of pixels [channels, height, width]. */
export function meansOfParts(pixels: ArrayLike<number>, { height, width, channels }: ImageExtents): Float32Array {
  const means = new Float32Array(channels * imageParts * imageParts);
  const [high, wide] = [height / imageParts, width / imageParts];
  for (let i = 0; i < channels * height * width; i++) {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const channel = Math.floor(i / (width * height));
    const part = (channel * imageParts + Math.floor(row / high)) * imageParts + Math.floor(column / wide);
    means[part] = (means[part] as number) + (pixels[i] as number) / (high * wide);
  }
  return means;
}

/** Deviations below this are those of rounding. */
const leastDeviation = 1e-6;

const spread = (mean: number, deviation: number): Spread => ({
  mean,
  deviation: deviation > leastDeviation ? deviation : 1,
});

const momentsOf = (values: Float64Array): Spread => ({ mean: meanOf(values), deviation: deviationOf(values) });

/** What images of training rows show, those that are there: the spread of each channel's pixels, and of the mean of each part. */
export function fitImages(images: readonly Float32Array[], extents: ImageExtents) {
  const plane = extents.height * extents.width;
  const parts = images.map((pixels) => meansOfParts(pixels, extents));
  return {
    pixels: Array.from({ length: extents.channels }, (_, channel): Spread => {
      const own = images.map((pixels) =>
        momentsOf(Float64Array.from(pixels.subarray(channel * plane, (channel + 1) * plane))),
      );
      const mean = own.reduce((sum, image) => sum + image.mean, 0) / own.length;
      // Of all pixels: within images and between them.
      const square = own.reduce((sum, image) => sum + image.deviation ** 2 + (image.mean - mean) ** 2, 0) / own.length;
      return spread(mean, Math.sqrt(square));
    }),
    parts: Array.from({ length: parts[0]?.length ?? 0 }, (_, part) => {
      const { mean, deviation } = momentsOf(Float64Array.from(parts, (own) => own[part] as number));
      return spread(mean, deviation);
    }),
  };
}
