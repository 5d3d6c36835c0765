/** Whether a model is better than what simple baselines reach beside it. */
import { resultText } from "../../core/number-text.ts";
import { advantageOf, comparedResult } from "../../train/baselines/compared-metric.ts";
import type { EvaluationReport } from "../training/evaluation.ts";

/** Whether the model is better than the baseline that did best where settings are chosen, in one sentence. */
export function baselineVerdict({ results, baselines = [] }: EvaluationReport): string | undefined {
  const measured = baselines.filter(({ validation, test }) => Number.isFinite(validation) && Number.isFinite(test));
  const [best] = measured.toSorted((a, b) => advantageOf(a.metric, b.validation, a.validation));
  const own = best && results[comparedResult(best.metric)];
  if (!best || own === undefined) return undefined;
  const show = (value: number) => resultText(best.metric, value);
  const isBetter = advantageOf(best.metric, own, best.test) > 0;
  return isBetter
    ? `Better than the best simple baseline, ${best.name}: ${show(own)}, and ${show(best.test)} by the baseline.`
    : `Not better than a simple baseline: ${best.name} reaches ${show(best.test)}, this model ${show(own)}; prefer the simple way, or more data.`;
}
