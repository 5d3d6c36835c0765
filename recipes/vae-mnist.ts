/** A variational autoencoder on MNIST (Kingma and Welling 2014): digits through twenty numbers, and digits of noise. */
import {
  activation,
  binaryCrossEntropy,
  type CompileOptions,
  collect,
  defineRecipe,
  encodePng,
  keyOf,
  type Loss,
  limited,
  models,
  ops,
  predictor,
  reshape,
  scaleBytes,
  sequential,
  tilePictures,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { digitJudge } from "./shared/digit-judge.ts";
import { inBatches, joinRows, normalNoise } from "./shared/samples.ts";

const code = 20;

/** Minus the logarithm of a picture's likelihood: its pixels' cross-entropies, summed. */
const reconstruction: Loss = (logits, pictures) => {
  const pixels = logits.shape[1] ?? 1;
  return ops.mul(binaryCrossEntropy()(logits, ops.reshape(pictures, [-1, pixels])), pixels);
};

const network = () => ({
  model: new models.Vae({ inputs: 784, hidden: 400, code }),
  input: { dtype: "float32", shape: [1, 1, 28, 28] } as const,
});

export default defineRecipe({
  name: "vae-mnist",
  summary: "A variational autoencoder: digits through a code of 20 numbers, and new digits from codes drawn at random",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 15, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0 },
  next: ["sardonyx train gan-mnist            digits of noise, by two networks against one another"],
  network,
  async load({ batchSize, seed }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const paired = (batch: Parameters<typeof scale>[0]) => {
      const { x } = scale(batch);
      return { x, y: x };
    };
    const { model, input } = network();
    const picture = [activation("sigmoid"), reshape([1, 28, 28])];
    const decoder = sequential([model.decoder, ...picture]);
    const samples = async (count: number, compile: CompileOptions) => {
      const paint = await predictor(decoder, { dtype: "float32", shape: [50, code] }, compile);
      return inBatches(normalNoise(count, code, seed), 50, paint);
    };
    return {
      model,
      train: train.shuffle(keyOf(seed)).batch(batchSize).map(paired),
      test: test.batch(250, { dropLast: false }).map(paired),
      loss: reconstruction,
      metrics: [],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      input: {
        type: input,
        image: { height: 28, width: 28, channels: 1 },
        prepare: (raw) => scale({ x: raw, y: raw }).x,
      },
      deployed: { model: decoder, input: { type: { dtype: "float32", shape: [1, code] }, prepare: (raw) => raw } },
      async measure(compile: CompileOptions, results: Readonly<Record<string, number>>) {
        // The loss with the codes' divergence as its penalty is minus the bound.
        const judge = await digitJudge(compile, limit);
        return { elbo: -(results["loss"] ?? Number.NaN), ...(await judge(await samples(2000, compile))) };
      },
      async draw(compile: CompileOptions) {
        const shown = scale(await collect(test.take(10))).x;
        const copy = await predictor(sequential([model, ...picture]), shown, compile);
        return {
          "samples.png": encodePng(tilePictures(await samples(100, compile))),
          "reconstructions.png": encodePng(tilePictures(joinRows([shown, await copy(shown)]), 10)),
        };
      },
    };
  },
});
