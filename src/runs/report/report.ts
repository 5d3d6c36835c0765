/** The report of a run as plain data: what it trained, how it went, and what the trained model does on the test. */
import * as z from "zod";
import { layerMomentSchema } from "../../explain/learning/layer-history.ts";
import { searchReportSchema } from "../search/search-report.ts";
import { evaluationSchema, resultSchema } from "../training/evaluation.ts";

/** Samples whose confidence lies in one bin: their mean confidence, and the share of them that is right. */
const binSchema = z.strictObject({
  from: z.number(),
  to: z.number(),
  samples: z.number(),
  confidence: z.number(),
  accuracy: z.number(),
});

/** How far confidence can be trusted (Guo et al. 2017, "On Calibration of Modern Neural Networks"). */
const calibrationSchema = z.strictObject({
  samples: z.number(),
  accuracy: z.number(),
  confidence: z.number(),
  /** The expected calibration error: the gap between confidence and accuracy, averaged over the samples. */
  error: z.number(),
  /** Bins that hold a sample. */
  bins: z.array(binSchema).readonly(),
});

/** Predicted numbers against true ones. */
const residualsSchema = z.strictObject({
  samples: z.number(),
  /** Mean of predicted less true. */
  bias: z.number(),
  rootMeanSquaredError: z.number(),
  meanAbsoluteError: z.number(),
  /** `[true, predicted]` of each sample. */
  pairs: z.array(z.tuple([z.number(), z.number()]).readonly()).readonly(),
});

/** An image within the file: no page that shows it fetches anything. */
const imageSchema = z.string().startsWith("data:image/");

/** What speaks for the class that was predicted, and against it. */
const explanationSchema = z.strictObject({
  /** The method that made it: `integrated-gradients`. */
  method: z.string(),
  /** Over the image, as a PNG in a data URI … */
  map: imageSchema.optional(),
  /** … with the value of its full colours; … */
  bound: z.number().optional(),
  /** … the words or tokens with what each adds; … */
  words: z
    .array(z.strictObject({ text: z.string(), value: resultSchema.optional() }))
    .readonly()
    .optional(),
  /** … or columns, those that add most. */
  bars: z
    .array(z.strictObject({ name: z.string(), shown: z.string(), value: resultSchema }))
    .readonly()
    .optional(),
});

const mistakeSchema = z.strictObject({
  /** Place of the sample in the test, from 0. */
  sample: z.number(),
  actual: z.string(),
  predicted: z.string(),
  /** The probability that the model gave the predicted class. */
  confidence: z.number().optional(),
  loss: resultSchema,
  /** The input as a PNG in a data URI. */
  image: imageSchema.optional(),
  explained: explanationSchema.optional(),
  /** The input as the cells of a row. */
  cells: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .readonly()
    .optional(),
});

/** What a column is worth, by permutation (Breiman 2001, "Random Forests", section 10). */
const importanceSchema = z.strictObject({
  metric: z.enum(["accuracy", "rmse"]),
  /** The metric with every column in its place. */
  reference: z.number(),
  samples: z.number(),
  /** Permutations of each column, over which is averaged. */
  repeats: z.number(),
  /** By how much the metric worsens without the column, the most important first. */
  columns: z.array(z.strictObject({ name: z.string(), worsening: z.number() })).readonly(),
});

/** What `report.json` holds. */
export const runReportSchema = z.strictObject({
  format: z.literal("sardonyx-report-1"),
  state: z.enum(["running", "stopped", "finished"]),
  recipe: z.string(),
  summary: z.string(),
  /** The recipe's data in a few words. */
  data: z.string().optional(),
  created: z.string(),
  versions: z.record(z.string(), z.string()),
  /** Settings and the recipe's own options, by name. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  samples: z.strictObject({ train: z.number(), test: z.number() }).optional(),
  classes: z.array(z.string()).readonly().optional(),
  /** What the data was taken for, and what was left out of it. */
  dataNotes: z.array(z.string()).readonly(),
  parameters: z.strictObject({ total: z.number(), trainable: z.number() }),
  /** Epochs that all stages are to have. */
  plannedEpochs: z.number(),
  /** Results of each epoch, and its seconds where they are known. */
  epochs: z
    .array(z.strictObject({ results: z.record(z.string(), resultSchema), seconds: z.number().optional() }))
    .readonly(),
  /** Why stages ended before their last epoch. */
  stopReasons: z.array(z.string()).readonly(),
  notes: z.array(z.string()).readonly(),
  evaluation: evaluationSchema.optional(),
  /** Whether the model is better than simple baselines. */
  verdict: z.string().optional(),
  calibration: calibrationSchema.optional(),
  residuals: residualsSchema.optional(),
  /** Samples of the test with the highest losses, the worst first. */
  mistakes: z.array(mistakeSchema).readonly().optional(),
  importance: importanceSchema.optional(),
  /** Statistics of its layers over time, where they were watched. */
  layers: z.array(layerMomentSchema).readonly().optional(),
  /** How its settings were found, where they were searched. */
  search: searchReportSchema.optional(),
  /** Commands that use the model. */
  usage: z.array(z.strictObject({ command: z.string(), meaning: z.string() })).readonly(),
});

/** The report of a run. */
export type RunReport = Readonly<z.infer<typeof runReportSchema>>;
/** What the trained model does on single samples of the test. */
export type Diagnosis = Pick<RunReport, "calibration" | "residuals" | "mistakes" | "importance">;
export type Calibration = NonNullable<RunReport["calibration"]>;
export type Residuals = NonNullable<RunReport["residuals"]>;
export type Mistake = NonNullable<RunReport["mistakes"]>[number];
export type MistakeExplanation = NonNullable<Mistake["explained"]>;
export type Importance = NonNullable<RunReport["importance"]>;

/** Names of results that are shown: neither matrices, nor details, whose names have a point in them. */
export const shownResults = (results: Readonly<Record<string, number>>): string[] =>
  Object.keys(results).filter((name) => !name.endsWith("confusionMatrix") && !name.includes("."));
