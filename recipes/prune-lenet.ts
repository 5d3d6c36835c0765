/** LeNet on MNIST with nine of ten weights at zero: pruned by size while it trains, beside the same network with all of them. */
import {
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  defineRecipe,
  evaluate,
  fit,
  keyOf,
  limited,
  mnistClasses,
  optimizers,
  pruneGradually,
  scaleBytes,
  sparsityOf,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";
import { lenet } from "./shared/lenet.ts";

const open = () => ({ model: lenet(), classes: mnistClasses, ...greyImages });

export default defineRecipe({
  name: "prune-lenet",
  summary: "LeNet on the digits with nine of ten weights at zero, pruned as it trains, beside the dense network",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 6, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    sparsity: { description: "share of the weights that is zero in the end", default: 0.9 },
    by: {
      description: "the smallest weights of all layers together, or of each layer",
      default: "global",
      choices: ["global", "layer"],
    },
  },
  next: ["sardonyx train prune-lenet --sparsity 0.98", "sardonyx train prune-lenet --by layer"],
  open,
  async load({ batchSize, seed, epochs, learningRate, optimizer, sparsity, by }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const [batches, held] = [trained(train), measured(test)];
    const updates = Math.max(1, epochs * (batches.length ?? 1));
    // A sixth of the updates first, so that sizes say something, and a third after the last pruning.
    const begin = Math.floor(updates / 6);
    const end = Math.max(begin + 1, Math.floor((2 * updates) / 3));
    const schedule = cosine({ rate: learningRate, steps: updates });
    const loss = crossEntropy();
    const opened = open();
    return {
      ...opened,
      train: batches,
      test: held,
      trial: () => heldBack({ train, seed, trained, measured }),
      loss,
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule,
      training: {
        transforms: [pruneGradually({ sparsity, begin, end, every: Math.max(1, Math.floor(updates / 60)), by })],
      },
      async measure() {
        const { sparsity: zeros, effective } = sparsityOf(opened.model);
        return { sparsity: zeros, effective_parameters: effective };
      },
      async baselines() {
        const began = performance.now();
        const dense = lenet();
        await fit(dense, batches, {
          loss,
          optimizer: optimizers[optimizer]({ learningRate: schedule }),
          epochs,
          training: { seed },
        });
        const { results } = await evaluate(dense, held, { loss, metrics: [accuracy()] });
        return [
          {
            name: "the dense network",
            settings: `${epochs} epochs, as the pruned one`,
            validation: Number.NaN,
            test: results["accuracy"] ?? Number.NaN,
            metric: "accuracy" as const,
            seconds: (performance.now() - began) / 1000,
          },
        ];
      },
    };
  },
});
