/** A network that others trained on photographs classifies clothing from few images: its middle layers stay, a new head learns. */
import {
  type AnyModule,
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  defineRecipe,
  fashionMnistClasses,
  fromTensors,
  gatherRows,
  keyOf,
  limited,
  sampleShots,
  scaleBytes,
} from "../src/index.ts";
import { loadFashionMnist } from "../src/node.ts";
import { smallNetwork } from "./shared/clothing.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";
import { mobileNet, onLayer, trainLast } from "./shared/mobilenet.ts";

export default defineRecipe({
  name: "transfer-images",
  summary: "Clothing from 100 images a class by a layer of MobileNetV2, which others trained on photographs",
  data: "Fashion-MNIST: 100 images of each class, 10,000 to test",
  defaults: { epochs: 30, batchSize: 32, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    shots: { description: "images of each class to learn from", default: 100 },
    network: {
      description: "MobileNetV2 as published or from random weights, or a small network of convolutions",
      default: "pretrained",
      choices: ["pretrained", "random", "small"],
    },
    layer: { description: "layer of MobileNetV2 that the head learns from", default: "block_6_expand_relu" },
    unfreeze: { description: "last blocks of the pretrained network to train after the head", default: 0 },
    package: { description: "folder of nsfwjs; found in node_modules where there is none", default: "" },
    data: { description: "folder of Fashion-MNIST's four files; downloaded where there is none", default: "" },
  },
  next: ["sardonyx train transfer-images --unfreeze 2          trains two of its blocks too"],
  async load({ shots, network, layer, unfreeze, package: folder, data: dir, ...settings }, limit, onDownload) {
    const { batchSize, seed, epochs, learningRate } = settings;
    const pretrained = network === "pretrained";
    // Before the data is loaded: the package may be missing.
    const model =
      network === "small" ? smallNetwork() : onLayer(await mobileNet(folder, pretrained ? undefined : seed), layer);
    const data = await loadFashionMnist({ ...(dir !== "" && { dir }), ...(onDownload && { onProgress: onDownload }) });
    const { x, y } = data.train.tensors;
    const { support } = sampleShots(y, shots, keyOf(seed));
    const scale = scaleBytes();
    const test = limited(data.test, limit);
    const train = limited(fromTensors({ x: gatherRows(x, support), y: gatherRows(y, support) }), limit);
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const batches = trained(train);
    const [steps, lastEpochs] = [epochs * (batches.length ?? 1), Math.ceil(epochs / 3)];
    const falling = cosine({ rate: learningRate, steps });
    return {
      model,
      ...greyImages,
      classes: fashionMnistClasses,
      train: batches,
      test: measured(test),
      trial: () => heldBack({ train, seed, trained, measured }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      // What was pretrained moves a little only.
      schedule: (step) => (step < steps ? falling(step) : learningRate / 10),
      ...(pretrained && {
        stages: [
          { name: "head alone", epochs, before: (own: AnyModule) => trainLast(own, 0) },
          ...(unfreeze > 0
            ? [
                {
                  name: `head and last ${unfreeze} blocks`,
                  epochs: lastEpochs,
                  before: (own: AnyModule) => trainLast(own, unfreeze),
                },
              ]
            : []),
        ],
      }),
    };
  },
});
