/** A multi-layer perceptron on MNIST: reaches 98 % of the test digits (docs/recipes.md). */
import {
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  defineRecipe,
  dense,
  dropout,
  flatten,
  keyOf,
  limited,
  mnistClasses,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";

const open = () => ({
  model: sequential([
    flatten(),
    dense(512, { activation: "relu", initializer: "heNormal" }),
    dropout(0.2),
    dense(512, { activation: "relu", initializer: "heNormal" }),
    dropout(0.2),
    dense(10),
  ]),
  classes: mnistClasses,
  ...greyImages,
});

export default defineRecipe({
  name: "mlp-mnist",
  summary: "Two hidden layers of 512 units with dropout on the 60,000 MNIST digits",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 8, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0 },
  next: ["sardonyx train lenet-mnist          what convolutions add"],
  open,
  async load({ batchSize, seed, epochs, learningRate }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const batches = trained(train);
    return {
      ...open(),
      train: batches,
      test: measured(test),
      trial: () => heldBack({ train, seed, trained, measured }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps: epochs * (batches.length ?? 1) }),
    };
  },
});
