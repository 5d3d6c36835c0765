/** Fine-tunings of one network with other rates and orders, as a soup: the mean of those that help, beside its members. */
import { average, defineRecipe, greedySoup, mergeTensors, type TensorsByPath, tensorsOfModule } from "../src/index.ts";
import { accuracyOf, digitsOf, fewDigits, firstTraining, openDigits, tuned } from "./shared/fine-tunings.ts";

/** Rates of the members, as factors of that of the first training. */
const rates = [0.3, 1, 2];

export default defineRecipe({
  name: "soup-mnist",
  summary:
    "One network of 6,000 digits, fine-tuned six times, and the mean of its fine-tunings' weights beside each of them",
  data: "MNIST: 6,000 digits, 5,000 to choose by, 10,000",
  defaults: { epochs: 3, batchSize: 50, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    members: { description: "fine-tunings, whose rates are 0.3, 1 and 2 times the first one in turn", default: 6 },
    tuningEpochs: { description: "epochs of each fine-tuning", default: 4 },
  },
  next: ["sardonyx train soup-mnist --members 12", "sardonyx train merge-mnist         two tasks in one network"],
  open: openDigits,
  async load({ batchSize, seed, learningRate, members, tuningEpochs }, limit, onDownload) {
    const { learned, choosing, held } = await fewDigits(seed, limit, onDownload);
    const [train, validation, test] = [await digitsOf(learned), await digitsOf(choosing), await digitsOf(held)];
    const first = firstTraining({ train, validation, test }, { batchSize, seed });
    return {
      ...first,
      async measure() {
        const from = tensorsOfModule(first.model);
        const tunings: TensorsByPath[] = [];
        for (let i = 0; i < members; i++) {
          const rate = learningRate * (rates[i % rates.length] as number);
          const own = {
            from,
            data: train,
            learningRate: rate,
            epochs: tuningEpochs,
            batchSize,
            seed: 100 * seed + i + 1,
          };
          tunings.push(await tuned(own));
        }
        const soup = await greedySoup(tunings, { validate: (own) => accuracyOf(own, first.validation) });
        const alone: number[] = [];
        for (const own of tunings) alone.push(await accuracyOf(own, first.test));
        const chosen = soup.results.indexOf(Math.max(...soup.results));
        return {
          member_accuracy: alone.reduce((sum, own) => sum + own, 0) / alone.length,
          best_member_accuracy: alone[chosen] ?? Number.NaN,
          mean_of_all_accuracy: await accuracyOf(mergeTensors(tunings, average()), first.test),
          soup_accuracy: await accuracyOf(soup.tensors, first.test),
          soup_members: soup.members.length,
        };
      },
    };
  },
});
