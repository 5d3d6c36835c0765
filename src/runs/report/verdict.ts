/** Whether a model is better than what simple baselines reach beside it. */
import { resultText } from "../../core/number-text.ts";
import { comparedResult, type EvaluationReport } from "../training/evaluation.ts";

/** Whether the model is better than the baseline that did best where settings are chosen, in one sentence. */
export function baselineVerdict({ results, baselines = [] }: EvaluationReport): string | undefined {
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
