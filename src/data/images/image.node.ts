/** Images decoded to bytes by sharp, an optional package. */
import { readFile } from "node:fs/promises";
import type { default as Sharp } from "sharp";
import { FileError, OptionError } from "../../core/errors.ts";
import { extentsType, matching } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";

/** How the names of image files end. */
export const imageExtensions: readonly string[] = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"];

/** Options of `readImage`. */
export interface ImageOptions {
  /** Height and width to resize to; default each image's own. The whole image is stretched or shrunk to it. */
  readonly size?: readonly [height: number, width: number];
  /** 1 for grey, 3 for red, green and blue; default 3. */
  readonly channels?: 1 | 3;
}

export const imageTypes: OptionTypes<ImageOptions> = {
  size: extentsType,
  channels: matching("1 or 3", (value) => value === 1 || value === 3),
};
const checkOptions = optionsOf("readImage", imageTypes);

/** The sharp package. Throws OptionError with the command that installs it when it cannot be imported. */
export async function importSharp(
  load: () => Promise<{ readonly default: typeof Sharp }> = () => import("sharp"),
): Promise<typeof Sharp> {
  try {
    return (await load()).default;
  } catch (error) {
    throw new OptionError("reading images needs the optional package sharp; install it: npm install sharp", {
      cause: error,
    });
  }
}

/** Pixels of a file at most, 8,192 x 8,192: unpacked they take 0.4 GB, of however few bytes a file makes them. */
const mostPixels = 2 ** 26;

/** [height, width, channels] to [channels, height, width], the layout of convolutions. */
function channelsFirst(pixels: Uint8Array, channels: number): Uint8Array<ArrayBuffer> {
  const plane = pixels.length / channels;
  const result = new Uint8Array(pixels.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < plane; i++) result[channel * plane + i] = pixels[i * channels + channel] as number;
  return result;
}

/**
 * An image file as uint8 [channels, height, width]: PNG, JPEG, WebP, GIF (first frame), TIFF or AVIF; transparency lies
 * on white. Needs the package `sharp`. Throws FileError naming a file that is missing, damaged, no image, or of more than 67,108,864 pixels.
 */
export async function readImage(path: string, options: ImageOptions = {}): Promise<Tensor<"uint8">> {
  const { size, channels = 3 } = checkOptions(options);
  const sharp = await importSharp();
  try {
    // Read here rather than by sharp, which does not say why a file cannot be opened.
    const file = sharp(await readFile(path));
    const { width = 0, height = 0 } = await file.metadata();
    if (width * height > mostPixels)
      throw new Error(`it has ${width} x ${height} pixels, expected ${mostPixels} at most, such as 8192 x 8192`);
    let image = file.rotate().flatten({ background: "white" });
    if (size) image = image.resize({ height: size[0], width: size[1], fit: "fill" });
    image = channels === 1 ? image.toColourspace("b-w") : image.toColourspace("srgb");
    const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    return new Tensor("uint8", [info.channels, info.height, info.width], channelsFirst(data, info.channels));
  } catch (error) {
    throw new FileError(
      `${path}: cannot be read as an image (${(error as Error).message}); replace, shrink or remove the file`,
      { cause: error },
    );
  }
}
