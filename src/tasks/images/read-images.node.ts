/** Images of your own, read once: their size and colour, which are broken, what makes two of them the same. */
import { createHash } from "node:crypto";
import { DataError } from "../../core/errors.ts";
import { median } from "../../core/lists.ts";
import { byteText, count, plural } from "../../core/number-text.ts";
import type { Tensor } from "../../core/tensor.ts";
import { readImage } from "../../data/images/image.node.ts";
import { differenceHash, hashExtents } from "../../data/profile/image-likeness.ts";
import type { ImageSize } from "../../finetune/tasks/image-classification.ts";
import { brokenNotes, readEach, someOf } from "../shared/read-files.ts";
import { type Pixels, shrink } from "./shrink.ts";

/** An image that was read. */
export interface ReadImage {
  readonly path: string;
  /** Of its pixels: equal of equal images. */
  readonly sum: string;
  /** Of its brightness, see `differenceHash`. */
  readonly hash: Uint16Array;
  /** Its bytes [channels, height, width]; missing where all of them are too many for memory. */
  readonly bytes?: Uint8Array;
}

/** Images looked at before all are read. */
const looked = 48;
/** Sides that are chosen by themselves: larger images take time that few are worth. */
const usualSides = [28, 32, 48, 64] as const;
/** Bytes of decoded images that are kept in memory. */
const mostBytes = 1.5 * 2 ** 30;
/** Differences between the colours of a pixel that a grey image may have. */
const greyTolerance = 6;

/** Whether all pixels of [3, height, width] are grey. */
function isGrey({ data, shape: [, height = 0, width = 0] }: Tensor<"uint8">): boolean {
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    const [red, green, blue] = [data[i] as number, data[plane + i] as number, data[2 * plane + i] as number];
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > greyTolerance) return false;
  }
  return true;
}

/** What size most images have, and whether all are grey, by a look at some of them. Throws DataError where none of those can be read. */
export async function usualImage(
  paths: readonly string[],
): Promise<{ readonly width: number; readonly height: number; readonly grey: boolean }> {
  const chosen = someOf(paths, looked);
  const { results, problems } = await readEach(chosen, (path) => readImage(path));
  const seen = results.filter((own) => own !== undefined);
  if (seen.length === 0)
    throw new DataError(
      `none of ${plural(chosen.length, "image")} that were looked at can be read: ${problems[0]}; replace the files, or check the paths`,
    );
  const [height, width] = [1, 2].map((axis) => median(seen.map(({ shape }) => shape[axis] as number)));
  return { height: height as number, width: width as number, grey: seen.every(isGrey) };
}

/**
 * The size and colour that images are brought to, by a look at some of them, and why. `side` sets the size; 0: by their own. Throws
 * DataError where none of those can be read.
 */
export async function lookAtImages(
  paths: readonly string[],
  side: number,
): Promise<{ readonly extents: ImageSize; readonly note: string }> {
  const { height, width, grey } = await usualImage(paths);
  const own = Math.min(height, width);
  const usual = usualSides.findLast((known) => known <= own) ?? usualSides[0];
  const chosenSide = side > 0 ? side : usual;
  const why = side > 0 ? "as asked" : `most have ${width} x ${height}; --size says otherwise`;
  return {
    extents: { height: chosenSide, width: chosenSide, channels: grey ? 1 : 3 },
    note: `images are brought to ${chosenSide} x ${chosenSide} pixels, ${grey ? "grey, as all that were looked at" : "in colour"} (${why})`,
  };
}

/** One image as bytes of the size. */
export const readPixels = (path: string, { height, width, channels }: ImageSize): Promise<Tensor<"uint8">> =>
  readImage(path, { size: [height, width], channels });

/** What makes two images the same, or nearly: a sum of their bytes, and a hash of their brightness. */
export function likenessOf({ data, shape }: Tensor<"uint8">): Pick<ReadImage, "sum" | "hash"> {
  const [channels = 1, height = 1, width = 1] = shape;
  return {
    sum: createHash("sha256").update(data).digest("base64"),
    hash: differenceHash(greyOf({ channels, height, width, bytes: data })),
  };
}

/** Whether so many images fit in memory. */
export const fits = (images: number, { height, width, channels }: ImageSize): boolean =>
  images * height * width * channels <= mostBytes;

/**
 * Reads all images once; of each file that cannot be read there is `undefined` in its place, and a note names some. Pixels are kept where all
 * of them fit in memory.
 */
export async function readImages(
  paths: readonly string[],
  extents: ImageSize,
): Promise<{ readonly images: readonly (ReadImage | undefined)[]; readonly notes: readonly string[] }> {
  const keeps = fits(paths.length, extents);
  const { results: images, problems } = await readEach(paths, async (path): Promise<ReadImage> => {
    const image = await readPixels(path, extents);
    return { path, ...likenessOf(image), ...(keeps && { bytes: image.data }) };
  });
  return { images, notes: [...brokenNotes(problems, "image"), ...(keeps ? [] : [notKept(paths.length, extents)])] };
}

/** That so many images are read more than once. */
export const notKept = (images: number, { height, width, channels }: ImageSize): string =>
  `${count(images)} images take ${byteText(images * height * width * channels)}, too much to keep: they are read anew in every epoch`;

/** Brightness in as many parts as are hashed. */
function greyOf(image: Pixels): Uint8Array {
  const { height, width } = hashExtents;
  const small = shrink(image, height, width);
  const [high, wide] = [Math.min(height, image.height), Math.min(width, image.width)];
  const plane = high * wide;
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const [row, column] = [Math.min(high - 1, Math.floor(i / width)), Math.min(wide - 1, i % width)];
    let sum = 0;
    for (let channel = 0; channel < image.channels; channel++) sum += small[channel * plane + row * wide + column] ?? 0;
    return sum / image.channels;
  });
}
