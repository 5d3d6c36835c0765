/**
 * The Large Movie Review Dataset: 25,000 and 25,000 reviews of films on IMDB, half of them positive (Maas, Daly, Pham, Huang,
 * Ng, Potts 2011, Learning Word Vectors for Sentiment Analysis).
 *
 * Sources, tried in this order: the folder passed, or `aclImdb` in it; the cache; the authors' archive
 * https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz (84,125,825 bytes, MD5 7c2ac02c03563afcf9b574c7e56c153a),
 * which is read as it is. A review is a file: `train/pos/0_9.txt`, `test/neg/7_1.txt`.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { obtain, type RemoteFile } from "../../storage/download.node.ts";
import { gunzip } from "../../storage/gzip.ts";
import { readTar } from "../../storage/tar.ts";
import type { LabelledText, LabelledTexts } from "../text/labelled-text.ts";
import { checkLoad, type LoadOptions } from "./locate.node.ts";

const archive: RemoteFile = {
  name: "imdb/aclImdb_v1.tar.gz",
  urls: ["https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"],
  bytes: 84_125_825,
  md5: "7c2ac02c03563afcf9b574c7e56c153a",
};

/** In the order of the labels. */
const folders = ["neg", "pos"] as const;

/** Film reviews with their sentiment, for training and for testing. */
export interface Imdb {
  /** Reviews to train on. */
  readonly train: LabelledTexts;
  /** Reviews to test on. */
  readonly test: LabelledTexts;
}

/** A review without the line breaks of its page; none where there is no text. */
function reviewOf(bytes: Uint8Array, label: number): LabelledText[] {
  const text = new TextDecoder().decode(bytes).replaceAll("<br />", " ").trim();
  return text === "" ? [] : [{ text, label }];
}

/** Reviews of files that are given class by class, sorted by name. */
function partOf(classes: readonly (readonly Uint8Array[])[]): LabelledTexts {
  const texts = classes.flatMap((files, label) => files.flatMap((bytes) => reviewOf(bytes, label)));
  return { texts, skipped: classes.flat().length - texts.length };
}

/** Files of a class in a folder. Throws FileError when it has none. */
async function filesIn(folder: string): Promise<Uint8Array[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new FileError(
      `cannot list the folder ${folder} (${systemReason(error)}); pass one laid out as aclImdb/train/pos/*.txt`,
      { cause: error },
    );
  });
  const texts = names.filter((name) => name.endsWith(".txt")).sort();
  if (texts.length === 0) throw new FileError(`${folder} has no .txt files, expected one for each review`);
  return Promise.all(texts.map((name) => readBytes(join(folder, name), "review")));
}

/** Reads the archive, of which other files, such as reviews without a class, are left out. Throws FileError. */
export async function readImdbArchive(path: string): Promise<Imdb> {
  const files = await readTar(await gunzip(await readBytes(path, "IMDB"), path), path);
  const names = [...files.keys()].sort();
  const part = (which: string) =>
    partOf(
      folders.map((folder) =>
        names
          .filter((name) => name.includes(`/${which}/${folder}/`) && name.endsWith(".txt"))
          .map((name) => files.get(name) as Uint8Array),
      ),
    );
  const imdb = { train: part("train"), test: part("test") };
  if (imdb.train.texts.length === 0 || imdb.test.texts.length === 0)
    throw new FileError(`${path}: has no reviews at aclImdb/train and aclImdb/test; it is another archive`);
  return imdb;
}

/**
 * The reviews of films with their sentiment, for training and for testing. Throws FileError when no source has them.
 */
export async function loadImdb(options: LoadOptions = {}): Promise<Imdb> {
  const { dir, ...download } = checkLoad(options);
  if (dir === undefined) return readImdbArchive(await obtain(archive, download));
  const inner = join(dir, "aclImdb");
  const root = existsSync(inner) ? inner : dir;
  const part = async (which: string) => {
    const classes: Uint8Array[][] = [];
    for (const folder of folders) classes.push(await filesIn(join(root, which, folder)));
    return partOf(classes);
  };
  return { train: await part("train"), test: await part("test") };
}
