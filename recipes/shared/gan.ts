/** Training and judging of generative adversarial networks on MNIST. */
import {
  activation,
  binaryCrossEntropy,
  type CompileOptions,
  defineRecipe,
  encodePng,
  foldIn,
  keyOf,
  limited,
  type Module,
  models,
  type Objective,
  ops,
  predictor,
  type Recipe,
  scaleBytes,
  sequential,
  type Tensor,
  tileImages,
  type Value,
} from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";
import { digitJudge } from "./digit-judge.ts";
import { greyImages } from "./digits.ts";
import { inBatches, normalNoise } from "./samples.ts";

const noise = 100;

/** The error of logits, all of which should be the target. */
const against = (logits: Value, target: number) => binaryCrossEntropy()(logits, ops.full(logits.shape, target));

/** The discriminator's two errors and the generator's, which wants its images to be taken for real (Goodfellow et al. 2014, sec. 3). */
const adversarial =
  (model: models.Gan): Objective<{ x: Tensor }> =>
  (context, { x }) => {
    const { real, made, passed } = model.apply(x, context);
    const right = ops.add(
      ops.reduceSum(ops.cast(ops.greater(real, 0), "float32")),
      ops.reduceSum(ops.cast(ops.less(made, 0), "float32")),
    );
    const samples = x.shape[0] ?? 1;
    return {
      loss: ops.add(ops.add(against(real, 1), against(made, 0)), against(passed, 1)),
      figures: { discriminatorAccuracy: { mean: ops.div(right, 2 * samples), weight: samples } },
    };
  };

export interface GanRecipe {
  readonly name: string;
  readonly summary: string;
  /** As many as the time allows: samples still improve at the end. */
  readonly epochs: number;
  readonly next: readonly string[];
  generator(): Module;
  discriminator(): Module;
}

/**
 * A recipe of a GAN. Its rate, its batch size and beta1 are those of Radford et al. (2016, sec. 4), which the judge had no part in. A search
 * (`--trials`) holds a tenth of the training digits back: the judge learns the others, and samples are compared with the digits held back.
 */
export const ganRecipe = ({ name, summary, epochs, next, generator, discriminator }: GanRecipe): Recipe => {
  const open = () => {
    const model = new models.Gan({ generator: generator(), discriminator: discriminator(), noise });
    // From [-1, 1] to brightness.
    const painter = sequential([model.generator, activation((y) => ops.mul(ops.add(y, 1), 0.5))]);
    return {
      model,
      inputs: greyImages.inputs,
      deployed: { model: painter, inputs: { dtype: "float32", shape: [1, noise] } as const },
    };
  };
  return defineRecipe({
    name,
    summary,
    data: "MNIST: 60,000 digits",
    defaults: { epochs, batchSize: 128, learningRate: 0.0002, optimizer: "adam", seed: 0 },
    search: { learningRate: { low: 0.0001, high: 0.001, log: true }, batchSize: { choices: [64, 128] } },
    next,
    open,
    async load({ batchSize, seed }, limit, onDownload) {
      const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
      const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
      const scale = scaleBytes();
      const pixels = (batch: Parameters<typeof scale>[0]) => ({ x: scale(batch).x });
      const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(pixels);
      const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(pixels);
      // Of all digits, whatever the limit: the judge compares with several thousand.
      const [known, held] = data.train.split(0.9, foldIn(keyOf(seed), "trial"));
      const opened = open();
      const samples = async (count: number, compile: CompileOptions): Promise<Tensor> => {
        const paint = predictor(opened.deployed.model, { compile, snapshot: true });
        try {
          return await inBatches(normalNoise(count, noise, seed), 50, paint);
        } finally {
          await paint.release();
        }
      };
      const judgedBy = (compile: CompileOptions, own: typeof train, real: typeof test) =>
        digitJudge(compile, { train: limited(own, limit && 10 * limit), real });
      let chooser: ReturnType<typeof digitJudge> | undefined;
      const heldDistance = async (compile: CompileOptions) => {
        chooser ??= judgedBy(compile, known, held);
        return (await (await chooser)(await samples(2000, compile))).frechet;
      };
      return {
        ...opened,
        train: trained(train),
        test: measured(test),
        trial: () => ({ train: trained(limited(known, limit)), validation: measured(limited(held, limit)) }),
        measures: [{ name: "frechet", direction: "down", measure: heldDistance }],
        objective: adversarial(opened.model),
        optimizers: { adam: { beta1: 0.5 } },
        samples: { train: train.length ?? 0, test: test.length ?? 0 },
        async measure(compile) {
          const judge = await judgedBy(compile, data.train, data.test);
          return { ...(await judge(await samples(2000, compile))) };
        },
        draw: async (compile) => ({ "samples.png": encodePng(tileImages(await samples(100, compile))) }),
      };
    },
  });
};
