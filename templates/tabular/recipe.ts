/** A column of data.csv predicted by the others. */
import {
  accuracy,
  baselinesOfTable,
  confusionMatrix,
  crossEntropy,
  defineRecipe,
  encodedWidth,
  fromTensors,
  gatherRows,
  keyOf,
  rowEncodingSchema,
  tableModel,
  targetSchema,
} from "sardonyx";
import { loadTable } from "sardonyx/node";
import { z } from "zod";

/** What a run keeps of its data: how the cells of a row become numbers, and what is predicted. */
const facts = z.object({ encoding: rowEncodingSchema, target: targetSchema });

/** What a trained model is used with, without the data. Put a network of your own in the place of `tableModel`. */
const open = ({ width }: { readonly width: number }, { encoding, target }: z.infer<typeof facts>) => ({
  model: tableModel(encoding, target, { members: 1, width }),
  inputs: { dtype: "float32", shape: [1, encodedWidth(encoding)] } as const,
  format: { table: encoding },
  ...(target.kind === "classes" && { classes: target.classes }),
});

/** Parts of the rows that are trained on; the first is held back for validation. */
const folds = 8;

export default defineRecipe({
  name: "fruit",
  summary: "Which fruit it is, by its measures",
  defaults: { epochs: 60, batchSize: 32, learningRate: 0.003, optimizer: "adamw", seed: 0 },
  options: {
    data: { description: "the table: .csv, .tsv, .jsonl, .json or .parquet", default: "data.csv" },
    target: { description: "the column to predict, one of several classes", default: "fruit" },
    width: { description: "units of the hidden layers", default: 64 },
  },
  search: { width: { choices: [32, 64, 128] }, learningRate: { low: 0.001, high: 0.01, log: true } },
  facts,
  open,
  async load({ data, target, width, batchSize, seed }, limit) {
    const request = { task: "classification", ignore: [], group: "", time: "" } as const;
    const table = await loadTable({ ...request, path: data, target, folds, seed, limit });
    const kept = { encoding: table.encoding, target: table.target };
    const rowsOf = (isHeld: boolean) => {
      const places = table.folds.flatMap((fold, row) => ((fold === 0) === isHeld ? [row] : []));
      return fromTensors({ x: gatherRows(table.train.x, places), y: gatherRows(table.train.y, places) });
    };
    const classes = table.target.kind === "classes" ? table.target.classes.length : 0;
    return {
      ...open({ width }, kept),
      facts: kept,
      train: rowsOf(false).shuffle(keyOf(seed)).batch(batchSize),
      validation: rowsOf(true).batch(32, { dropLast: false }),
      test: fromTensors({ ...table.test }).batch(32, { dropLast: false }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(classes)],
      notes: table.notes,
      baselines: () => baselinesOfTable(table, { seed, seconds: 10 }),
    };
  },
});
