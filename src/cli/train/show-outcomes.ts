/** What came of an experiment, on a terminal. */
import type { Experiment, Outcome } from "../../runs/experiments/experiment.ts";
import { explanation, tableOf } from "../../runs/experiments/experiment-report.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import type { Column } from "../text.ts";

/** Shows a line for each network. */
export function showOutcomes(experiment: Experiment, outcomes: readonly Outcome[], output: Output): void {
  const { head, rows } = tableOf(experiment, outcomes, false);
  const columns = head.map((name, i): Column => (i === 0 ? { head: name } : { head: name, align: "right" }));
  showTable(columns, rows, output);
  output.line();
  output.prose(explanation);
}
