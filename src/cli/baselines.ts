/** What simple baselines reach beside a model, as text. */
import { duration, resultText } from "../core/number-text.ts";
import { comparedResult, type EvaluationReport } from "../runs/training/evaluation.ts";
import type { Output } from "./output.ts";
import { table } from "./text.ts";

type Baselines = NonNullable<EvaluationReport["baselines"]>;

/** Whether the model is better than the baseline that did best where settings are chosen, in one sentence. */
export function baselineVerdict({ results }: EvaluationReport, baselines: Baselines): string | undefined {
  const measured = baselines.filter(({ validation, test }) => Number.isFinite(validation) && Number.isFinite(test));
  const sign = measured[0]?.metric === "rmse" ? -1 : 1;
  const best = measured.toSorted((a, b) => sign * (b.validation - a.validation))[0];
  const own = best && results[comparedResult[best.metric]];
  if (!best || own === undefined) return undefined;
  const show = (value: number) => resultText(best.metric, value);
  const isBetter = sign * (own - best.test) > 0;
  return isBetter
    ? `Better than the best simple baseline, ${best.name}: ${show(own)}, and ${show(best.test)} by the baseline.`
    : `Not better than a simple baseline: ${best.name} reaches ${show(best.test)}, this model ${show(own)}; prefer the simple way, or more data.`;
}

/** Shows the baselines as a table. */
export function showBaselines(baselines: Baselines, output: Output): void {
  const rows = baselines.map(({ name, settings, test, metric, seconds }) => [
    name,
    Number.isFinite(test) ? resultText(metric, test) : "-",
    settings,
    duration(seconds),
  ]);
  const columns = [
    { head: "Baseline, same test" },
    { head: baselines[0]?.metric ?? "", align: "right" },
    { head: "Settings" },
    { head: "Time", align: "right" },
  ] as const;
  for (const line of table(columns, rows, output.columns)) output.line(line);
}
