/** The test of a model as plain data. */
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { comparedMetrics } from "../../train/baselines/compared-metric.ts";
import { type EvaluateOptions, evaluate } from "../../train/evaluate.ts";
import { confusionOf } from "../../train/metrics/classification.ts";
import type { Task } from "../recipes/recipe.ts";

/** A number, for which JSON has null where it is none. */
export const resultSchema = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** The test of a model: its results, and what is known beside. */
export const evaluationSchema = z.strictObject({
  samples: z.number(),
  results: z.record(z.string(), resultSchema),
  classes: z.array(z.string()).readonly().optional(),
  /** `[true class][predicted class]`. */
  confusion: z.array(z.array(z.number()).readonly()).readonly().optional(),
  /** What simple baselines reach on the same test: by a measure that the model has too, and on the data that their settings were chosen by. */
  baselines: z
    .array(
      z.strictObject({
        name: z.string(),
        settings: z.string(),
        validation: resultSchema,
        test: resultSchema,
        metric: z.enum(comparedMetrics),
        seconds: z.number(),
      }),
    )
    .readonly()
    .optional(),
});
/** An evaluation as plain data. */
export type EvaluationReport = Readonly<z.infer<typeof evaluationSchema>>;

/** The evaluation in a file. Throws FileError when it is damaged. */
export function parseEvaluation(text: string, where: string): EvaluationReport {
  try {
    return evaluationSchema.parse(parseJson(text));
  } catch (cause) {
    throw new FileError(`${where} is damaged; remove it and resume the run, which tests the model again`, { cause });
  }
}

/** What a task minimizes and measures. */
export const measuredOf = ({ loss, objective, steps, metrics }: Task) =>
  ({
    ...(loss !== undefined && { loss }),
    ...(objective !== undefined && { objective }),
    ...(steps !== undefined && { steps }),
    ...(metrics !== undefined && { metrics }),
  }) as EvaluateOptions<Batch>;

/** Measures a model on its test data. */
export async function evaluateTask(task: Task, compile: CompileOptions): Promise<EvaluationReport> {
  const { model, test, classes } = task;
  const { samples, results: measured, statistics } = await evaluate(model, test, { ...measuredOf(task), compile });
  const results = { ...measured, ...(await task.measure?.(compile, measured)) };
  const matrix = statistics["confusionMatrix"];
  const baselines = await task.baselines?.();
  return {
    samples,
    results,
    ...(classes && { classes }),
    ...(matrix && { confusion: confusionOf(matrix) }),
    ...(baselines && { baselines }),
  };
}
