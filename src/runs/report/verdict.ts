/** Whether a model is better than what simple baselines reach beside it. */
import { resultText } from "../../core/number-text.ts";
import { advantageOf, comparedResult } from "../../train/baselines/compared-metric.ts";
import type { EvaluationReport } from "../training/evaluation.ts";

/** Whether the model is better than the baseline that did best where settings are chosen, in one sentence for each measure. */
export function baselineVerdict({ results, baselines = [] }: EvaluationReport): string | undefined {
  const metrics = [...new Set(baselines.map(({ metric }) => metric))];
  const sentences = metrics.flatMap((metric) => {
    const measured = baselines.filter(
      (own) => own.metric === metric && Number.isFinite(own.validation) && Number.isFinite(own.test),
    );
    const [best] = measured.toSorted((a, b) => advantageOf(metric, b.validation, a.validation));
    const own = results[comparedResult(metric)];
    if (!best || own === undefined) return [];
    const show = (value: number) => resultText(metric, value);
    const by = metrics.length > 1 ? ` by ${metric}` : "";
    return advantageOf(metric, own, best.test) > 0
      ? `Better${by} than the best simple baseline, ${best.name}: ${show(own)}, and ${show(best.test)} by the baseline.`
      : `Not better${by} than a simple baseline: ${best.name} reaches ${show(best.test)}, this model ${show(own)}; prefer the simple way, or more data.`;
  });
  return sentences.length > 0 ? sentences.join(" ") : undefined;
}
