/** A convolutional network on Fashion-MNIST with what helps it: normalization, augmentation, dropout, a falling rate, early stopping. */
import {
  accuracy,
  activation,
  augment,
  batchNorm,
  confusionMatrix,
  conv2d,
  cosine,
  crop,
  crossEntropy,
  defineRecipe,
  dense,
  dropout,
  earlyStopping,
  fashionMnistClasses,
  flatten,
  flip,
  foldIn,
  keyOf,
  limited,
  maxPool2d,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadFashionMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";

/** Two convolutions, each normalized, then half the height and width. */
const stage = (filters: number, rate: number) => [
  ...[0, 1].flatMap(() => [
    conv2d(filters, 3, { padding: 1, bias: false, initializer: "heNormal" }),
    batchNorm(),
    activation("relu"),
  ]),
  maxPool2d(2),
  dropout(rate),
];

const open = (width: number) => ({
  model: sequential([
    ...stage(width, 0.1),
    ...stage(2 * width, 0.2),
    flatten(),
    dense(128, { activation: "relu", initializer: "heNormal" }),
    dropout(0.4),
    dense(10),
  ]),
  classes: fashionMnistClasses,
  ...greyImages,
});

export default defineRecipe({
  name: "cnn-fashion",
  summary: "Four convolutions with normalization, augmentation and dropout on the 60,000 images of Fashion-MNIST",
  data: "Fashion-MNIST: 54,000, 6,000 to validate, 10,000",
  defaults: { epochs: 12, batchSize: 64, learningRate: 0.002, optimizer: "adam", seed: 0 },
  options: {
    width: { description: "channels of the first two convolutions, half as many as of the others", default: 16 },
    data: { description: "folder of its four files; downloaded where there is none", default: "" },
  },
  next: ["sardonyx train cnn-cifar10          photographs in colour"],
  open: ({ width }) => open(width),
  async load({ batchSize, seed, epochs, learningRate, width, data: dir }, limit, onDownload) {
    const data = await loadFashionMnist({
      ...(dir !== "" && { dir }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const [whole, test] = [limited(data.train, limit), limited(data.test, limit)];
    // A tenth decides when to stop; the test is not looked at before the end.
    const [train, held] = whole.split(0.9, keyOf(seed));
    const scale = scaleBytes();
    const batches = train
      .shuffle(keyOf(seed))
      .batch(batchSize)
      .map(scale)
      .map(augment(flip("horizontal"), crop({ padding: 2 })), foldIn(keyOf(seed), "augment"));
    return {
      ...open(width),
      train: batches,
      validation: held.batch(250, { dropLast: false }).map(scale),
      test: test.batch(250, { dropLast: false }).map(scale),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps: epochs * (batches.length ?? 1) }),
      callbacks: [earlyStopping({ monitor: "validation_accuracy", patience: 4 })],
    };
  },
});
