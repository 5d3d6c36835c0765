/** A small network that learns the digits from a large one, of which few are labelled, beside the same network that learns from the labels alone. */
import {
  type AnyModule,
  accuracy,
  confusionMatrix,
  cosine,
  crossEntropy,
  defineRecipe,
  dense,
  distillation,
  earlyStopping,
  evaluate,
  fit,
  flatten,
  foldIn,
  keyOf,
  limited,
  mnistClasses,
  optimizers,
  scaleBytes,
  sequential,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { lenet } from "./shared/lenet.ts";

/** Hidden units of the student: 21,505 parameters, where the teacher has 225,034. */
const width = 27;

const studentOf = () => sequential([flatten(), dense(width, { activation: "relu" }), dense(10)]);

const open = () => ({ model: studentOf(), classes: mnistClasses, ...greyImages });

const parameterCount = (model: AnyModule) =>
  [...model.parameters().values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, own) => product * own, 1),
    0,
  );

export default defineRecipe({
  name: "distill-mnist",
  summary:
    "A network of a tenth of the parameters that learns from a larger one's scores where few digits are labelled, beside the same network alone",
  data: "MNIST: 3,000 labelled digits, 56,000 without labels, 1,000 to choose by, 10,000",
  defaults: { epochs: 12, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    labels: { description: "digits whose labels the teacher, and the network alone, learn from", default: 3000 },
    temperature: { description: "what scores are divided by before the softmax", default: 4 },
  },
  next: ["sardonyx train distill-mnist --temperature 1", "sardonyx train distill-mnist --labels 500"],
  open,
  async load({ batchSize, seed, epochs, learningRate, optimizer, labels, temperature }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [all, test] = [limited(data.train, limit), limited(data.test, limit)];
    const count = all.length ?? 0;
    // Of few digits a quarter.
    const labelledCount = Math.max(1, Math.min(labels, Math.floor(count / 4)));
    const [known, others] = all.split(labelledCount / count, keyOf(seed));
    const share = Math.min(0.5, 1000 / (count - labelledCount));
    const [choosing, unlabelled] = others.split(share, foldIn(keyOf(seed), "choosing"));
    const scale = scaleBytes();
    const trained = (own: typeof all) => own.shuffle(keyOf(seed)).batch(batchSize).map(scale);
    const measured = (own: typeof all) => own.batch(250, { dropLast: false }).map(scale);
    const [batches, validation, held] = [trained(known.concat(unlabelled)), measured(choosing), measured(test)];
    const loss = crossEntropy();
    const updates = Math.max(1, epochs * (batches.length ?? 1));
    const labelled = trained(known);
    /** Trains a network on the labels for as many updates as the student has, and takes the epoch that is best on the validation data. */
    const learned = async <M extends AnyModule>(model: M): Promise<M> => {
      const rounds = Math.max(1, Math.round(updates / (labelled.length ?? 1)));
      await fit(model, labelled, {
        loss,
        metrics: [accuracy()],
        validation,
        optimizer: optimizers[optimizer]({ learningRate: cosine({ rate: learningRate, steps: updates }) }),
        epochs: rounds,
        callbacks: [earlyStopping({ monitor: "validation_accuracy", patience: 20 })],
        training: { seed },
      });
      return model;
    };
    const accuracyOf = async (model: AnyModule, part: typeof held) =>
      (await evaluate(model, part, { loss, metrics: [accuracy()] })).results["accuracy"] ?? Number.NaN;
    const teacher = await learned(lenet());
    const opened = open();
    return {
      ...opened,
      train: batches,
      validation,
      test: held,
      // The labels of its batches are read for the accuracy that is shown, and by nothing that is learned from.
      objective: distillation(opened.model, { teacher, temperature, share: 1 }),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: all.length ?? 0, test: test.length ?? 0 },
      ...(labelledCount < labels && {
        notes: [`of ${count} digits ${labelledCount} are labelled, a quarter, and not ${labels}`],
      }),
      schedule: cosine({ rate: learningRate, steps: updates }),
      measure: async () => ({
        teacher_accuracy: await accuracyOf(teacher, held),
        parameter_share: parameterCount(opened.model) / parameterCount(teacher),
      }),
      async baselines() {
        const began = performance.now();
        const alone = await learned(studentOf());
        return [
          {
            name: "the student without teacher",
            settings: `${labelledCount} labels, the best epoch on the validation data`,
            validation: await accuracyOf(alone, validation),
            test: await accuracyOf(alone, held),
            metric: "accuracy" as const,
            seconds: (performance.now() - began) / 1000,
          },
        ];
      },
    };
  },
});
