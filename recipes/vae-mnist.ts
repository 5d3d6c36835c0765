/** A variational autoencoder on MNIST (Kingma and Welling 2014): digits through twenty numbers, and digits of noise. */
import {
  activation,
  binaryCrossEntropy,
  type CompileOptions,
  collect,
  defineRecipe,
  encodePng,
  keyOf,
  limited,
  models,
  type Objective,
  ops,
  predict,
  predictor,
  reshape,
  scaleBytes,
  sequential,
  Tensor,
  tileImages,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { digitJudge } from "./shared/digit-judge.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";
import { inBatches, joinRows, normalNoise } from "./shared/samples.ts";

const code = 20;

/** Minus the evidence lower bound: the pixels' cross-entropies, summed, and the divergence of the codes (eq. 10). */
const bound =
  (model: models.Vae): Objective<{ x: Tensor }> =>
  (context, { x }) => {
    const { logits, divergence } = model.apply(x, context);
    const pixels = logits.shape[1] ?? 1;
    const reconstruction = ops.mul(binaryCrossEntropy()(logits, ops.reshape(x, [-1, pixels])), pixels);
    return { loss: ops.add(reconstruction, ops.reduceMean(divergence)) };
  };

const open = () => {
  const model = new models.Vae({ inputs: 784, hidden: 400, code });
  const decoder = sequential([model.decoder, activation("sigmoid"), reshape([1, 28, 28])]);
  return {
    model,
    ...greyImages,
    deployed: { model: decoder, inputs: { dtype: "float32", shape: [1, code] } as const },
  };
};

export default defineRecipe({
  name: "vae-mnist",
  summary: "A variational autoencoder: digits through a code of 20 numbers, and new digits from codes drawn at random",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 15, batchSize: 128, learningRate: 0.001, optimizer: "adam", seed: 0 },
  next: ["sardonyx train gan-mnist            digits of noise, by two networks against one another"],
  open,
  async load({ batchSize, seed }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const pixels = (batch: Parameters<typeof scale>[0]) => ({ x: scale(batch).x });
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(pixels);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(pixels);
    const opened = open();
    const samples = async (count: number, compile: CompileOptions) => {
      const paint = predictor(opened.deployed.model, { compile, snapshot: true });
      try {
        return await inBatches(normalNoise(count, code, seed), 50, paint);
      } finally {
        await paint.release();
      }
    };
    return {
      ...opened,
      train: trained(train),
      test: measured(test),
      trial: () => heldBack({ train, seed, trained, measured }),
      objective: bound(opened.model),
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      async measure(compile: CompileOptions, results: Readonly<Record<string, number>>) {
        const judge = await digitJudge(compile, { train: limited(data.train, limit && 10 * limit), real: data.test });
        return { elbo: -(results["loss"] ?? Number.NaN), ...(await judge(await samples(2000, compile))) };
      },
      async draw(compile: CompileOptions) {
        const shown = scale(await collect(test.take(10))).x;
        const { logits } = await predict(opened.model, shown, compile);
        const copies = Float32Array.from(logits.toNumbers(), (logit) => 1 / (1 + Math.exp(-logit)));
        return {
          "samples.png": encodePng(tileImages(await samples(100, compile))),
          "reconstructions.png": encodePng(
            tileImages(joinRows([shown, new Tensor("float32", shown.shape, copies)]), 10),
          ),
        };
      },
    };
  },
});
