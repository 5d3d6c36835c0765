/** A small network that learns the digits from a large one, beside the same network that learns them alone. */
import {
  type AnyModule,
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  defineRecipe,
  dense,
  distillation,
  evaluate,
  fit,
  flatten,
  keyOf,
  limited,
  mnistClasses,
  optimizers,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { heldBack } from "./shared/held-back.ts";

/** Hidden units of the student: 21,505 parameters, where the teacher has 235,146. */
const [small, large] = [27, [256, 128]] as const;

const studentOf = () => sequential([flatten(), dense(small, { activation: "relu" }), dense(10)]);
const teacherOf = () =>
  sequential([flatten(), ...large.map((width) => dense(width, { activation: "relu" })), dense(10)]);

const open = () => ({ model: studentOf(), classes: mnistClasses, ...greyImages });

const parameterCount = (model: AnyModule) =>
  [...model.parameters().values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, own) => product * own, 1),
    0,
  );

export default defineRecipe({
  name: "distill-mnist",
  summary:
    "A network of a tenth of the parameters that learns from a larger one's scores, beside the same network alone",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 12, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    temperature: { description: "what scores are divided by before the softmax", default: 4 },
    share: { description: "share of the teacher in the loss; the labels have the rest", default: 0.9 },
    teacherEpochs: { description: "epochs in which the teacher learns first", default: 8 },
  },
  next: ["sardonyx train distill-mnist --temperature 1", "sardonyx train distill-mnist --share 0.5"],
  open,
  async load(
    { batchSize, seed, epochs, learningRate, optimizer, temperature, share, teacherEpochs },
    limit,
    onDownload,
  ) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const [batches, held] = [trained(train), measured(test)];
    const loss = crossEntropy();
    /** Trains a network on labels, as the student is trained. */
    const learned = async (model: AnyModule, count: number) => {
      const schedule = cosine({ rate: learningRate, steps: Math.max(1, count * (batches.length ?? 1)) });
      const own = optimizers[optimizer]({ learningRate: schedule });
      await fit(model, batches, { loss, optimizer: own, epochs: count, training: { seed } });
      return model;
    };
    const accuracyOf = async (model: AnyModule) =>
      (await evaluate(model, held, { loss, metrics: [accuracy()] })).results["accuracy"] ?? Number.NaN;
    const teacher = await learned(teacherOf(), teacherEpochs);
    const opened = open();
    return {
      ...opened,
      train: batches,
      test: held,
      trial: () => heldBack({ train, seed, trained, measured }),
      objective: distillation(opened.model, { teacher, temperature, share }),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule: cosine({ rate: learningRate, steps: Math.max(1, epochs * (batches.length ?? 1)) }),
      measure: async () => ({
        teacher_accuracy: await accuracyOf(teacher),
        parameter_share: parameterCount(opened.model) / parameterCount(teacher),
      }),
      async baselines() {
        const began = performance.now();
        return [
          {
            name: "the student without teacher",
            settings: `${epochs} epochs on labels`,
            validation: Number.NaN,
            test: await accuracyOf(await learned(studentOf(), epochs)),
            metric: "accuracy" as const,
            seconds: (performance.now() - began) / 1000,
          },
        ];
      },
    };
  },
});
