/** Two fine-tunings of one network, each for a task of its own, added to one that does both: task arithmetic (Ilharco et al. 2023). */
import { defineRecipe, mergeTensors, type TensorsByPath, taskArithmetic, tensorsOfModule } from "../src/index.ts";
import {
  accuracyOf,
  digitsOf,
  fewDigits,
  firstTraining,
  inBatches,
  inverted,
  openDigits,
  tuned,
  turned,
} from "./shared/fine-tunings.ts";

/** Factors that are tried. */
const factors = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

export default defineRecipe({
  name: "merge-mnist",
  summary:
    "One network fine-tuned on black digits on white and on digits that lie on their side, and both in one by task arithmetic",
  data: "MNIST: 6,000 digits, 5,000 to choose by, 10,000; inverted, and turned by a quarter",
  defaults: { epochs: 3, batchSize: 50, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    tuningRate: { description: "learning rate of the fine-tunings", default: 0.0003 },
    tuningEpochs: { description: "epochs of each fine-tuning", default: 2 },
  },
  next: [
    "sardonyx train soup-mnist          several fine-tunings of one task",
    "sardonyx merge                     two of your own",
  ],
  open: openDigits,
  async load({ batchSize, seed, tuningRate, tuningEpochs }, limit, onDownload) {
    const { learned, choosing, held } = await fewDigits(seed, limit, onDownload);
    const [train, validation, test] = [await digitsOf(learned), await digitsOf(choosing), await digitsOf(held)];
    const tasks = await Promise.all(
      [inverted, turned].map(async (change) => ({
        train: await digitsOf(learned, change),
        validation: inBatches(await digitsOf(choosing, change)),
        test: inBatches(await digitsOf(held, change)),
      })),
    );
    const first = firstTraining({ train, validation, test }, { batchSize, seed });
    return {
      ...first,
      async measure() {
        const base = tensorsOfModule(first.model);
        const models: TensorsByPath[] = [];
        for (const [i, { train: data }] of tasks.entries()) {
          const own = { from: base, data, learningRate: tuningRate, epochs: tuningEpochs, batchSize };
          models.push(await tuned({ ...own, seed: 100 * seed + i + 1 }));
        }
        /** Of the first and the second task. */
        const onBoth = async (own: TensorsByPath, part: "validation" | "test"): Promise<[number, number]> => {
          const [first, second] = tasks as [(typeof tasks)[number], (typeof tasks)[number]];
          return [await accuracyOf(own, first[part]), await accuracyOf(own, second[part])];
        };
        let [best, factor, merged] = [-1, 0, base];
        for (const tried of factors) {
          const own = mergeTensors(models, taskArithmetic({ weights: models.map(() => tried) }), { base });
          // The worse of the two tasks decides.
          const worse = Math.min(...(await onBoth(own, "validation")));
          if (worse > best) [best, factor, merged] = [worse, tried, own];
        }
        const result: Record<string, number> = { factor };
        for (const [name, own] of Object.entries({
          base,
          inverted: models[0] ?? base,
          turned: models[1] ?? base,
          merged,
        }))
          [result[`${name}_on_inverted_accuracy`], result[`${name}_on_turned_accuracy`]] = await onBoth(own, "test");
        return result;
      },
    };
  },
});
