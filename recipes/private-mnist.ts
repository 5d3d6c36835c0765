/** Digits learned with differential privacy: nobody can tell from the network whether an image was among those that it learned from. */
import {
  accuracy,
  activation,
  confusionMatrix,
  conv2d,
  cosine,
  crossEntropy,
  defineRecipe,
  dense,
  flatten,
  keyOf,
  limited,
  maxPool2d,
  mnistClasses,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";

/** The network of Papernot et al. 2021, table 1: bounded activations lose less under clipping and noise. */
const open = () => ({
  model: sequential([
    conv2d(16, 8, { stride: 2, padding: 3 }),
    activation("tanh"),
    maxPool2d(2, { stride: 1 }),
    conv2d(32, 4, { stride: 2 }),
    activation("tanh"),
    maxPool2d(2, { stride: 1 }),
    flatten(),
    dense(32, { activation: "tanh" }),
    dense(10),
  ]),
  classes: mnistClasses,
  ...greyImages,
});

export default defineRecipe({
  name: "private-mnist",
  summary: "Digits learned with differential privacy: clipped gradients, noise, and what an audit finds",
  data: "MNIST: 54,000, 6,000 to validate, 10,000",
  defaults: {
    epochs: 25,
    batchSize: 1024,
    learningRate: 4,
    optimizer: "sgd",
    seed: 0,
    private: 3,
    delta: 1e-5,
    clip: 0.1,
  },
  next: ["sardonyx train private-mnist --private 1", "sardonyx train lenet-mnist --private 3"],
  open,
  async load({ batchSize, seed, epochs, learningRate }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [whole, test] = [limited(data.train, limit), limited(data.test, limit)];
    // A tenth by which settings were chosen; it costs no privacy, since the network does not learn from it.
    const [train, held] = whole.split(0.9, keyOf(seed));
    const scale = scaleBytes();
    const batches = train.batch(batchSize).map(scale);
    return {
      ...open(),
      train: batches,
      validation: held.batch(250, { dropLast: false }).map(scale),
      test: test.batch(250, { dropLast: false }).map(scale),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      // At the end, where noise is most of a gradient, steps are small.
      schedule: cosine({ rate: learningRate, steps: Math.max(1, epochs * (batches.length ?? 1)) }),
      optimizers: { sgd: { momentum: 0.9 } },
    };
  },
});
