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
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";

const network = () => ({
  model: sequential([
    flatten(),
    dense(512, { activation: "relu", initializer: "heNormal" }),
    dropout(0.2),
    dense(512, { activation: "relu", initializer: "heNormal" }),
    dropout(0.2),
    dense(10),
  ]),
  input: { dtype: "float32", shape: [1, 1, 28, 28] } as const,
});

export default defineRecipe({
  name: "mlp-mnist",
  summary: "Two hidden layers of 512 units with dropout on the 60,000 MNIST digits",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 8, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0 },
  next: ["sardonyx train lenet-mnist          what convolutions add"],
  network,
  async load({ batchSize, seed, epochs, learningRate }, limit, onDownload) {
    const { classes, ...data } = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const batches = train.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const { model, input } = network();
    return {
      model,
      train: batches,
      test: test.batch(250, { dropLast: false }).map(scale),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      classes,
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps: epochs * (batches.length ?? 1) }),
      input: {
        type: input,
        image: { height: 28, width: 28, channels: 1 },
        prepare: (raw) => scale({ x: raw, y: raw }).x,
      },
    };
  },
});
