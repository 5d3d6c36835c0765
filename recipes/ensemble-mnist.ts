/** Ensembles of LeNets on MNIST: bagging, snapshots of one run, and the mean of a run's weights. */
import {
  accuracy,
  confusionMatrix,
  constantRate,
  copyWeights,
  cosine,
  crossEntropy,
  Dataset,
  defineRecipe,
  ensemble,
  evaluate,
  foldIn,
  keyOf,
  limited,
  mnistClasses,
  scaleBytes,
  WeightAverage,
} from "../src/index.ts";
import { loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";
import { lenet } from "./shared/lenet.ts";

/** A run's path needs more points than snapshots, whose outputs are kept apart. */
const membersOf = (method: string) => (method === "average" ? 8 : 5);

const member = () => lenet(64, 16);

type Settings = { readonly method: string; readonly epochs: number };

/** Epochs of each member. */
const epochsOf = ({ method, epochs }: Settings) =>
  Array.from(
    { length: membersOf(method) },
    (_, i) => Math.floor(epochs / membersOf(method)) + (i < epochs % membersOf(method) ? 1 : 0),
  );

const open = (settings: Settings) => {
  const { method } = settings;
  const networks = Array.from({ length: membersOf(method) }, member);
  const model = method === "average" ? new WeightAverage(networks) : ensemble(networks);
  return {
    model,
    classes: mnistClasses,
    ...greyImages,
    // A member has a stage of epochs of its own.
    stages: epochsOf(settings).map((count, i) => ({
      name: `member ${i + 1}`,
      epochs: count,
      before() {
        const [before, next] = [model.members[i - 1], model.members[i]];
        if (method !== "bagging" && before && next) copyWeights(before, next);
        model.teach(i);
      },
    })),
  };
};

export default defineRecipe({
  name: "ensemble-mnist",
  summary: "Several small LeNets in place of one: trained on samples of the digits, or taken from one run",
  data: "MNIST: 60,000 and 10,000 digits",
  defaults: { epochs: 10, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    method: {
      description:
        "each on a sample of its own (Breiman 1996), snapshots at the ends of a rate's cycles (Huang et al. 2017), the mean of weights along a run (Izmailov et al. 2018)",
      default: "bagging",
      choices: ["bagging", "snapshot", "average"],
    },
  },
  next: ["sardonyx train ensemble-mnist --method snapshot", "sardonyx train ensemble-mnist --method average"],
  open,
  async load({ batchSize, seed, epochs, learningRate, method }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [train, test] = [limited(data.train, limit), limited(data.test, limit)];
    const scale = scaleBytes();
    const opened = open({ method, epochs });
    const { model } = opened;
    const [loss, held] = [crossEntropy(), test.batch(250, { dropLast: false }).map(scale)];
    const key = keyOf(seed);
    const own = epochsOf({ method, epochs });
    const starts = own.map((_, i) => own.slice(0, i).reduce((sum, count) => sum + count, 0));
    const memberAt = (epoch: number) => starts.findLastIndex((start) => epoch >= start);
    const dataOf = (member: number) =>
      (method === "bagging" ? train.bootstrap(foldIn(key, "member", member)) : train)
        .shuffle(key)
        .batch(batchSize)
        .map(scale);
    const steps = dataOf(0).length ?? 1;
    // Snapshots go far from one another by a high rate at each cycle's start (Huang et al. 2017, sec. 3); along a path whose
    // weights are averaged the rate stays high enough to get anywhere (Izmailov et al. 2018, sec. 3.2).
    const rates = own.map((count) => {
      const whole = Math.max(1, count * steps);
      if (method === "snapshot") return cosine({ rate: 3 * learningRate, steps: whole });
      if (method === "bagging") return cosine({ rate: learningRate, steps: whole });
      return constantRate(2 * learningRate);
    });
    return {
      ...opened,
      train: new Dataset({
        length: steps,
        epoch: (epoch, skip) => dataOf(memberAt(epoch)).epoch(epoch, { skip }),
      }),
      test: held,
      loss,
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      schedule: (step) => {
        const member = memberAt(Math.floor(step / steps));
        return rates[member]?.(step - (starts[member] ?? 0) * steps) ?? learningRate;
      },
      async measure(compile) {
        const alone: number[] = [];
        for (const member of model.members)
          alone.push((await evaluate(member, held, { loss, metrics: [accuracy()], compile })).results["accuracy"] ?? 0);
        return {
          best_member_accuracy: Math.max(...alone),
          mean_member_accuracy: alone.reduce((sum, value) => sum + value, 0) / alone.length,
        };
      },
    };
  },
});
