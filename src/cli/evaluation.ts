/** The test of a model as text and as a JSON record. */
import { namedResults, plural } from "../core/number-text.ts";
import { baselineVerdict } from "../runs/report/verdict.ts";
import type { EvaluationReport } from "../runs/training/evaluation.ts";
import { showBaselines } from "./baselines.ts";
import { showConfusion } from "./confusion.ts";
import type { Output } from "./output.ts";

/** Shows an evaluation. */
export function showEvaluation(report: EvaluationReport, output: Output): void {
  output.record("evaluation", { ...report });
  const { baselines = [] } = report;
  const verdict = baselineVerdict(report);
  if (verdict !== undefined) output.prose(verdict, 0, verdict.startsWith("Better") ? "good" : "caution");
  output.line(`Test on ${plural(report.samples, "sample")}: ${namedResults(report.results)}`);
  if (baselines.length > 0) {
    output.line();
    showBaselines(baselines, output);
  }
  if (!report.confusion) return;
  output.line();
  for (const line of showConfusion(report.confusion, report.classes ?? [], output.columns)) output.line(line);
}
