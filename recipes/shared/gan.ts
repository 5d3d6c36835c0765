/** Training and judging of generative adversarial networks on MNIST. */
import {
  activation,
  binaryCrossEntropy,
  type CompileOptions,
  defineRecipe,
  encodePng,
  keyOf,
  type Loss,
  limited,
  type Metric,
  type Module,
  models,
  ops,
  predictor,
  type Recipe,
  scaleBytes,
  sequential,
  type Tensor,
  tilePictures,
} from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";
import { digitJudge } from "./digit-judge.ts";
import { inBatches, normalNoise } from "./samples.ts";

const noise = 100;

/** The discriminator's two errors and the generator's, who wants to be taken for real (Goodfellow et al. 2014, sec. 3). */
const ganLoss: Loss = (logits) => {
  const [real, made, passed] = [0, 1, 2].map((at) => ops.slice(logits, { axis: 1, start: at, end: at + 1 }));
  const against = (output: typeof logits | undefined, target: number) =>
    binaryCrossEntropy()(output ?? logits, ops.full((output ?? logits).shape, target));
  return ops.add(ops.add(against(real, 1), against(made, 0)), against(passed, 1));
};

/** Share of the pictures that the discriminator tells right, real and made. */
const discernment: Metric = {
  name: "discernment",
  size: 2,
  update(logits) {
    const [real, made] = [0, 1].map((at) => ops.slice(logits, { axis: 1, start: at, end: at + 1 }));
    const right = ops.add(
      ops.reduceSum(ops.cast(ops.greater(real ?? logits, 0), "float32")),
      ops.reduceSum(ops.cast(ops.less(made ?? logits, 0), "float32")),
    );
    return ops.concat([ops.reshape(right, [1]), ops.full([1], 2 * (logits.shape[0] ?? 1))]);
  },
  result: (sums) => (sums[0] ?? 0) / (sums[1] ?? 0),
  direction: "down",
};

export interface GanRecipe {
  readonly name: string;
  readonly summary: string;
  readonly epochs: number;
  readonly next: readonly string[];
  generator(): Module;
  discriminator(): Module;
}

export const ganRecipe = ({ name, summary, epochs, next, generator, discriminator }: GanRecipe): Recipe => {
  const network = () => {
    const model = new models.Gan({ generator: generator(), discriminator: discriminator(), noise });
    return { model, input: { dtype: "float32", shape: [1, 1, 28, 28] } as const };
  };
  return defineRecipe({
    name,
    summary,
    data: "MNIST: 60,000 digits",
    defaults: { epochs, batchSize: 128, learningRate: 0.0002, optimizer: "adam", seed: 0 },
    next,
    network,
    async load({ batchSize, seed }, limit, onDownload) {
      const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
      const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
      const scale = scaleBytes();
      const { model, input } = network();
      // From [-1, 1] to brightness.
      const painter = sequential([model.generator, activation((y) => ops.mul(ops.add(y, 1), 0.5))]);
      const samples = async (count: number, compile: CompileOptions): Promise<Tensor> => {
        const paint = await predictor(painter, { dtype: "float32", shape: [50, noise] }, compile);
        return inBatches(normalNoise(count, noise, seed), 50, paint);
      };
      return {
        model,
        train: train.shuffle(keyOf(seed)).batch(batchSize).map(scale),
        test: test.batch(250, { dropLast: false }).map(scale),
        loss: ganLoss,
        metrics: [discernment],
        optimizers: { adam: { beta1: 0.5 } },
        samples: { train: train.length ?? 0, test: test.length ?? 0 },
        input: { type: input, prepare: (raw) => scale({ x: raw, y: raw }).x },
        deployed: {
          model: painter,
          input: { type: { dtype: "float32", shape: [1, noise] }, prepare: (raw) => raw },
        },
        async measure(compile) {
          const judge = await digitJudge(compile, limit);
          return { ...(await judge(await samples(2000, compile))) };
        },
        draw: async (compile) => ({ "samples.png": encodePng(tilePictures(await samples(100, compile))) }),
      };
    },
  });
};
