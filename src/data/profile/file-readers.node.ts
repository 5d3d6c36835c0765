/** What is measured of an image, a text or a sound in a file. */
import { isUtf8 } from "node:buffer";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { importSharp, readImage } from "../images/image.node.ts";
import { readWav } from "../sound/wav.ts";
import type { FolderFile, FolderKind } from "./folder-files.node.ts";
import { differenceHash, hashExtents } from "./image-likeness.ts";

/** What a file turned out to be. */
export interface ReadFile {
  /** Figures by name, such as its width. */
  readonly figures: Readonly<Record<string, number>>;
  /** Its form, such as "JPEG, 8 bits, CMYK". */
  readonly form: string;
  /** What is odd about it, such as "silent". */
  readonly oddities: readonly string[];
  /** Of images. */
  readonly hash?: Uint16Array;
  readonly thumbnail?: string;
  /** Of texts. */
  readonly text?: string;
}

/** Pixels of a sample image's longer side. */
const thumbnailSide = 112;
/** Bytes of the largest text that is read. */
const largestText = 2 ** 26;

async function readPicture(bytes: Uint8Array, { path, name }: FolderFile, withThumbnail: boolean): Promise<ReadFile> {
  const sharp = await importSharp();
  // Decoded whole, as training would, so that a file that is cut off is found.
  await readImage(path, { size: [hashExtents.height, hashExtents.width] });
  const meta = await sharp(bytes).metadata();
  const grey = await sharp(bytes, { limitInputPixels: limits.pixels })
    .rotate()
    .flatten({ background: "white" })
    .toColourspace("b-w")
    .resize({ ...hashExtents, fit: "fill" })
    .raw({ depth: "uchar" })
    .toBuffer();
  const depth =
    { uchar: "8 bits", char: "8 bits", ushort: "16 bits", short: "16 bits", float: "floats" }[meta.depth as string] ??
    meta.depth;
  const space =
    { srgb: "RGB", "b-w": "grey", rgb16: "RGB", grey16: "grey", cmyk: "CMYK" }[meta.space as string] ?? meta.space;
  const turned = (meta.orientation ?? 1) > 1;
  const form = [
    (meta.format ?? "").toUpperCase(),
    depth,
    space,
    ...(meta.hasAlpha ? ["transparent"] : []),
    ...(meta.isPalette ? ["palette"] : []),
    ...(turned ? ["turned by EXIF"] : []),
    ...((meta.pages ?? 1) > 1 ? ["several frames"] : []),
  ].join(", ");
  const [width, height] = (meta.orientation ?? 1) >= 5 ? [meta.height, meta.width] : [meta.width, meta.height];
  const brightness = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const oddities = [
    ...(grey.every((value) => value === grey[0]) ? ["of one colour"] : []),
    ...(Math.min(width, height) < 16 ? ["smaller than 16 pixels"] : []),
    ...(isMisnamed(name, meta.format)
      ? [`named ${name.slice(name.lastIndexOf("."))} though it is ${meta.format?.toUpperCase()}`]
      : []),
  ];
  const thumbnail = withThumbnail
    ? (
        await sharp(bytes)
          .rotate()
          .flatten({ background: "white" })
          .resize({ width: thumbnailSide, height: thumbnailSide, fit: "inside", withoutEnlargement: true })
          .toColourspace("srgb")
          .jpeg({ quality: 75 })
          .toBuffer()
      ).toString("base64")
    : undefined;
  return {
    figures: { width, height, megapixels: (width * height) / 1e6, brightness: brightness / 255 },
    form,
    oddities,
    hash: differenceHash(grey),
    ...(thumbnail !== undefined && { thumbnail: `data:image/jpeg;base64,${thumbnail}` }),
  };
}

const formats: Readonly<Record<string, string>> = {
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".png": "png",
  ".gif": "gif",
  ".webp": "webp",
  ".tif": "tiff",
  ".tiff": "tiff",
  ".avif": "heif",
};

const isMisnamed = (name: string, format: string | undefined): boolean => {
  const expected = formats[name.slice(name.lastIndexOf(".")).toLowerCase()];
  return expected !== undefined && format !== undefined && expected !== format;
};

async function readText(bytes: Uint8Array, { path }: FolderFile): Promise<ReadFile> {
  if (bytes.length > largestText)
    throw new FileError(
      `${path}: has ${bytes.length} bytes, more than ${largestText} that are read of a text; cut it into several`,
    );
  const valid = isUtf8(bytes);
  const text = new TextDecoder(valid ? "utf-8" : "windows-1252").decode(bytes);
  if (text.includes("\u0000"))
    throw new FileError(`${path}: has bytes of zero, which no text has; replace or remove it`);
  const words = text.match(/\S+/g)?.length ?? 0;
  return {
    figures: { words, characters: text.length },
    form: valid ? "UTF-8" : "Latin-1 (windows-1252)",
    oddities: words === 0 ? ["only of spaces"] : [],
    text: text.slice(0, 20_000),
  };
}

async function readSound(bytes: Uint8Array, { path }: FolderFile): Promise<ReadFile> {
  const { rate, channels } = readWav(bytes, path);
  const [first = new Float32Array(0)] = channels;
  let [peak, clipped] = [0, 0];
  for (const sample of first) {
    peak = Math.max(peak, Math.abs(sample));
    if (Math.abs(sample) >= 0.999) clipped++;
  }
  return {
    figures: { seconds: first.length / rate, "samples a second": rate, peak },
    form: `${rate} Hz, ${channels.length === 1 ? "mono" : `${channels.length} channels`}`,
    oddities: [...(peak < 1e-4 ? ["silent"] : []), ...(clipped > 0.01 * first.length ? ["clipped"] : [])],
  };
}

const readers: Readonly<
  Record<FolderKind, (bytes: Uint8Array, file: FolderFile, withThumbnail: boolean) => Promise<ReadFile>>
> = {
  images: readPicture,
  texts: readText,
  sounds: readSound,
};

/** Reads a file. Throws FileError saying what is wrong with it. */
export async function readFolderFile(
  kind: FolderKind,
  file: FolderFile,
  withThumbnail: boolean,
): Promise<ReadFile & { bytes: Uint8Array }> {
  if (file.bytes === 0) throw new FileError(`${file.path}: is empty (0 bytes); get it anew, or remove it`);
  const bytes = await readBytes(file.path, "profile");
  try {
    return { ...(await readers[kind](bytes, file, withThumbnail)), bytes };
  } catch (error) {
    if (error instanceof SardonyxError) throw error;
    // What sharp finds only when it decodes the whole image.
    throw new FileError(`${file.path}: cannot be read (${(error as Error).message}); replace or remove the file`, {
      cause: error,
    });
  }
}
