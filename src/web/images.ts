/** Images of files, of the page and of its camera as tensors, decoded by the browser. */
import { FileError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { extentsType, matching } from "../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../core/options.ts";
import { Tensor } from "../core/tensor.ts";
import { nameOf } from "./files.ts";

/** How an image becomes a tensor. */
export interface PageImageOptions {
  /** Height and width to resize to; default each image's own. The whole image is stretched or shrunk to it. */
  readonly size?: readonly [height: number, width: number];
  /** 1 for grey, 3 for red, green and blue; default 3. */
  readonly channels?: 1 | 3;
}

export const pageImageTypes: OptionTypes<PageImageOptions> = {
  size: extentsType,
  channels: matching("1 or 3", (value) => value === 1 || value === 3),
};
const checkOptions = optionsOf("imageTensor", pageImageTypes);

/** Pixels of red, green, blue and opacity, row by row, as [channels, height, width]; grey by the weights of ITU-R BT.709. */
export function tensorOfPixels(
  { data, width, height }: Pick<ImageData, "data" | "width" | "height">,
  channels: 1 | 3,
): Tensor<"uint8"> {
  const plane = width * height;
  const bytes = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const [red, green, blue] = [data[4 * i] ?? 0, data[4 * i + 1] ?? 0, data[4 * i + 2] ?? 0];
    if (channels === 1) bytes[i] = Math.round(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    else for (const [channel, value] of [red, green, blue].entries()) bytes[channel * plane + i] = value;
  }
  return new Tensor("uint8", [channels, height, width], bytes);
}

/**
 * An image as uint8 [channels, height, width]: a file (every kind that the browser shows), a canvas, an element of the page, a frame of a video.
 * Transparency lies on white. Shrinking is by the browser, whose pixels differ a little from those of `readImage` in Node. Throws FileError for
 * a file that is no image, and one of too many pixels.
 * @example const image = await imageTensor(input.files[0], { size: [28, 28], channels: 1 });
 */
export async function imageTensor(source: ImageBitmapSource, options: PageImageOptions = {}): Promise<Tensor<"uint8">> {
  const { size, channels = 3 } = checkOptions(options);
  const name = source instanceof Blob ? nameOf(source) : "the image";
  const bitmap = await createImageBitmap(source).catch((cause: Error) => {
    throw new FileError(
      `${name}: cannot be read as an image (${cause.message}); choose one of a kind that browsers show, such as PNG, JPEG or WebP`,
      { cause },
    );
  });
  try {
    if (bitmap.width * bitmap.height > limits.pixels)
      throw new FileError(
        `${name}: has ${bitmap.width} × ${bitmap.height} pixels, and ${limits.pixels} is the limit pixels; shrink it before`,
      );
    const [height, width] = size ?? [bitmap.height, bitmap.width];
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!pen)
      throw new FileError(`${name}: the browser has no memory for ${width} × ${height} pixels; pass a smaller size`);
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, 0, 0, width, height);
    return tensorOfPixels(pen.getImageData(0, 0, width, height), channels);
  } finally {
    bitmap.close();
  }
}
