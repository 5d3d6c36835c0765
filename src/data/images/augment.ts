/** Random changes of image batches [N, C, H, W]: each image draws its own, and the same Random gives the same images. */
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { count, extentsType, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Random } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { isRowwise, rowwise } from "../pipeline/rowwise.ts";
import { type Matrix, resample } from "./sample.ts";

/** A change of a batch of images, float32 [N, C, H, W]; returns new images. */
export type ImageTransform = (images: Tensor, random: Random) => Tensor<"float32">;

/** Two ends of a uniform distribution. */
export type Range = readonly [low: number, high: number];

function checkRange(where: string, [low, high]: Range, above: number): void {
  if (!(low <= high && low > above && Number.isFinite(high)))
    throw new OptionError(
      `${where}: got [${low}, ${high}], expected [low, high] with low up to high, both finite and above ${above}`,
    );
}

function checkProbability(where: string, probability: number): void {
  if (!(probability >= 0 && probability <= 1))
    throw new OptionError(`${where}: got a probability of ${probability}, expected 0 to 1`);
}

/** Number of images. Throws DTypeError or ShapeError unless the tensor is float32 [N, C, H, W]. */
function checkImages(where: string, { dtype, shape }: Tensor): readonly [number, number, number, number] {
  if (dtype !== "float32")
    throw new DTypeError(`${where}: the images are ${dtype}, expected float32; map scaleBytes() before it`);
  const [count, channels, height, width] = shape;
  if (
    shape.length !== 4 ||
    count === undefined ||
    channels === undefined ||
    height === undefined ||
    width === undefined
  )
    throw new ShapeError(
      `${where}: the images have shape ${showShape(shape)}, expected [N, C, H, W]; augment after batch()`,
    );
  return [count, channels, height, width];
}

/** Turns each image about its centre by an angle from `degrees`, counter-clockwise where positive. What enters is 0. */
export function rotate(degrees: Range): ImageTransform {
  checkRange("rotate()", degrees, Number.NEGATIVE_INFINITY);
  return rowwise<ImageTransform>((images, random) => {
    const [count] = checkImages("rotate()", images);
    const matrices = Array.from({ length: count }, (): Matrix => {
      const angle = (random.uniform(...degrees) * Math.PI) / 180;
      // Rows count downwards: the inverse of a counter-clockwise turn on the screen.
      return [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle)];
    });
    return resample(images, matrices);
  });
}

/** Enlarges each image about its centre by a factor from `factors`, the size staying: 2 shows its middle, 0.5 adds a border of 0. */
export function scale(factors: Range): ImageTransform {
  checkRange("scale()", factors, 0);
  return rowwise<ImageTransform>((images, random) => {
    const [count] = checkImages("scale()", images);
    const matrices = Array.from({ length: count }, (): Matrix => {
      const inverse = 1 / random.uniform(...factors);
      return [inverse, 0, 0, inverse];
    });
    return resample(images, matrices);
  });
}

/** Options of random crops. */
export interface CropOptions {
  /** Height and width to cut out; default the images' own. */
  readonly size?: readonly [height: number, width: number];
  /** Pixels put around each image before; default 0. */
  readonly padding?: number;
  /** What they are: 0, or the nearest pixel of the image, which suits images of any ground; default "zeros". */
  readonly fill?: "zeros" | "nearest";
}

const checkCrop = optionsOf<CropOptions>("crop", {
  size: extentsType,
  padding: count(0),
  fill: oneOf("zeros", "nearest"),
});

/** Cuts a window out of each image, at a random place. Throws ShapeError when the padded images are smaller than it. */
export function crop(options: CropOptions): ImageTransform {
  const { size, padding = 0, fill = "zeros" } = checkCrop(options);
  return rowwise<ImageTransform>((images, random) => {
    const [count, channels, height, width] = checkImages("crop()", images);
    const [newHeight, newWidth] = size ?? [height, width];
    const [rowPlaces, columnPlaces] = [height + 2 * padding - newHeight + 1, width + 2 * padding - newWidth + 1];
    if (rowPlaces < 1 || columnPlaces < 1)
      throw new ShapeError(
        `crop(): the window is ${newHeight}x${newWidth}, the padded images are ` +
          `${height + 2 * padding}x${width + 2 * padding}; pass a smaller size or more padding`,
      );
    const source = images.data as Float32Array;
    const result = new Float32Array(count * channels * newHeight * newWidth);
    for (let n = 0; n < count; n++) {
      const top = random.integer(rowPlaces) - padding;
      const left = random.integer(columnPlaces) - padding;
      // The columns of the window that lie within the image.
      const [from, to] = [Math.max(0, -left), Math.min(newWidth, width - left)];
      for (let channel = 0; channel < channels; channel++)
        for (let row = 0; row < newHeight; row++) {
          const plane = n * channels + channel;
          const inside = Math.min(height - 1, Math.max(0, top + row));
          if (fill === "zeros" && inside !== top + row) continue;
          const start = (plane * height + inside) * width;
          const at = (plane * newHeight + row) * newWidth;
          if (to > from) result.set(source.subarray(start + left + from, start + left + to), at + from);
          if (fill === "zeros") continue;
          result.fill(source[start] as number, at, at + Math.min(from, newWidth));
          result.fill(source[start + width - 1] as number, at + Math.max(0, to), at + newWidth);
        }
    }
    return new Tensor("float32", [count, channels, newHeight, newWidth], result);
  });
}

/** Mirrors each image with a probability (0.5): left and right for "horizontal", top and bottom for "vertical". */
export function flip(direction: "horizontal" | "vertical", probability = 0.5): ImageTransform {
  checkProbability("flip()", probability);
  return rowwise<ImageTransform>((images, random) => {
    const [count, channels, height, width] = checkImages("flip()", images);
    const result = (images.data as Float32Array<ArrayBuffer>).slice();
    for (let n = 0; n < count; n++) {
      if (random.uniform() >= probability) continue;
      for (let line = n * channels * height; line < (n + 1) * channels * height; line++) {
        const row = line % height;
        const from = direction === "horizontal" ? line : line - row + (height - 1 - row);
        const pixels = (images.data as Float32Array).slice(from * width, (from + 1) * width);
        result.set(direction === "horizontal" ? pixels.reverse() : pixels, line * width);
      }
    }
    return new Tensor("float32", images.shape, result);
  });
}

/** Adds to each pixel a normal number of mean 0 and this standard deviation, in the units of the pixels. */
export function noise(deviation: number): ImageTransform {
  if (!(deviation >= 0)) throw new OptionError(`noise(): got a deviation of ${deviation}, expected a number from 0`);
  return rowwise<ImageTransform>((images, random) => {
    checkImages("noise()", images);
    const data = (images.data as Float32Array<ArrayBuffer>).map((value) => value + deviation * random.normal());
    return new Tensor("float32", images.shape, data);
  });
}

/**
 * The transforms one after another, on x of a batch, for `dataset.map`.
 * @example train.batch(64).map(scaleBytes()).map(augment(rotate([-10, 10]), crop({ padding: 2 })), key)
 */
export function augment(
  ...transforms: readonly ImageTransform[]
): <B extends { readonly x: Tensor }>(batch: B, random: Random) => B {
  const change = <B extends { readonly x: Tensor }>(batch: B, random: Random): B => ({
    ...batch,
    x: transforms.reduce((images: Tensor, transform) => transform(images, random), batch.x),
  });
  return transforms.every(isRowwise) ? rowwise(change) : change;
}
