/**
 * CIFAR-10: 50,000 and 10,000 colour images, 32x32, of ten classes (Krizhevsky 2009).
 *
 * Sources, tried in this order: the folder passed, or `cifar-10-batches-bin` in it; the cache; the author's archive
 * https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (170,052,171 bytes, MD5 c32a1d4ab5d03f1284b67883e8d87530),
 * unpacked into the cache. Each of its six files is 10,000 rows of 3,073 bytes: a class, then 1,024 red, green and blue.
 */
import { basename, join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { defaultCacheDir, obtain, type RemoteFile } from "../../storage/download.node.ts";
import { gunzip } from "../../storage/gzip.ts";
import { readTar } from "../../storage/tar.ts";
import { checkLabels } from "../pipeline/checks.ts";
import { fromTensors } from "../pipeline/dataset.ts";
import type { ImageClassification, LabelledImages } from "./idx-images.node.ts";
import { cifar10Classes } from "./image-classes.ts";
import { checkLoad, findFile, type LoadOptions } from "./locate.node.ts";

const SIDE = 32;
const IMAGE_BYTES = 3 * SIDE * SIDE;
const ROW_BYTES = 1 + IMAGE_BYTES;

const trainNames = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const names = [...trainNames, "test_batch.bin"];

const archive: RemoteFile = {
  name: "cifar10/cifar-10-binary.tar.gz",
  urls: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
  bytes: 170_052_171,
  md5: "c32a1d4ab5d03f1284b67883e8d87530",
};

/** Images and labels of files in CIFAR-10's binary format. Throws FileError for a broken row, DataError for a label above 9. */
export function decodeCifar10(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): LabelledImages {
  for (const { name, bytes } of files)
    if (bytes.length === 0 || bytes.length % ROW_BYTES !== 0)
      throw new FileError(
        `${name}: has ${bytes.length} bytes, expected rows of ${ROW_BYTES}; it is cut off or not in CIFAR-10's binary format`,
      );
  const count = files.reduce((rows, { bytes }) => rows + bytes.length / ROW_BYTES, 0);
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Int32Array(count);
  let row = 0;
  for (const { name, bytes } of files) {
    const first = row;
    for (let start = 0; start < bytes.length; start += ROW_BYTES, row++) {
      labels[row] = bytes[start] as number;
      images.set(bytes.subarray(start + 1, start + ROW_BYTES), row * IMAGE_BYTES);
    }
    checkLabels(new Tensor("int32", [row - first], labels.subarray(first, row)), cifar10Classes.length, name);
  }
  return {
    x: new Tensor("uint8", [count, 3, SIDE, SIDE], images),
    y: new Tensor("int32", [count], labels),
  };
}

/** The first folder that has all six files. */
async function folderWithAll(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await Promise.all(names.map((name) => findFile(folder, name)));
    if (found.every((path, i) => path === join(folder, names[i] as string))) return folder;
  }
  return undefined;
}

/** Unpacks the six files of the archive into a folder; each appears whole or not at all. Throws FileError. */
export async function unpackCifar10(archivePath: string, folder: string): Promise<void> {
  const files = await readTar(await gunzip(await readBytes(archivePath, "CIFAR-10"), archivePath), archivePath);
  for (const [path, bytes] of files) {
    const name = basename(path); // the archive's own folders are not followed
    if (names.includes(name)) await writeFileAtomic(join(folder, name), bytes);
  }
}

/** The images as uint8 [N, 3, 32, 32] (red, green, blue) and their ten classes. Throws FileError when no source has them. */
export async function loadCifar10(options: LoadOptions = {}): Promise<ImageClassification> {
  const { dir, ...download } = checkLoad(options);
  const cached = join(options.cacheDir ?? defaultCacheDir(), "cifar10", "cifar-10-batches-bin");
  let folder = await folderWithAll(dir === undefined ? [cached] : [dir, join(dir, "cifar-10-batches-bin")]);
  if (folder === undefined) {
    if (dir !== undefined)
      throw new FileError(`${dir} does not have all of ${names.join(", ")}; pass the folder that does`);
    await unpackCifar10(await obtain(archive, download), cached);
    folder = cached;
  }
  const read = async (name: string) => {
    const path = join(folder, name);
    return { name: path, bytes: await readBytes(path, "CIFAR-10") };
  };
  return {
    train: fromTensors(decodeCifar10(await Promise.all(trainNames.map(read)))),
    test: fromTensors(decodeCifar10([await read("test_batch.bin")])),
    classes: cifar10Classes,
  };
}
