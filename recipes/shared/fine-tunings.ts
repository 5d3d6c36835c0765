/** Fine-tunings of one small network on digits, which are merged. */
import {
  accuracy,
  adam,
  collect,
  confusionMatrix,
  crossEntropy,
  type Dataset,
  evaluate,
  fit,
  foldIn,
  fromTensors,
  keyOf,
  type Labelled,
  limited,
  loadParameters,
  mnistClasses,
  type OnDownload,
  scaleBytes,
  type TensorDataset,
  type TensorsByPath,
  tensorsOfModule,
} from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";
import { greyImages } from "./digits.ts";
import { lenet } from "./lenet.ts";

/** Hidden units of the network that all begin from: wide enough for ways between fine-tunings along which the loss stays low. */
const hidden = 256;

export const openDigits = () => ({ model: lenet(hidden), classes: mnistClasses, ...greyImages });

/** Changes a digit of 28x28 pixels from 0 to 1. */
export type Change = (pixels: Float32Array) => void;

const side = 28;

/** Black on white. */
export const inverted: Change = (pixels) => {
  for (const [i, pixel] of pixels.entries()) pixels[i] = 1 - pixel;
};

/** A quarter turn. */
export const turned: Change = (pixels) => {
  const before = pixels.slice();
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      pixels[row * side + column] = before[(side - 1 - column) * side + row] as number;
};

/** Digits as a network takes them, each changed. */
export async function digitsOf(from: Dataset<Labelled>, change?: Change): Promise<TensorDataset<Labelled>> {
  const { x, y } = scaleBytes()(await collect(from)) as Labelled;
  const pixels = x.data as Float32Array;
  if (change) for (let at = 0; at < pixels.length; at += side * side) change(pixels.subarray(at, at + side * side));
  return fromTensors<Labelled>({ x, y });
}

const measured = { loss: crossEntropy(), metrics: [accuracy()] };

/** The accuracy of a network with other weights. */
export async function accuracyOf(tensors: TensorsByPath, data: Dataset<Labelled>): Promise<number> {
  const { model, inputs } = openDigits();
  model.initialize(keyOf(0), inputs);
  loadParameters(model, tensors);
  return (await evaluate(model, data, measured)).results["accuracy"] ?? Number.NaN;
}

/** How a network is trained on. */
export interface Tuning {
  readonly from: TensorsByPath;
  readonly data: TensorDataset<Labelled>;
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Its own order of the data. */
  readonly seed: number;
}

/** The weights after training on. */
export async function tuned({ from, data, learningRate, epochs, batchSize, seed }: Tuning): Promise<TensorsByPath> {
  const { model, inputs } = openDigits();
  model.initialize(keyOf(0), inputs);
  loadParameters(model, from);
  await fit(model, data.shuffle(foldIn(keyOf(seed), "order")).batch(Math.min(batchSize, data.length ?? batchSize)), {
    ...measured,
    optimizer: adam({ learningRate }),
    epochs,
    training: { seed },
  });
  return tensorsOfModule(model);
}

/** Few digits to learn from, others to choose by, and the test. */
export async function fewDigits(seed: number, limit: number | undefined, onDownload: OnDownload | undefined) {
  const { train, test } = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
  const [few, others] = train.split(0.1, keyOf(seed));
  const parts = [few, others.take(5000), test] as readonly Dataset<Labelled>[];
  const [learned, choosing, held] = parts.map((part) => limited(part, limit)) as [
    Dataset<Labelled>,
    Dataset<Labelled>,
    Dataset<Labelled>,
  ];
  return { learned, choosing, held };
}

/** Batches to measure. */
export const inBatches = (data: TensorDataset<Labelled>): Dataset<Labelled> => data.batch(250, { dropLast: false });

/** What a network that is fine-tuned later learns first, of plain digits, and how it is measured. */
export function firstTraining(
  parts: Readonly<Record<"train" | "validation" | "test", TensorDataset<Labelled>>>,
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
) {
  const { train, validation, test } = parts;
  return {
    ...openDigits(),
    train: train.shuffle(keyOf(seed)).batch(Math.min(batchSize, train.length ?? batchSize)),
    validation: inBatches(validation),
    test: inBatches(test),
    loss: crossEntropy(),
    metrics: [accuracy(), confusionMatrix(10)],
    samples: { train: train.length ?? 0, test: test.length ?? 0 },
  };
}
