/** A folder of images with one subfolder for each class (`flowers/tulip/1.jpg`), decoded from disk as they are needed. */
import { oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { loadClassFolders } from "../pipeline/class-folders.node.ts";
import type { Dataset, Labelled } from "../pipeline/dataset.ts";
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

/**
 * A dataset over the images of a folder. Give `size` unless all are equally large, then batch, and `prefetch` to decode
 * ahead. Throws FileError for a folder that cannot be listed, DataError when it has no classes or no images.
 * @example (await loadImageFolder("flowers", { size: [64, 64] })).all.shuffle(keyOf(1)).batch(32).prefetch(4).map(scaleBytes())
 */
export async function loadImageFolder(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions(options);
  await importSharp(); // reported now rather than in the middle of an epoch
  const { unreadable = "error", ...imageOptions } = options;
  return loadClassFolders(dir, {
    what: "image",
    endings: imageExtensions,
    skipsUnreadable: unreadable === "skip",
    read: (path) => readImage(path, imageOptions),
  });
}
