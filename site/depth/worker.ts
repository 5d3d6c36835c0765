/** Trains a network of some depth on two spirals beside the page, which is shown after each epoch what it does with the plane. */
import { models } from "sardonyx";
import {
  accuracy,
  adam,
  crossEntropy,
  type Device,
  fit,
  fromTensors,
  gradientNorms,
  keyOf,
  predictor,
  Tensor,
  trainingWorker,
} from "sardonyx/web";
import { type Points, reach, spirals } from "./spirals.ts";

/** What the page asks for. */
export interface Wanted {
  /** Hidden layers. */
  readonly depth: number;
  /** Units of each. */
  readonly width: number;
  /** Factor of all initial weights. */
  readonly gain: number;
  readonly isResidual: boolean;
  readonly isNormalized: boolean;
  readonly activation: "relu" | "tanh" | "sigmoid";
  readonly epochs: number;
  /** What computes. */
  readonly device: Device;
}
/** What the page is sent after each epoch. */
export interface Look {
  readonly kind: "look";
  /** The probability of the second spiral at each of `side` × `side` points, row by row from above. */
  readonly plane: Float32Array;
  /** Norms of the weights' gradients in the epoch's last batch, by layer from the input on. */
  readonly norms: readonly number[];
}

/** Points of the plane along each side. */
export const side = 64;

/** Points to train on, and held-out ones. */
export const parts = () => ({ train: spirals(800, 1), test: spirals(400, 2) });

const tensorsOf = ({ x, y }: Points) => ({
  x: new Tensor("float32", [y.length, 2], x),
  y: new Tensor("int32", [y.length], y),
});

/** The middle of each pixel: [side · side, 2]. */
const grid = () =>
  new Tensor(
    "float32",
    [side * side, 2],
    Float32Array.from({ length: 2 * side * side }, (_, i) => {
      const pixel = i >> 1;
      const place = (2 * reach * ((i % 2 === 0 ? pixel % side : Math.floor(pixel / side)) + 0.5)) / side - reach;
      return i % 2 === 0 ? place : -place;
    }),
  );

trainingWorker(async ({ isResidual, isNormalized, epochs, device, ...network }: Wanted, { progress }) => {
  const { train, test } = parts();
  const model = new models.DeepMlp({
    ...network,
    classes: 2,
    residual: isResidual,
    normalize: isNormalized,
  });
  // So small a network is fastest on one thread.
  const compile = { device, threads: 1 };
  const scoresOf = predictor(model, { compile });
  const points = grid();
  let norms: readonly number[] = [];
  await fit(model, fromTensors(tensorsOf(train)).shuffle(keyOf(3)).batch(40), {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    metrics: [accuracy()],
    validation: fromTensors(tensorsOf(test)).batch(400),
    epochs,
    callbacks: [
      {
        name: "look",
        onBatch(_, { reports }) {
          const found = Object.entries(reports["gradientNorms"] ?? {});
          norms = found.flatMap(([path, norm]) => (/^(layers\.\d+|head)\.weight$/.test(path) ? [norm] : []));
        },
        async onEpoch() {
          const scores = (await scoresOf(points)).toNumbers();
          const plane = Float32Array.from(
            { length: side * side },
            (_, i) => 1 / (1 + Math.exp((scores[2 * i] ?? 0) - (scores[2 * i + 1] ?? 0))),
          );
          const look: Look = { kind: "look", plane, norms };
          globalThis.postMessage(look);
        },
      },
      progress,
    ],
    training: { compile, transforms: [gradientNorms()] },
  });
  await scoresOf.release();
});
