/** Texts of your own: what each belongs to, or a number, predicted by what it says. */
import { z } from "zod";
import {
  accuracy,
  adamw,
  baselinesOfTexts,
  confusionMatrix,
  defineRecipe,
  evidenceOf,
  exactLabels,
  foldedObjective,
  foldIn,
  keepBestCandidate,
  keyOf,
  type Labelled,
  labelF1,
  linearOnFeatures,
  meanAbsoluteErrorMetric,
  type Objective,
  type OnDownload,
  OptionError,
  predictor,
  type RecipeSettings,
  r2,
  rootMeanSquaredError,
  type Tensor,
  type TextFeatures,
  type TextTarget,
  takenOf,
  textBatches,
  textFeaturesSchema,
  textModel,
  textTargetSchema,
  textTasks,
} from "../src/index.ts";
import { loadTexts, openTextBase, type PartedTexts, partTexts, textRowParts } from "../src/node.ts";
import { requireOwnData } from "./shared/own-data.ts";
import { baseOptions, candidatesFor, learnSamples, requireBlocks, trainingShare, tuned } from "./shared/own-samples.ts";

/** Folds of the texts that are trained on, and members of each kind of network. */
const folds = 8;
/** Texts that are measured at once. */
const mostAtOnce = 64;

function metricsOf(target: TextTarget) {
  if (target.kind === "number") return [rootMeanSquaredError(), meanAbsoluteErrorMetric(), r2()];
  return target.kind === "labels" ? [labelF1(), exactLabels()] : [accuracy(), confusionMatrix(target.classes.length)];
}

/** Of sums of what is in a text: with so large an epsilon what is rare moves as little as by gradient descent, so that it is not overfitted. */
const ofSums = (learningRate: number) => adamw({ learningRate, epsilon: 0.01, weightDecay: 0.01 });

/** What a run keeps of its texts; on a base a tokenizer says how they are read. */
const facts = z.object({ features: textFeaturesSchema.optional(), target: textTargetSchema });

/** What texts are, and of what they are learned. */
interface Known {
  readonly features: TextFeatures;
  readonly target: TextTarget;
}

function fromNothing({ width }: { readonly width: number }, { features, target }: Known, evidence?: Tensor<"float32">) {
  return {
    model: textModel(features, target, { members: folds, width, ...(evidence && { evidence }) }),
    inputs: { dtype: "int32", shape: [1, features.longest * (1 + features.runs)] } as const,
    format: { text: features },
    ...(target.kind === "classes" && { classes: target.classes }),
    ...(target.kind === "labels" && { labels: target.labels }),
  };
}

/** Settings of what is learned on a base. */
interface OnBase extends RecipeSettings {
  readonly base: string;
  readonly unfreeze: number;
  readonly length: number;
  readonly minutes: number;
}

/** What a run trains on a base, and with: as images and sounds do. */
async function taskOnBase(parted: PartedTexts, settings: OnBase, onDownload: OnDownload | undefined) {
  const { base: named, unfreeze, length } = settings;
  const openNamed = () => openTextBase(named, parted, { onProgress: onDownload, ...(length !== 0 && { length }) });
  const base = await openNamed();
  const { target } = parted;
  const split = textRowParts(parted, base);
  const opened = candidatesFor(target, tuned, (outputs) => base.classifier(outputs));
  const learning = learnSamples(split, {
    ...{ model: opened.model, settings, choices: tuned, unfreeze },
    ...{ views: (batches) => batches, plain: (batches) => batches },
  });
  const { baselineOptions, ...task } = learning;
  return {
    ...opened,
    ...task,
    inputs: base.inputs,
    reader: base.reader,
    facts: { target },
    notes: [...parted.notes, ...base.notes],
    async baselines() {
      // Opened anew: the blocks of the other are trained by now.
      const { features } = await openNamed();
      const ask = predictor(features);
      const vectorOf = (batch: Labelled) => ask(takenOf(features.inputs, batch) as never) as Promise<Tensor>;
      const half = { ...baselineOptions, seconds: baselineOptions.seconds / 2 };
      return [...(await baselinesOfTexts(parted, half)), ...(await linearOnFeatures(split, vectorOf, half))];
    },
  };
}

export default defineRecipe({
  name: "texts",
  summary: "Texts of your own: their class or a number, by networks that are compared, beside simple baselines",
  data: "your own: four fifths to train on, in eight folds; a fifth to test",
  defaults: { epochs: 60, batchSize: 32, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  options: {
    data: {
      description: "a table with a column of texts, or a folder with a folder of .txt for each class",
      default: "",
    },
    text: { description: "the column of texts; default the one of free text", default: "" },
    target: { description: "the column to predict; default by its name, or the last", default: "" },
    task: {
      description: "what it is: one of several classes, a number, or any of several labels",
      default: "auto",
      choices: textTasks,
    },
    minutes: { description: "time for training and for the baselines", default: 2 },
    ...baseOptions,
    length: { description: "on a base: tokens of a text at most; 0: 256, or what the base reads", default: 0 },
    width: { description: "width of the vectors of words", default: 16 },
  },
  facts,
  // On a base the run's own files answer.
  open: async (settings, { features, target }) => (features ? fromNothing(settings, { features, target }) : undefined),
  async load(settings, limit, onDownload) {
    const {
      data,
      text,
      target: named,
      task,
      seed,
      batchSize,
      learningRate,
      minutes,
      base,
      unfreeze,
      length,
    } = settings;
    requireOwnData({ data, minutes }, "there are no texts; name their file or folder by --data");
    requireBlocks(unfreeze);
    if (!(Number.isInteger(length) && (length === 0 || length >= 2)))
      throw new OptionError(`--length is ${length}; pass a whole number of tokens from 2, or 0 for the usual one`);
    if (length !== 0 && base === "") throw new OptionError("--length is of a base, and there is none; leave it out");
    const request = { path: data, text, target: named, task, folds, seed, limit };
    if (base !== "") return taskOnBase(await partTexts(request), settings, onDownload);
    const loaded = await loadTexts(request);
    const { features, target, train, test } = loaded;
    const opened = fromNothing(settings, { features, target }, evidenceOf(loaded, folds));
    const batches = { features, folds: loaded.folds };
    return {
      ...opened,
      facts: { features, target },
      train: textBatches(train, { ...batches, size: batchSize, key: foldIn(keyOf(seed), "order") }),
      validation: textBatches(train, { ...batches, size: mostAtOnce }),
      test: textBatches(test, { features, size: mostAtOnce }),
      objective: foldedObjective(opened.model) as Objective<never>,
      metrics: metricsOf(target),
      samples: { train: train.texts.length, test: test.texts.length },
      notes: loaded.notes,
      callbacks: [keepBestCandidate(opened.model, { patience: 4, seconds: 60 * trainingShare * minutes })],
      training: {
        clipNorm: 1,
        groups: [
          { parameters: "candidates.words", optimizer: ofSums(learningRate), learningRateScale: 30 },
          { parameters: "candidates.characters", optimizer: ofSums(learningRate), learningRateScale: 7 },
        ],
      },
      optimizers: { adamw: { weightDecay: 0.01 } },
      baselines: () => baselinesOfTexts(loaded, { seed, seconds: 60 * (1 - trainingShare) * minutes }),
    };
  },
});
