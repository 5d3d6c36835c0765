/** A table of your own: a column predicted by the others. */
import { z } from "zod";
import {
  accuracy,
  baselinesOfTable,
  confusionMatrix,
  defineRecipe,
  encodedWidth,
  foldedObjective,
  foldIn,
  fromTensors,
  keepBestCandidate,
  keyOf,
  meanAbsoluteErrorMetric,
  type Objective,
  r2,
  rootMeanSquaredError,
  rowEncodingSchema,
  type TableSamples,
  Tensor,
  tableModel,
  tableTasks,
  targetSchema,
} from "../src/index.ts";
import { loadTable } from "../src/node.ts";
import { requireOwnData } from "./shared/own-data.ts";

/** Folds of the rows that are trained on, and members of each kind of network. */
const folds = 8;
/** Of the time, what training may take; the rest is for baselines. */
const trainingShare = 0.7;

/** Rows that are measured at once. */
const mostAtOnce = 1024;

/** What a run keeps of its table. */
const facts = z.object({ encoding: rowEncodingSchema, target: targetSchema });

function open({ width }: { readonly width: number }, { encoding, target }: z.infer<typeof facts>) {
  return {
    model: tableModel(encoding, target, { members: folds, width }),
    inputs: { dtype: "float32", shape: [1, encodedWidth(encoding)] } as const,
    format: { table: encoding },
    ...(target.kind === "classes" && { classes: target.classes }),
  };
}

export default defineRecipe({
  name: "table",
  summary:
    "A table of your own: a column predicted by the others, by networks that are compared, beside simple baselines",
  data: "your own: four fifths to train on, in eight folds; a fifth to test",
  defaults: { epochs: 400, batchSize: 64, learningRate: 0.001, optimizer: "adamw", seed: 0 },
  options: {
    data: { description: "the table: .csv, .tsv, .jsonl, .json or .parquet", default: "" },
    target: { description: "the column to predict; default by its name, or the last", default: "" },
    task: { description: "whether it is one of several classes, or a number", default: "auto", choices: tableTasks },
    ignore: { description: "columns not to read, with commas", default: "" },
    group: { description: "rows of one value of this column stay together, such as those of a person", default: "" },
    time: { description: "the test is of the rows that are last by this column of dates", default: "" },
    minutes: { description: "time for training and for the baselines", default: 2 },
    width: { description: "units of hidden layers", default: 128 },
  },
  search: {
    learningRate: { low: 0.0003, high: 0.003, log: true },
    width: { choices: [64, 128, 256] },
    batchSize: { choices: [32, 64, 128] },
  },
  facts,
  open,
  async load(settings, limit) {
    const { data, seed, batchSize, minutes } = settings;
    requireOwnData({ data, minutes }, "there is no table; name its file by --data");
    const ignore = settings.ignore.split(",").flatMap((name) => name.trim() || []);
    const table = await loadTable({
      path: data,
      target: settings.target,
      task: settings.task,
      ignore,
      group: settings.group,
      time: settings.time,
      folds,
      seed,
      limit,
    });
    const { encoding, target } = table;
    const kept = { encoding, target };
    const opened = open(settings, kept);
    const number = target.kind === "number" ? { mean: target.mean, deviation: target.deviation } : undefined;
    const folded = (samples: TableSamples, own: readonly number[]) =>
      fromTensors({ ...samples, fold: new Tensor("int32", [own.length], Int32Array.from(own)) });
    const train = folded(table.train, table.folds);
    const tests = table.test.y.shape[0] ?? 0;
    const test = folded(table.test, new Array<number>(tests).fill(-1));
    return {
      ...opened,
      facts: kept,
      train: train
        .shuffle(foldIn(keyOf(seed), "order"))
        .batch(Math.min(batchSize, table.folds.length), { dropLast: true }),
      validation: train.batch(Math.min(mostAtOnce, table.folds.length)),
      test: test.batch(Math.min(mostAtOnce, tests)),
      objective: foldedObjective(opened.model) as Objective<never>,
      metrics: number
        ? [rootMeanSquaredError(), meanAbsoluteErrorMetric(), r2()]
        : [accuracy(), confusionMatrix(opened.classes?.length ?? 2)],
      samples: { train: table.folds.length, test: tests },
      notes: table.notes,
      callbacks: [keepBestCandidate(opened.model, { patience: 40, seconds: 60 * trainingShare * minutes })],
      training: {
        clipNorm: 1,
        // Sums of columns begin at 0, and have further to go.
        groups: [{ parameters: ["candidates.linear", "candidates.additive"], learningRateScale: 8 }],
      },
      optimizers: { adamw: { weightDecay: 1 } },
      baselines: () => baselinesOfTable(table, { seed, seconds: 60 * (1 - trainingShare) * minutes }),
    };
  },
});
