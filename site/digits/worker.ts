/** Trains LeNet-5 on the digits beside the page, and hands it the network after each epoch. */
import {
  accuracy,
  activation,
  adam,
  averagePool2d,
  browserStore,
  conv2d,
  crossEntropy,
  type Device,
  dense,
  type EpochResult,
  encodeSavedModel,
  fit,
  flatten,
  fromTensors,
  keyOf,
  scaleBytes,
  sequential,
  storedCheckpoint,
  trainingWorker,
} from "sardonyx/web";
import { digitsOf } from "./data.ts";

/** What the page asks for. */
export interface Wanted {
  /** Epochs in all, those of an earlier visit among them. */
  readonly epochs: number;
  /** The file of the digits. */
  readonly file: Uint8Array;
  /** The name of the checkpoint. */
  readonly store: string;
  /** What computes. */
  readonly device: Device;
  /** Only take up the network of the checkpoint, whose epochs are `epochs`, and leave it as it is. */
  readonly isRestored: boolean;
}

/** What comes back at the end. */
export interface Trained {
  /** The network as ONNX. */
  readonly model: Uint8Array;
  readonly history: readonly EpochResult[];
}

/** What the page is sent after each epoch. */
export interface Snapshot {
  readonly kind: "snapshot";
  /** The network as ONNX. */
  readonly model: Uint8Array;
}

/** The layers of LeCun et al. 1998, section II.B: [N, 1, 28, 28] to scores [N, 10]. */
const lenet = () =>
  sequential([
    conv2d(6, 5, { padding: 2 }),
    activation("tanh"),
    averagePool2d(2),
    conv2d(16, 5),
    activation("tanh"),
    averagePool2d(2),
    flatten(),
    dense(120, { activation: "tanh" }),
    dense(84, { activation: "tanh" }),
    dense(10),
  ]);

trainingWorker(async ({ epochs, file, store, isRestored, device }: Wanted, { progress }): Promise<Trained> => {
  const { train, test } = digitsOf(file);
  const model = lenet();
  const checkpoint = browserStore(store);
  const { history } = await fit(
    model,
    fromTensors({ ...train })
      .shuffle(keyOf(1))
      .batch(32)
      .map(scaleBytes()),
    {
      loss: crossEntropy(),
      optimizer: adam({ learningRate: 0.002 }),
      metrics: [accuracy()],
      validation: fromTensors({ ...test })
        .batch(250, { dropLast: false })
        .map(scaleBytes()),
      epochs,
      callbacks: [
        progress,
        ...(isRestored ? [] : [storedCheckpoint(checkpoint, { seconds: 2 })]),
        {
          name: "snapshot",
          onEpoch() {
            const message: Snapshot = { kind: "snapshot", model: encodeSavedModel(model).bytes };
            globalThis.postMessage(message);
          },
        },
      ],
      training: { resume: await checkpoint.load(), compile: { device } },
    },
  );
  return { model: encodeSavedModel(model).bytes, history };
});
