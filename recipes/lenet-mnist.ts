/** LeNet on MNIST: reaches 98.9 % of the test digits in three epochs (docs/recipes.md). */
import {
  accuracy,
  confusionMatrix,
  crossEntropy,
  defineRecipe,
  keyOf,
  limited,
  mnistClasses,
  scaleBytes,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";
import { lenet } from "./shared/lenet.ts";

const open = () => ({ model: lenet(), classes: mnistClasses, ...greyImages });

export default defineRecipe({
  name: "lenet-mnist",
  summary: "LeNet (two convolutions, two dense layers) on the 60,000 MNIST digits",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 3, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  next: [
    "sardonyx train mlp-mnist            a network without convolutions, for comparison",
    "sardonyx train lenet-mnist --optimizer sgd --learning-rate 0.1",
    "sardonyx train lenet-mnist --profile          where the time goes, by operator and layer",
    "sardonyx train prune-lenet          nine of ten weights at zero, beside the dense network",
    "sardonyx train iris                 freezing a layer, and the proof that it did not move",
  ],
  open,
  async load({ batchSize, seed }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    return {
      ...open(),
      train: trained(train),
      test: measured(test),
      trial: () => heldBack({ train, seed, trained, measured }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
    };
  },
});
