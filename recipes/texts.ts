/** Texts of your own: what each belongs to, or a number, predicted by what it says. */
import { z } from "zod";
import {
  accuracy,
  adamw,
  type Batch,
  baselinesOfTexts,
  confusionMatrix,
  type Dataset,
  defineRecipe,
  evidenceOf,
  exactLabels,
  foldedObjective,
  foldIn,
  keepBestCandidate,
  keyOf,
  labelF1,
  meanAbsoluteErrorMetric,
  type Objective,
  r2,
  rootMeanSquaredError,
  type Tensor,
  type TextTarget,
  textBatches,
  textFeaturesSchema,
  textModel,
  textTargetSchema,
  textTasks,
} from "../src/index.ts";
import { loadTexts } from "../src/node.ts";
import { requireOwnData } from "./shared/own-data.ts";

/** Folds of the texts that are trained on, and members of each kind of network. */
const folds = 8;
/** Texts that are measured at once. */
const mostAtOnce = 64;

function metricsOf(target: TextTarget) {
  if (target.kind === "number") return [rootMeanSquaredError(), meanAbsoluteErrorMetric(), r2()];
  return target.kind === "labels" ? [labelF1(), exactLabels()] : [accuracy(), confusionMatrix(target.classes.length)];
}

/** Of sums of what is in a text: with so large an epsilon what is rare moves as little as by gradient descent, and is not learned by heart. */
const ofSums = (learningRate: number) => adamw({ learningRate, epsilon: 0.01, weightDecay: 0.01 });

/** What a run keeps of its texts. */
const facts = z.object({ features: textFeaturesSchema, target: textTargetSchema });

function open(
  { width }: { readonly width: number },
  { features, target }: z.infer<typeof facts>,
  evidence?: Tensor<"float32">,
) {
  return {
    model: textModel(features, target, { members: folds, width, ...(evidence && { evidence }) }),
    inputs: { dtype: "int32", shape: [1, features.longest * (1 + features.runs)] } as const,
    format: { text: features },
    ...(target.kind === "classes" && { classes: target.classes }),
    ...(target.kind === "labels" && { labels: target.labels }),
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
    minutes: { description: "time for training", default: 2 },
    width: { description: "width of the vectors of words", default: 16 },
  },
  facts,
  open: (settings, kept) => open(settings, kept),
  async load(settings, limit) {
    const { data, text, target: named, task, seed, batchSize, learningRate, minutes } = settings;
    requireOwnData({ data, minutes }, "there are no texts; name their file or folder by --data");
    const loaded = await loadTexts({ path: data, text, target: named, task, folds, seed, limit });
    const { features, target, train, test } = loaded;
    const opened = open(settings, { features, target }, evidenceOf(loaded, folds));
    const batches = { features, folds: loaded.folds };
    return {
      ...opened,
      facts: { features, target },
      train: textBatches(train, { ...batches, size: batchSize, key: foldIn(keyOf(seed), "order") }),
      validation: textBatches(train, { ...batches, size: mostAtOnce }) as unknown as Dataset<Batch>,
      test: textBatches(test, { features, size: mostAtOnce }) as unknown as Dataset<Batch>,
      objective: foldedObjective(opened.model) as Objective<never>,
      metrics: metricsOf(target),
      samples: { train: train.texts.length, test: test.texts.length },
      notes: loaded.notes,
      callbacks: [keepBestCandidate(opened.model, { patience: 4, seconds: 60 * minutes })],
      training: {
        clipNorm: 1,
        groups: [
          { parameters: "candidates.words", optimizer: ofSums(learningRate), learningRateScale: 30 },
          { parameters: "candidates.characters", optimizer: ofSums(learningRate), learningRateScale: 7 },
        ],
      },
      optimizers: { adamw: { weightDecay: 0.01 } },
      baselines: async () => baselinesOfTexts(loaded),
    };
  },
});
