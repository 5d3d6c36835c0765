/** Images decoded to bytes by sharp, an optional package. */
import type { default as Sharp } from "sharp";
import { FileError, OptionError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { count, extentsType, matching } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { type Extents, paddedPlace, paddingLevel } from "./padding.ts";

/** How the names of image files end. */
export const imageExtensions: readonly string[] = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"];

/** What the files begin with that are decoded here: a name says nothing of what is in a file. */
const beginnings: readonly (readonly [text: string, offset: number])[] = [
  ["\x89PNG\r\n\x1a\n", 0],
  ["\xff\xd8\xff", 0],
  ["WEBP", 8],
  ["GIF87a", 0],
  ["GIF89a", 0],
  ["II*\0", 0],
  ["MM\0*", 0],
  // The same with places of 64 bits.
  ["II+\0", 0],
  ["MM\0+", 0],
  ...["avif", "avis", "mif1", "msf1"].map((brand): [string, number] => [`ftyp${brand}`, 4]),
];

/** Options of `readImage`. */
export interface ImageOptions {
  /** Height and width to resize to; default each image's own. The whole image is stretched or shrunk to it. */
  readonly size?: readonly [height: number, width: number];
  /** 1 for grey, 3 for red, green and blue; default 3. */
  readonly channels?: 1 | 3;
  /** Pixels that a file may have, before it is resized; default 100,000,000. */
  readonly maxPixels?: number;
}

export const imageTypes: OptionTypes<ImageOptions> = {
  size: extentsType,
  channels: matching("1 or 3", (value) => value === 1 || value === 3),
  maxPixels: count(),
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

/** [height, width, channels] to [channels, height, width], the layout of convolutions. */
function channelsFirst(pixels: Uint8Array, channels: number): Uint8Array<ArrayBuffer> {
  const plane = pixels.length / channels;
  const result = new Uint8Array(pixels.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < plane; i++) result[channel * plane + i] = pixels[i * channels + channel] as number;
  return result;
}

/** An image of a file, before it is decoded, and its size as its camera says that it is turned. Throws FileError. */
async function openImage(path: string, maxPixels: number) {
  const sharp = await importSharp();
  // Read here rather than by sharp, which does not say why a file cannot be opened.
  const file = await readBytes(path, "image");
  const head = String.fromCharCode(...file.subarray(0, 16));
  if (!beginnings.some(([text, offset]) => head.startsWith(text, offset)))
    throw new FileError(
      `${path}: is no image of a kind that is read here (PNG, JPEG, WebP, GIF, TIFF, AVIF), whatever its name says; replace or remove the file`,
    );
  const { width, height, autoOrient } = await sharp(file, { limitInputPixels: false }).metadata();
  if (Math.max(width, height) > limits.imageExtent)
    throw new FileError(
      `it has ${width} × ${height} pixels, and ${limits.imageExtent} in one direction is the limit imageExtent; cut it in parts`,
    );
  if (width * height > maxPixels)
    throw new FileError(
      `it has ${width} × ${height} pixels, and ${maxPixels} is the limit pixels; if you trust the file, raise it: { maxPixels: N }`,
    );
  const image = sharp(file, { limitInputPixels: maxPixels }).rotate().flatten({ background: "white" });
  return { image, own: { width: autoOrient.width, height: autoOrient.height } };
}

/** The pixels of an image in the colours that are asked for. */
async function pixelsOf(image: ReturnType<typeof Sharp>, channels: 1 | 3): Promise<Tensor<"uint8">> {
  const { data, info } = await image
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return new Tensor("uint8", [info.channels, info.height, info.width], channelsFirst(data, info.channels));
}

/** What `read` gives; a FileError that names the file where it fails. */
async function naming<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OptionError || (error instanceof FileError && error.message.includes(path))) throw error;
    throw new FileError(
      `${path}: cannot be read as an image (${(error as Error).message}); replace or remove the file`,
      { cause: error },
    );
  }
}

/**
 * An image file as uint8 [channels, height, width]: PNG, JPEG, WebP, GIF (first frame), TIFF or AVIF; transparency lies
 * on white. Needs the package `sharp`. Throws FileError naming a file that is missing, damaged, no image or of too many pixels, before any is
 * decoded.
 */
export async function readImage(path: string, options: ImageOptions = {}): Promise<Tensor<"uint8">> {
  const { size, channels = 3, maxPixels = limits.pixels } = checkOptions(options);
  return naming(path, async () => {
    const { image } = await openImage(path, maxPixels);
    return pixelsOf(size ? image.resize({ height: size[0], width: size[1], fit: "fill" }) : image, channels);
  });
}

/** An image in a square, and its own size. */
export interface PaddedImage {
  /** uint8 [channels, side, side]: the image in the middle (`paddedPlace`), grey beside it. */
  readonly image: Tensor<"uint8">;
  /** The size of the image in its file, as its camera says that it is turned. */
  readonly own: Extents;
}

/** An image file brought into a square of `side` pixels with its proportions kept. Throws as `readImage`. */
export function readPaddedImage(
  path: string,
  { side, channels }: { readonly side: number; readonly channels: 1 | 3 },
): Promise<PaddedImage> {
  return naming(path, async () => {
    const { image, own } = await openImage(path, limits.pixels);
    const { left, top, width, height } = paddedPlace(own, side);
    const [right, bottom] = [side - width - left, side - height - top];
    const [r, g, b] = [paddingLevel, paddingLevel, paddingLevel];
    const padded = image
      .resize({ height, width, fit: "fill" })
      .extend({ left, top, right, bottom, background: { r, g, b } });
    return { image: await pixelsOf(padded, channels), own };
  });
}
