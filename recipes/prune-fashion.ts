/** A trained network of cnn-fashion without the channels that count least: half of its multiply-adds, fine-tuned, beside the whole one. */
import {
  accuracy,
  augment,
  compareModels,
  confusionMatrix,
  cosine,
  crop,
  crossEntropy,
  defineRecipe,
  earlyStopping,
  encodeOnnx,
  evaluate,
  fashionMnistClasses,
  flip,
  foldIn,
  keyOf,
  limited,
  type Module,
  OptionError,
  pruneChannels,
  scaleBytes,
} from "../src/index.ts";
import { loadFashionMnist, loadModel } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";

export default defineRecipe({
  name: "prune-fashion",
  summary:
    "A trained network of cnn-fashion without half of its multiply-adds: channels are cut, the rest is fine-tuned",
  data: "Fashion-MNIST: 54,000, 6,000 to validate, 10,000",
  defaults: { epochs: 6, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    base: { description: "the run of cnn-fashion, with the same seed: its folder", default: "" },
    macs: { description: "share of the multiply-adds that stays", default: 0.5 },
    score: {
      description: "what channels are chosen by",
      default: "taylor",
      choices: ["magnitude", "taylor", "bnScale"],
    },
    multiple: {
      description:
        "what stays of a layer's channels is a multiple of this: engines compute them by 16, or by 8; 0 takes 16, or 8 where that cuts too little",
      default: 0,
    },
    data: { description: "folder of its four files; downloaded where there is none", default: "" },
  },
  next: [
    "sardonyx train prune-fashion --base RUN --score magnitude",
    "sardonyx train prune-fashion --base RUN --macs 0.25",
  ],
  async load({ batchSize, seed, epochs, learningRate, base, macs, score, multiple, data: dir }, limit, onDownload) {
    // Before the data is loaded.
    if (base === "")
      throw new OptionError(
        "prune-fashion cuts a trained network; train one, and pass its run: sardonyx train cnn-fashion --out runs/dense, then --base runs/dense",
      );
    const whole = (await loadModel(base)) as Module;
    const data = await loadFashionMnist({ ...(dir !== "" && { dir }), ...(onDownload && { onProgress: onDownload }) });
    const [known, test] = [limited(data.train, limit), limited(data.test, limit)];
    // The tenth that cnn-fashion held back with this seed.
    const [train, held] = known.split(0.9, keyOf(seed));
    const scale = scaleBytes();
    const measured = (own: typeof train) => own.batch(250, { dropLast: false }).map(scale);
    const batches = train
      .shuffle(keyOf(seed))
      .batch(batchSize)
      .map(scale)
      .map(augment(flip("horizontal"), crop({ padding: 2 })), foldIn(keyOf(seed), "augment"));
    const [validation, tested] = [measured(held), measured(test)];
    const loss = crossEntropy();
    const samples = train.length ?? 1024;
    const scored = train.take(Math.min(1024, samples)).batch(Math.min(32, samples)).map(scale);
    const { model, plan, notes } = await pruneChannels(whole, {
      keep: { macs },
      score,
      ...(score === "taylor" && { data: scored, loss }),
      multiple: multiple === 0 ? [16, 8] : multiple,
      inputs: greyImages.inputs,
    });
    const accuracyOf = async (part: typeof validation) =>
      (await evaluate(whole, part, { loss, metrics: [accuracy()] })).results["accuracy"] ?? Number.NaN;
    return {
      model,
      classes: fashionMnistClasses,
      ...greyImages,
      train: batches,
      validation,
      test: tested,
      loss,
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      notes: [
        `${plan.macs.after} of ${plan.macs.before} multiply-adds and ${plan.parameters.after} of ${plan.parameters.before} parameters stay`,
        ...notes,
      ],
      schedule: cosine({ rate: learningRate, steps: Math.max(1, epochs * (batches.length ?? 1)) }),
      callbacks: [earlyStopping({ monitor: "validation_accuracy", patience: 4 })],
      async measure() {
        const { inputs } = greyImages;
        const { bytes } = encodeOnnx(model, { inputs, dynamicBatch: true });
        const { before, after } = await compareModels(whole, bytes, { data: tested, inputs });
        return {
          macs_share: plan.macs.after / plan.macs.before,
          parameter_share: plan.parameters.after / plan.parameters.before,
          times_faster: before.milliseconds.batch / after.milliseconds.batch,
        };
      },
      async baselines() {
        const began = performance.now();
        return [
          {
            name: "the whole network",
            settings: `${plan.macs.before} multiply-adds`,
            validation: await accuracyOf(validation),
            test: await accuracyOf(tested),
            metric: "accuracy" as const,
            seconds: (performance.now() - began) / 1000,
          },
        ];
      },
    };
  },
});
