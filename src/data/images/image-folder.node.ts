/** A folder of images with one subfolder for each class (`flowers/tulip/1.jpg`), decoded from disk as they are needed. */
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { systemReason } from "../../storage/atomic.node.ts";
import { type Dataset, fromIndexed, type Labelled } from "../pipeline/dataset.ts";
import { type ImageOptions, imageExtensions, imageTypes, importSharp, readImage } from "./image.node.ts";

/** Options of `loadImageFolder`. */
export interface ImageFolderOptions extends ImageOptions {
  /** What to do about an image that cannot be decoded: stop when its turn comes, or look at all first and leave it out; default "error". */
  readonly unreadable?: "error" | "skip";
}

const checkOptions = optionsOf<ImageFolderOptions>("loadImageFolder", {
  ...imageTypes,
  unreadable: oneOf("error", "skip"),
});
/** The images of a folder of subfolders, one a class. */
export interface ImageFolder {
  /** Samples with x uint8 [channels, height, width] and y int32 []; class by class, to be shuffled. */
  readonly all: Dataset<Labelled>;
  /** Names of the subfolders in alphabetical order; y is the place in it. */
  readonly classes: readonly string[];
  /** The files, in the order of the samples. */
  readonly paths: readonly string[];
  /** What is wrong with each file left out. */
  readonly skipped: readonly string[];
}

interface ImageFile {
  readonly path: string;
  readonly label: number;
}

async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new FileError(`cannot list the folder ${folder} (${systemReason(error)}); check the path`, { cause: error });
  }
}

/** Splits images by whether they decode; reads each once, a few at a time. */
async function sortOut(images: readonly ImageFile[], options: ImageOptions) {
  const problems = new Map<ImageFile, string>();
  const waiting = [...images];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const image = next;
      await readImage(image.path, options).catch((error: Error) => problems.set(image, error.message));
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return {
    readable: images.filter((image) => !problems.has(image)),
    skipped: images.flatMap((image) => problems.get(image) ?? []),
  };
}

/**
 * A dataset over the images of a folder. Give `size` unless all are equally large, then batch, and `prefetch` to decode
 * ahead. Throws FileError for a folder that cannot be listed, DataError when it has no classes or no images.
 * @example (await loadImageFolder("flowers", { size: [64, 64] })).all.shuffle(keyOf(1)).batch(32).prefetch(4).map(scaleBytes())
 */
export async function loadImageFolder(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions(options);
  await importSharp(); // reported now rather than in the middle of an epoch
  const { unreadable = "error", ...imageOptions } = options;
  const classes = (await entriesOf(dir)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (classes.length === 0)
    throw new DataError(`${dir}: has no subfolders, expected one for each class, holding its images`);
  const listed = await Promise.all(
    classes.map(async (name, label) => {
      const files = (await entriesOf(join(dir, name))).filter((entry) =>
        imageExtensions.includes(extname(entry.name).toLowerCase()),
      );
      return files.map((file): ImageFile => ({ path: join(dir, name, file.name), label }));
    }),
  );
  const images = listed.flat();
  const { readable, skipped } =
    unreadable === "skip" ? await sortOut(images, imageOptions) : { readable: images, skipped: [] };
  if (readable.length === 0)
    throw new DataError(
      `${dir}: its subfolders hold no readable image (${skipped.length} unreadable); expected ${imageExtensions.join(" ")}`,
    );
  const sample = async (index: number): Promise<Labelled> => {
    const { path, label } = readable[index] as ImageFile;
    return { x: await readImage(path, imageOptions), y: new Tensor("int32", [], Int32Array.of(label)) };
  };
  return { all: fromIndexed(readable.length, sample), classes, paths: readable.map(({ path }) => path), skipped };
}
