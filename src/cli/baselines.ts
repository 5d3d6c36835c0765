/** What simple baselines reach beside a model, as text. */
import { duration } from "../core/number-text.ts";
import type { EvaluationReport } from "../runs/training/evaluation.ts";
import { metricsOf, reachedText } from "../train/baselines/compared-metric.ts";
import type { Output } from "./output.ts";
import { showTable } from "./show-table.ts";

type Baselines = NonNullable<EvaluationReport["baselines"]>;

/** Shows the baselines as a table. */
export function showBaselines(baselines: Baselines, output: Output): void {
  const rows = baselines.map((own) => [own.name, reachedText(own, baselines), own.settings, duration(own.seconds)]);
  const columns = [
    { head: "Baseline, same test" },
    { head: metricsOf(baselines), align: "right" },
    { head: "Settings" },
    { head: "Time", align: "right" },
  ] as const;
  showTable(columns, rows, output);
}
