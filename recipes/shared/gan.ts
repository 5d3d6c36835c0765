/** Training and judging of generative adversarial networks on MNIST. */
import {
  activation,
  binaryCrossEntropy,
  type CompileOptions,
  defineRecipe,
  encodePng,
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
  readonly epochs: number;
  readonly next: readonly string[];
  generator(): Module;
  discriminator(): Module;
}

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
    next,
    open,
    async load({ batchSize, seed }, limit, onDownload) {
      const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
      const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
      const scale = scaleBytes();
      const pixels = (batch: Parameters<typeof scale>[0]) => ({ x: scale(batch).x });
      const opened = open();
      const samples = async (count: number, compile: CompileOptions): Promise<Tensor> => {
        const paint = predictor(opened.deployed.model, { compile, snapshot: true });
        return inBatches(normalNoise(count, noise, seed), 50, paint);
      };
      return {
        ...opened,
        train: train.shuffle(keyOf(seed)).batch(batchSize).map(pixels),
        test: test.batch(250, { dropLast: false }).map(pixels),
        objective: adversarial(opened.model),
        optimizers: { adam: { beta1: 0.5 } },
        samples: { train: train.length ?? 0, test: test.length ?? 0 },
        async measure(compile) {
          const judge = await digitJudge(compile, limit);
          return { ...(await judge(await samples(2000, compile))) };
        },
        draw: async (compile) => ({ "samples.png": encodePng(tileImages(await samples(100, compile))) }),
      };
    },
  });
};
