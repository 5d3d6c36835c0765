/** Images with boxes of your own as a task: found, read into squares, in parts, with anchors that fit the boxes to train on. */
import { DataError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { foldIn, keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { AnchorMap, LabelledBox } from "../../data/images/boxes.ts";
import { readPaddedImage } from "../../data/images/image.node.ts";
import type { Extents } from "../../data/images/padding.ts";
import type { ImageSize } from "../../finetune/tasks/image-classification.ts";
import { limitedRows } from "../folds/parting.ts";
import { fits, likenessOf, notKept, type ReadImage, usualImage } from "../images/read-images.node.ts";
import { type PartName, partSamples } from "../shared/part-samples.ts";
import { brokenNotes, readEach } from "../shared/read-files.ts";
import { clusterSizes, coverOf, mapsFor, type Size } from "./anchors.ts";
import { type AnnotatedImage, type AnnotatedImages, fractionsInPixels, LeftOut } from "./annotated-images.ts";
import type { BoxSample } from "./box-samples.ts";
import { chooseSide } from "./choose-side.ts";
import { listBoxes } from "./list-boxes.node.ts";
import { numbered, type PlacedObject, placeObjects } from "./place-objects.ts";

/** What images with boxes are loaded, and how. */
export interface BoxesRequest {
  /** The folder, or a file of annotations. */
  readonly path: string;
  /** Rows and columns of the square that images are brought into; 0: by the boxes and the time. */
  readonly side: number;
  /** Seconds that there are to train in. */
  readonly seconds: number;
  /** Start of all randomness. */
  readonly seed: number;
  /** So many images at most. */
  readonly limit: number | undefined;
}

/** Images with boxes that are loaded. */
export interface LoadedBoxes {
  /** The square that images are brought into. */
  readonly extents: ImageSize;
  /** Classes of the boxes to train on, by number; boxes of other classes have higher numbers. */
  readonly classes: readonly string[];
  /** Where a detector has its anchors. */
  readonly maps: readonly AnchorMap[];
  /** Objects of one class in an image to train on, at most. */
  readonly most: number;
  readonly parts: Readonly<Record<PartName, readonly BoxSample[]>>;
  /** What they were taken for, in sentences. */
  readonly notes: readonly string[];
}

/** Fewest images that are parted. */
const fewest = 10;
/** Sizes of anchors that are sought. */
const anchorSizes = 7;
/** Pixels below which the side of an object is small for a map of cells of 8 pixels. */
const smallExtent = 8;

/** An image that was read, with its objects. */
interface ReadBoxes extends ReadImage {
  readonly part: PartName | undefined;
  readonly objects: readonly PlacedObject[];
}

/** Throws DataError where boxes of images in pixels are fractions of them. */
function requirePixels(list: AnnotatedImages, path: string): void {
  const wrong = fractionsInPixels(list);
  if (wrong !== undefined) throw new DataError(`${path}: ${wrong}`);
}

/** The name of the rarest class in each image, "" where there is none: what images are spread over the parts by. */
function rarestOf(images: readonly ReadBoxes[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { objects } of images) for (const { name } of objects) counts.set(name, (counts.get(name) ?? 0) + 1);
  const rarity = (name: string) => counts.get(name) as number;
  return images.map(({ objects }) => objects.map(({ name }) => name).sort((a, b) => rarity(a) - rarity(b))[0] ?? "");
}

/** Reads each image once into its square. Broken ones, and those of another shape than their annotations say, are left out. */
async function readAll(
  images: readonly AnnotatedImage[],
  { extents, unit, leftOut }: { extents: ImageSize; unit: AnnotatedImages["unit"]; leftOut: LeftOut },
) {
  const keeps = fits(images.length, extents);
  const byPath = new Map(images.map((image) => [image.path, image]));
  const { height: side, channels } = extents;
  const { results, problems } = await readEach([...byPath.keys()], async (path) => {
    const { image, own } = await readPaddedImage(path, { side, channels });
    return { path, own, ...likenessOf(image), ...(keeps && { bytes: image.data }) };
  });
  const read = results.flatMap((result): ReadBoxes[] => {
    if (!result) return [];
    const { own, ...rest } = result;
    const image = byPath.get(rest.path) as AnnotatedImage;
    const objects = placeObjects(image, { unit, own, side, leftOut });
    return objects ? [{ ...rest, part: image.part, objects }] : [];
  });
  return { read, notes: [...brokenNotes(problems, "image"), ...(keeps ? [] : [notKept(images.length, extents)])] };
}

/** The images without those of parts to measure by in which nothing has a box: they are not annotated. */
function withoutEmptyParts(read: readonly ReadBoxes[]) {
  const empty = (["validation", "test"] as const).filter((part) => {
    const own = read.filter((image) => image.part === part);
    return own.length > 0 && own.every(({ objects }) => objects.length === 0);
  });
  return {
    read: read.filter(({ part }) => !empty.some((own) => own === part)),
    notes: empty.map((part) => `no image of the part "${part}" has a box: it is not measured by`),
  };
}

/** Boxes with the sizes of their images as shares of the longer side, for those of which the files say enough. */
function relativeExtents({ images, unit }: AnnotatedImages, usual: Extents): readonly number[] {
  return images.flatMap(({ objects, size = usual }) =>
    objects.flatMap(({ box: [left, top, right, bottom] }) => {
      const [across, down] = unit === "fractions" ? [usual.width, usual.height] : [1, 1];
      const longer = unit === "fractions" ? Math.max(usual.width, usual.height) : Math.max(size.width, size.height);
      const extent = Math.sqrt((right - left) * across * (bottom - top) * down) / longer;
      return extent > 0 ? [extent] : [];
    }),
  );
}

/**
 * Finds the images of a folder with their boxes, reads each once, and parts them. Classes and anchors are those of the images to train on.
 * Throws FileError or DataError for what cannot be read, and for too few images or boxes.
 */
export async function loadBoxes(request: BoxesRequest): Promise<LoadedBoxes> {
  const { path, seed, limit } = request;
  const leftOut = new LeftOut();
  const list = await listBoxes(path, leftOut);
  requirePixels(list, path);
  const images = limitedRows(list.images.length, { limit, seed }).map((place) => list.images[place] as AnnotatedImage);
  const boxes = images.reduce((sum, { objects }) => sum + objects.length, 0);
  if (images.length < fewest || boxes === 0) {
    const why = leftOut.notes().join("; ");
    throw new DataError(
      `${path}: has ${plural(images.length, "image")} with ${plural(boxes, "box", "boxes")}, too few to train on and test; pass ${fewest} images at least${why === "" ? "" : ` (${why})`}`,
    );
  }
  const usual = await usualImage(images.map((image) => image.path));
  const { side, why } = chooseSide({ ...request, usual, images: images.length, boxes: relativeExtents(list, usual) });
  const extents: ImageSize = { height: side, width: side, channels: usual.grey ? 1 : 3 };
  const all = await readAll(images, { extents, unit: list.unit, leftOut });
  const { read, notes } = withoutEmptyParts(all.read);
  const rarest = rarestOf(read);
  const { parts, notes: noted } = partSamples(
    read.map((own, i) => ({ ...own, label: rarest[i] })),
    { what: "image", seed },
  );
  const objectsOf = (places: readonly number[]) =>
    places.flatMap((place) => (read[place] as ReadBoxes).objects.filter(({ isCrowd }) => !isCrowd));
  for (const [part, places] of Object.entries(parts))
    if (objectsOf(places).length === 0)
      throw new DataError(
        `${path}: no image of the part "${part}" has a box; pass more images with boxes (${leftOut.notes().join("; ") || "no box was left out"})`,
      );
  const trained = objectsOf(parts.train);
  const known = new Set(trained.map(({ name }) => name));
  const classes = list.names.filter((name) => known.has(name));
  const others = [...new Set(read.flatMap(({ objects }) => objects.map(({ name }) => name)))].filter(
    (name) => !known.has(name),
  );
  const numbers = new Map([...classes, ...others].map((name, number) => [name, number]));
  const samples = read.map(({ path: file, bytes, objects }): BoxSample => {
    const pixels = bytes && new Tensor("uint8", [extents.channels, side, side], bytes as Uint8Array<ArrayBuffer>);
    return {
      path: file,
      pixels: async () => pixels ?? (await readPaddedImage(file, { side, channels: extents.channels })).image,
      ...numbered(objects, numbers),
    };
  });
  const of = (places: readonly number[]) => places.map((place) => samples[place] as BoxSample);
  const sizes = trained.map(({ box: [left, top, right, bottom] }): Size => [right - left, bottom - top]);
  const anchors = clusterSizes(sizes, anchorSizes, foldIn(keyOf(seed), "anchors"));
  const small = sizes.filter(([width, height]) => Math.sqrt(width * height) < smallExtent).length;
  return {
    extents,
    classes,
    maps: mapsFor(anchors, side),
    most: greatest(of(parts.train).map(({ truth }) => mostOfOneClass(truth))),
    parts: { train: of(parts.train), validation: of(parts.validation), test: of(parts.test) },
    notes: [
      `${list.what}: ${plural(parts.train.length, "image")} to train on with ${plural(trained.length, "box", "boxes")} of ${plural(classes.length, "class", "classes")}, ${parts.validation.length} to choose by, ${parts.test.length} to test on`,
      `images are brought into ${side} x ${side} pixels with their proportions kept, ${usual.grey ? "grey, as all that were looked at" : "in colour"} (${why})`,
      `${plural(anchors.length, "size")} of anchors by k-means on the boxes to train on, which they overlap by ${percent(coverOf(sizes, anchors))} in the mean`,
      ...(small > 0.1 * sizes.length
        ? [
            `${percent(small / sizes.length)} of the boxes are smaller than ${smallExtent} x ${smallExtent} pixels there, and hard to find; --size ${2 * side} shows them larger`,
          ]
        : []),
      ...(others.length > 0
        ? [
            `no box to train on is of the class ${others.slice(0, 5).map(quoted).join(", ")}: it is never found, and counts so where it is measured`,
          ]
        : []),
      ...notes,
      ...leftOut.notes(),
      ...all.notes,
      ...noted,
    ],
  };
}

/** The largest number of objects of one class. */
function mostOfOneClass(truth: readonly LabelledBox[]): number {
  const counts = new Map<number, number>();
  for (const { label } of truth) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
