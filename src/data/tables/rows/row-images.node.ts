/** The images that rows of a table name, read as their pixels. */
import { resolve } from "node:path";
import { atPlace } from "../../../core/errors.ts";
import { readImage } from "../../images/image.node.ts";
import type { FieldEncoding, NamedRow, RowEncoding } from "./row-encoding.ts";

type ImageField = Extract<FieldEncoding, { readonly kind: "image" }>;

/** Images that are read at once. */
const atOnce = 4;

/** One image as pixels [channels, height, width] from 0 to 1. Throws FileError naming it. */
export async function pixelsOf(
  path: string,
  { height, width, channels }: Pick<ImageField, "height" | "width" | "channels">,
): Promise<Float32Array<ArrayBuffer>> {
  const { data } = await readImage(path, { size: [height, width], channels });
  return Float32Array.from(data as Uint8Array, (byte) => byte / 255);
}

/**
 * Rows with the pixels of the images that they name.
 * @param folder what paths are from. Throws FileError, naming the row, for an image that cannot be read
 */
export async function withImages(
  rows: readonly NamedRow[],
  { fields }: RowEncoding,
  folder: string,
): Promise<readonly NamedRow[]> {
  const images = fields.filter((field) => field.kind === "image");
  if (images.length === 0) return rows;
  const done: NamedRow[] = [];
  for (let start = 0; start < rows.length; start += atOnce)
    done.push(
      ...(await Promise.all(rows.slice(start, start + atOnce).map((row) => withOwnImages(row, images, folder)))),
    );
  return done;
}

async function withOwnImages(row: NamedRow, images: readonly ImageField[], folder: string): Promise<NamedRow> {
  const read = new Map<string, Float32Array>();
  for (const field of images) {
    const cell = row.cell(field.name);
    try {
      if (cell !== "") read.set(field.name, await pixelsOf(resolve(folder, cell), field));
    } catch (error) {
      throw atPlace(row.where, error);
    }
  }
  return { ...row, pixels: (name) => read.get(name) };
}
