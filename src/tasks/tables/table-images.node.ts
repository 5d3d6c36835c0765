/** Columns of images of a table: each image is read once and brought to one size; what cannot be read counts for missing. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { DataError } from "../../core/errors.ts";
import { byteText, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import { fitImages, type ImageExtents, imageMultiple } from "../../data/tables/rows/image-column.ts";
import type { FieldEncoding } from "../../data/tables/rows/row-encoding.ts";
import { pixelsOf } from "../../data/tables/rows/row-images.node.ts";
import { lookAtImages } from "../images/read-images.node.ts";
import { readEach } from "../shared/read-files.ts";

/** A column of images that were read. */
export interface TableImages {
  readonly name: string;
  /** How they become numbers, by what those of rows to train on show. Throws DataError where none of these was read. */
  fit(trained: readonly number[]): Extract<FieldEncoding, { readonly kind: "image" }>;
  /** Of each row the pixels of its image from 0 to 1, [channels, height, width]; nothing for one that is missing. */
  readonly pixels: readonly (Float32Array | undefined)[];
  /** Of each row what is equal of equal images; nothing for one that is missing. */
  readonly sums: readonly (string | undefined)[];
  /** What to know of them, in sentences. */
  readonly notes: readonly string[];
}

/** Rows and columns of pixels, of many images the fewer of these. */
const sides = [2 * imageMultiple, imageMultiple] as const;
/** Bytes that the pixels of a table may take. */
const mostBytes = 2 ** 30;
/** Broken files that are named. */
const mostNamed = 3;

/**
 * Reads the images that a column names, by paths from the table's folder. Throws DataError where none of those that are looked at can be
 * read, and where there are too many for memory.
 */
export async function readTableImages(
  table: string,
  { name }: ColumnType,
  cells: readonly string[],
): Promise<TableImages> {
  const places = new Map<string, number[]>();
  for (const [row, cell] of cells.entries()) {
    if (cell === "") continue;
    const path = resolve(dirname(table), cell);
    places.set(path, [...(places.get(path) ?? []), row]);
  }
  const paths = [...places.keys()];
  const { extents: seen } = await lookAtImages(paths, sides[0]);
  const bytesOf = (side: number) => 4 * cells.length * seen.channels * side * side;
  const side = sides.find((own) => bytesOf(own) <= mostBytes);
  if (side === undefined)
    throw new DataError(`its pixels would take ${byteText(bytesOf(sides[1]))}, more than ${byteText(mostBytes)}`);
  const extents: ImageExtents = { height: side, width: side, channels: seen.channels };
  const { results, problems } = await readEach(paths, async (path) => {
    const pixels = await pixelsOf(path, extents);
    return { pixels, sum: createHash("sha256").update(new Uint8Array(pixels.buffer)).digest("base64") };
  });
  const pixels = new Array<Float32Array | undefined>(cells.length).fill(undefined);
  const sums = new Array<string | undefined>(cells.length).fill(undefined);
  for (const [place, path] of paths.entries())
    for (const row of places.get(path) ?? []) {
      pixels[row] = results[place]?.pixels;
      sums[row] = results[place]?.sum;
    }
  const missing = pixels.filter((own) => own === undefined).length;
  const empty = cells.filter((cell) => cell === "").length;
  return {
    name,
    fit(trained) {
      const own = trained.flatMap((row) => pixels[row] ?? []);
      if (own.length === 0) throw new DataError(`${quoted(name)}: no row to train on has an image that can be read`);
      return { name, kind: "image", ...extents, ...fitImages(own, extents), hasMissing: own.length < trained.length };
    },
    pixels,
    sums,
    notes: [
      ...(missing > empty
        ? [
            `of ${quoted(name)} ${plural(problems.length, "image")} cannot be read, and ${missing - empty === 1 ? "counts" : "count"} for missing, such as ${problems.slice(0, mostNamed).join("; ")}`,
          ]
        : []),
      ...(empty > 0 ? [`${plural(empty, "row")} without an image in ${quoted(name)}`] : []),
    ],
  };
}
