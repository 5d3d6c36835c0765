/** What baselines are held against a model by: which result of the model that is, and which way is better. */
import { resultText } from "../../core/number-text.ts";

/** By the name under which baselines are shown. */
const table = {
  accuracy: { result: "accuracy", better: "higher" },
  "label F1": { result: "labelF1", better: "higher" },
  rmse: { result: "rootMeanSquaredError", better: "lower" },
  perplexity: { result: "perplexity", better: "lower" },
  bleu: { result: "bleu", better: "higher" },
  "mAP@0.5": { result: "mAP", better: "higher" },
  "mAP@[.5:.95]": { result: "mAP_50_95", better: "higher" },
  "recall at 10": { result: "recall_at_10", better: "higher" },
} as const satisfies Readonly<Record<string, { readonly result: string; readonly better: "higher" | "lower" }>>;

/** A measure that baselines and models have in common. */
export type ComparedMetric = keyof typeof table;

/** All of them. */
export const comparedMetrics = Object.keys(table) as [ComparedMetric, ...ComparedMetric[]];

/** The measures of some baselines, each once, as the head of a column. */
export const metricsOf = (baselines: readonly { readonly metric: ComparedMetric }[]): string =>
  [...new Set(baselines.map(({ metric }) => metric))].join(", ");

/** The name of the model's own result. */
export const comparedResult = (metric: ComparedMetric): string => table[metric].result;

/** By how much `a` is better than `b`: above 0 it is. */
export const advantageOf = (metric: ComparedMetric, a: number, b: number): number =>
  table[metric].better === "higher" ? a - b : b - a;

/** What a baseline reached, for people: with its measure where there are others with another one, "-" of one that was left out. */
export function reachedText(
  { metric, test }: { readonly metric: ComparedMetric; readonly test: number },
  baselines: readonly { readonly metric: ComparedMetric }[],
): string {
  if (!Number.isFinite(test)) return "-";
  const text = resultText(metric, test);
  return baselines.some((own) => own.metric !== metric) ? `${metric} ${text}` : text;
}
