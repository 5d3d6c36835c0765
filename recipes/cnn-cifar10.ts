/** CIFAR-10's colour photographs: a plain convolutional network, or a small ResNet. */
import {
  accuracy,
  augment,
  cifar10Classes,
  confusionMatrix,
  conv2d,
  cosine,
  crop,
  crossEntropy,
  defineRecipe,
  dense,
  dropout,
  flatten,
  flip,
  foldIn,
  keyOf,
  limited,
  maxPool2d,
  models,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadCifar10 } from "../src/node.ts";
import { heldBack } from "./shared/held-back.ts";

const networks = {
  /** Three convolutions of 32, 64 and 64 filters, as in the articles. */
  plain: () =>
    sequential([
      conv2d(32, 3, { activation: "relu", padding: 1 }),
      maxPool2d(2),
      conv2d(64, 3, { activation: "relu", padding: 1 }),
      maxPool2d(2),
      conv2d(64, 3, { activation: "relu", padding: 1 }),
      flatten(),
      dense(64, { activation: "relu" }),
      dropout(0.2),
      dense(10),
    ]),
  /** Eight weighted layers (He et al. 2016, sec. 4.2, n = 1). */
  resnet: () => new models.CifarResNet({ blocks: 1, width: 16 }),
};

const open = ({ network }: { readonly network: keyof typeof networks }) => ({
  model: networks[network](),
  inputs: { dtype: "float32", shape: [1, 3, 32, 32] } as const,
  classes: cifar10Classes,
  format: { image: { height: 32, width: 32, channels: 3 } } as const,
});

export default defineRecipe({
  name: "cnn-cifar10",
  summary: "A convolutional network, plain or residual, on the 60,000 colour photographs of CIFAR-10",
  data: "CIFAR-10: 50,000 and 10,000 photographs",
  defaults: { epochs: 10, batchSize: 64, learningRate: 0.002, optimizer: "adam", seed: 0 },
  options: {
    network: {
      description: "three convolutions, or a ResNet of 8 layers",
      choices: ["plain", "resnet"],
      default: "plain",
    },
    data: { description: "folder of cifar-10-batches-bin; downloaded where there is none", default: "" },
  },
  next: ["sardonyx train cnn-cifar10 --network resnet          shortcuts and normalization"],
  open,
  async load({ batchSize, seed, epochs, learningRate, network, data: dir }, limit, onDownload) {
    const data = await loadCifar10({
      ...(dir !== "" && { dir }),
      ...(onDownload && { onProgress: onDownload }),
    });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const trained = (own: typeof train) =>
      own
        .shuffle(keyOf(seed))
        .batch(batchSize)
        .map(scale)
        .map(augment(flip("horizontal"), crop({ padding: 4 })), foldIn(keyOf(seed), "augment"));
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const batches = trained(train);
    return {
      ...open({ network }),
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
