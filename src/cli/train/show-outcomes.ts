/** What came of an experiment, on a terminal. */
import type { Experiment, Outcome } from "../../runs/experiments/experiment.ts";
import { explanation, tableOf } from "../../runs/experiments/experiment-report.ts";
import type { Output } from "../output.ts";
import { type Column, table } from "../text.ts";

/** Shows a line for each network. */
export function showOutcomes(experiment: Experiment, outcomes: readonly Outcome[], output: Output): void {
  const { head, rows } = tableOf(experiment, outcomes, false);
  const columns = head.map((name, i): Column => (i === 0 ? { head: name } : { head: name, align: "right" }));
  for (const line of table(columns, rows, output.columns)) output.line(line);
  output.line();
  output.prose(explanation);
}
