/** The test of a model as text, JSON record and file content. */
import type { CompileOptions } from "../jit/compile.ts";
import { type Evaluation, evaluate } from "../train/evaluate.ts";
import { confusionOf } from "../train/metrics/metrics.ts";
import type { Task } from "./recipe.ts";
import { showConfusion } from "../cli/confusion.ts";
import type { Output } from "../cli/output.ts";
import { namedResults, plural } from "../cli/text.ts";

/** An evaluation as plain data. */
export interface EvaluationReport {
  readonly samples: number;
  readonly results: Readonly<Record<string, number>>;
  readonly classes?: readonly string[];
  /** `[true class][predicted class]`. */
  readonly confusion?: readonly (readonly number[])[];
}

/** Measures a model on its test data. */
export async function evaluateTask(task: Task, compile: CompileOptions): Promise<EvaluationReport> {
  const { model, test, loss, metrics, classes } = task;
  const evaluation = await evaluate(model, test, { loss, metrics, compile });
  const { samples } = evaluation;
  const results = { ...evaluation.results, ...(await task.measure?.(compile, evaluation.results)) };
  const confusion = confusionIn(task, evaluation);
  return { samples, results, ...(classes && { classes }), ...(confusion && { confusion }) };
}

function confusionIn({ metrics }: Task, { statistics }: Evaluation): number[][] | undefined {
  const at = metrics.findIndex(({ name }) => name === "confusionMatrix");
  return at < 0 ? undefined : confusionOf(statistics[at] ?? []);
}

/** Shows an evaluation. */
export function showEvaluation(report: EvaluationReport, output: Output): void {
  output.record("evaluation", { ...report });
  output.line(`Test on ${plural(report.samples, "sample")}: ${namedResults(report.results)}`);
  if (!report.confusion) return;
  output.line();
  for (const line of showConfusion(report.confusion, report.classes ?? [], output.columns)) output.line(line);
}
