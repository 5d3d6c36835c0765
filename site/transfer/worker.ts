/** Computes features of images by the pretrained network, and learns your own classes of them: a linear probe on what stays frozen. */
import {
  type Device,
  type FeatureClassifier,
  linearProbe,
  modelFromOnnx,
  nearestNeighbours,
  OptionError,
  predictor,
  Tensor,
  trainingWorker,
} from "sardonyx/web";
import { channelsLast, side } from "./images.ts";

/** To learn classes. */
export interface LearnWanted {
  readonly kind: "learn";
  /** The network as ONNX. */
  readonly network: Uint8Array;
  /** Images, uint8 [3, side, side] each. */
  readonly images: readonly Uint8Array[];
  /** The class of each, from 0. */
  readonly labels: readonly number[];
  /** What computes features. */
  readonly device: Device;
}
/** To tell the class of a image. */
export interface TellWanted {
  readonly kind: "tell";
  readonly image: Uint8Array;
  /** What computes features. */
  readonly device: Device;
}
/** How well images are told that were left out, one after the other. */
export interface Learned {
  /** The share that is right. */
  readonly right: number;
  /** The share that the nearest image by its pixels puts right: the baseline. */
  readonly byPixels: number;
}

/** Images that are left out at most; each takes a fit of its own. */
const mostLeftOut = 40;
/** The penalty, in the middle of what a probe may choose: with so few images nothing is left to choose by. */
const options = { strengths: [1] };

let network: Uint8Array | undefined;
let features: { readonly device: Device; readonly read: ReturnType<typeof open> } | undefined;
let probe: FeatureClassifier | undefined;

const open = (own: Uint8Array, device: Device) =>
  predictor(modelFromOnnx(own), { snapshot: true, compile: { device, threads: 1 } });

/** The network of the features, compiled for a device. Throws OptionError where the page gave none yet. */
async function featuresOn(device: Device): Promise<ReturnType<typeof open>> {
  if (!network) throw new OptionError("no classes were learned yet; learn them first");
  if (features?.device === device) return features.read;
  await features?.read.release();
  features = { device, read: open(network, device) };
  return features.read;
}

const rows = (all: readonly ArrayLike<number>[]) =>
  new Tensor("float32", [all.length, all[0]?.length ?? 0], Float32Array.from(all.flatMap((row) => Array.from(row))));

async function featuresOf(read: ReturnType<typeof open>, image: Uint8Array): Promise<readonly number[]> {
  const x = new Tensor("float32", [1, side, side, 3], channelsLast(image));
  return ((await read(x)) as Tensor).toNumbers();
}

/** The share of samples that a classifier of all others tells right. */
function leftOut(
  all: readonly ArrayLike<number>[],
  labels: readonly number[],
  learn: (x: Tensor, y: Tensor) => FeatureClassifier,
): number {
  const every = Math.ceil(all.length / mostLeftOut);
  const chosen = Array.from(all.keys()).filter((i) => i % every === 0);
  const right = chosen.filter((i) => {
    const others = <T>(list: readonly T[]) => list.filter((_, j) => j !== i);
    const y = Int32Array.from(others(labels));
    const classifier = learn(rows(others(all)), new Tensor("int32", [y.length], y));
    return classifier.predict(rows([all[i] ?? []])).toNumbers()[0] === labels[i];
  });
  return right.length / chosen.length;
}

async function learn({ network: given, images, labels, device }: LearnWanted): Promise<Learned> {
  network ??= given;
  const read = await featuresOn(device);
  const found: (readonly number[])[] = [];
  for (const image of images) found.push(await featuresOf(read, image));
  const y = new Tensor("int32", [labels.length], Int32Array.from(labels));
  probe = linearProbe(rows(found), y, options);
  return {
    right: leftOut(found, labels, (x, own) => linearProbe(x, own, options)),
    byPixels: leftOut(images, labels, (x, own) => nearestNeighbours(x, own, { neighbours: 1 })),
  };
}

trainingWorker(async (wanted: LearnWanted | TellWanted): Promise<Learned | readonly number[]> => {
  if (wanted.kind === "learn") return learn(wanted);
  const own = await featuresOf(await featuresOn(wanted.device), wanted.image);
  if (!probe) throw new OptionError("no classes were learned yet; learn them first");
  return probe.scores(rows([own])).toNumbers();
});
