/** Data sets published as four IDX files: images and labels, for training and for testing. */
import { FileError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import type { RemoteFile } from "../../storage/download.node.ts";
import { checkLabels, labelsOf } from "../pipeline/checks.ts";
import { fromTensors, type TensorDataset } from "../pipeline/dataset.ts";
import { readIdx } from "./idx.ts";
import { type LoadOptions, locate } from "./locate.node.ts";

/** Images as bytes, uint8 [N, channels, height, width], and classes, int32 [N]. */
export type LabelledImages = {
  readonly x: Tensor<"uint8">;
  readonly y: Tensor<"int32">;
};

/** A data set with its customary division, and the names of its classes. */
export interface ImageClassification {
  readonly train: TensorDataset<LabelledImages>;
  readonly test: TensorDataset<LabelledImages>;
  readonly classes: readonly string[];
}

const names = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** What differs between data sets of this form. */
export interface IdxImages {
  /** Name of its folder in the cache, and in messages. */
  readonly name: string;
  /** Folders that may hold it already. */
  readonly folders: readonly (string | undefined)[];
  /** Addresses that the files' names are appended to. */
  readonly mirrors: readonly string[];
  /** Size and MD5 of each packed file: training images, training labels, test images, test labels. */
  readonly files: readonly (readonly [bytes: number, md5: string])[];
  readonly classes: readonly string[];
}

async function readPart(imagesPath: string, labelsPath: string, classes: number): Promise<LabelledImages> {
  const images = await readIdx(await readBytes(imagesPath, "images"), imagesPath);
  const labels = await readIdx(await readBytes(labelsPath, "labels"), labelsPath);
  if (images.dtype !== "uint8" || images.shape.length !== 3)
    throw new FileError(
      `${imagesPath}: holds ${images.dtype} ${showShape(images.shape)}, expected uint8 [N, height, width]`,
    );
  if (labels.dtype !== "uint8" || labels.shape.length !== 1)
    throw new FileError(`${labelsPath}: holds ${labels.dtype} ${showShape(labels.shape)}, expected uint8 [N]`);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (labels.shape[0] !== count)
    throw new FileError(
      `${labelsPath}: has ${labels.shape[0]} labels for ${count} images; take both files from one source`,
    );
  const y = labelsOf(labels.data as Uint8Array);
  checkLabels(y, classes, labelsPath);
  return { x: new Tensor("uint8", [count, 1, height, width], images.data as Uint8Array<ArrayBuffer>), y };
}

/** Reads such a data set from where it lies, or downloads it. Throws FileError, or DataError for labels out of range. */
export async function loadIdxImages(spec: IdxImages, options: LoadOptions): Promise<ImageClassification> {
  const remote = spec.files.map(
    ([bytes, md5], i): RemoteFile => ({
      name: `${spec.name}/${names[i]}.gz`,
      urls: spec.mirrors.map((mirror) => `${mirror}${names[i]}.gz`),
      bytes,
      md5,
    }),
  );
  const paths = await locate(names, spec.folders, remote, options);
  const [trainImages, trainLabels, testImages, testLabels] = paths as [string, string, string, string];
  return {
    train: fromTensors(await readPart(trainImages, trainLabels, spec.classes.length)),
    test: fromTensors(await readPart(testImages, testLabels, spec.classes.length)),
    classes: spec.classes,
  };
}
