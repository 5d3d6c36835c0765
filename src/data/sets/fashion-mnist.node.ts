/**
 * Fashion-MNIST: 60,000 and 10,000 images of clothing in MNIST's format (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747).
 *
 * Sources, tried in this order: the folder passed; Debian's package `dataset-fashion-mnist`
 * (/usr/share/datasets/fashion-mnist, packed anew, so of other sizes); the cache; the authors' two copies:
 *
 * | File | Bytes | MD5 |
 * | --- | --- | --- |
 * | train-images-idx3-ubyte.gz | 26,421,880 | 8d4fb7e6c68d591d4c3dfef9ec88bf0d |
 * | train-labels-idx1-ubyte.gz | 29,515 | 25c81989df183df01b3e8a0aad5dffbe |
 * | t10k-images-idx3-ubyte.gz | 4,422,102 | bef4ecab320f06d8554ea6380940ec79 |
 * | t10k-labels-idx1-ubyte.gz | 5,148 | bb300cfdad3c16e7a12a480ee83cd310 |
 */
import { type ImageClassification, loadIdxImages } from "./idx-images.node.ts";
import { fashionMnistClasses } from "./image-classes.ts";
import type { LoadOptions } from "./locate.node.ts";

/** The images as uint8 [N, 1, 28, 28] and their ten classes. Throws FileError when no source has them. */
export function loadFashionMnist(options: LoadOptions = {}): Promise<ImageClassification> {
  return loadIdxImages(
    {
      name: "fashion-mnist",
      folders: ["/usr/share/datasets/fashion-mnist"],
      mirrors: [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
      ],
      files: [
        [26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"],
        [29_515, "25c81989df183df01b3e8a0aad5dffbe"],
        [4_422_102, "bef4ecab320f06d8554ea6380940ec79"],
        [5_148, "bb300cfdad3c16e7a12a480ee83cd310"],
      ],
      classes: fashionMnistClasses,
    },
    options,
  );
}
