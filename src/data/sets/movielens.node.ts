/**
 * MovieLens's small set of 2018: 100,836 ratings that 610 users gave 9,742 films (Harper and Konstan 2015).
 *
 * Sources, tried in this order: the folder passed, or `ml-latest-small` in it; the cache; GroupLens's archive
 * https://files.grouplens.org/datasets/movielens/ml-latest-small.zip (978,202 bytes, the SHA-256 below, which TensorFlow
 * Datasets states too), unpacked into the cache. GroupLens may put a newer set in its place, which is then refused: unpack it
 * and pass its folder.
 */
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { unzipSync } from "fflate";
import { FileError } from "../../core/errors.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { defaultCacheDir, obtain, type RemoteFile } from "../../storage/download.node.ts";
import { linesOf, readLines } from "../tables/csv-schema.node.ts";
import { checkLoad, findFile, type LoadOptions } from "./locate.node.ts";
import { type MovieRatings, readMovieLens } from "./movielens.ts";
import { type SyntheticRatingsOptions, syntheticRatings } from "./synthetic-ratings.ts";

const names = ["movies.csv", "ratings.csv"] as const;

const archive: RemoteFile = {
  name: "movielens/ml-latest-small.zip",
  urls: ["https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"],
  bytes: 978_202,
  sha256: "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
};

/** Unpacks the two files of an archive into a folder; each appears whole or not at all. Throws FileError. */
export async function unpackMovieLens(archivePath: string, folder: string): Promise<void> {
  const bytes = await readBytes(archivePath, "MovieLens");
  const wanted = (path: string) => names.some((name) => name === basename(path)); // its own folders are not followed
  const found = new Map<string, Uint8Array>();
  try {
    for (const [path, content] of Object.entries(unzipSync(bytes, { filter: ({ name }) => wanted(name) })))
      found.set(basename(path), content);
  } catch (cause) {
    throw new FileError(
      `${archivePath} is no whole zip archive (${(cause as Error).message}); remove it and try again`,
      {
        cause,
      },
    );
  }
  for (const name of names) {
    const content = found.get(name);
    if (!content) throw new FileError(`${archivePath} has no ${name}; pass an archive of MovieLens with CSV files`);
    await writeFileAtomic(join(folder, name), content);
  }
}

/** The first folder that has both files. */
async function folderWithBoth(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await Promise.all(names.map((name) => findFile(folder, name)));
    if (found.every((path, i) => path === join(folder, names[i] as string))) return folder;
  }
  return undefined;
}

/** Films and ratings, of MovieLens or in its layout. Throws FileError when no source has them, and as `readMovieLens`. */
export async function loadMovieLens(options: LoadOptions = {}): Promise<MovieRatings> {
  const { dir, ...download } = checkLoad(options);
  const cached = join(options.cacheDir ?? defaultCacheDir(), "movielens", "ml-latest-small");
  let folder = await folderWithBoth(dir === undefined ? [cached] : [dir, join(dir, "ml-latest-small")]);
  if (folder === undefined) {
    if (dir !== undefined) throw new FileError(`${dir} has not both of ${names.join(", ")}; pass the folder that does`);
    await unpackMovieLens(await obtain(archive, download), cached);
    folder = cached;
  }
  const source = (file: string) => ({ name: join(folder, file), lines: readLines(join(folder, file), {}) });
  return readMovieLens({ movies: source("movies.csv"), ratings: source("ratings.csv") });
}

/** Synthetic films and ratings (see `syntheticRatings`), read as files are. */
export function loadSyntheticRatings(options: SyntheticRatingsOptions): Promise<MovieRatings> {
  const files = syntheticRatings(options);
  const source = (name: keyof typeof files) => ({ name, lines: linesOf(Readable.from([files[name]]), name) });
  return readMovieLens({ movies: source("movies.csv"), ratings: source("ratings.csv") });
}
