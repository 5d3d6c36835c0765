/** What came of an experiment: its table, and a Markdown report with its figures. */
import { count, resultText } from "../../core/number-text.ts";
import { averages, type Experiment, type Outcome } from "./experiment.ts";

/** The report as Markdown, beside its figures. */
export function reportOf(experiment: Experiment, outcomes: readonly Outcome[], figures: readonly string[]): string {
  const { head, rows } = tableOf(experiment, outcomes, true);
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  const lines = [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const images = figures.map((name) => `![${name.replace(/\.svg$/, "")}](${name})`);
  return [`# ${experiment.name}`, experiment.summary, lines.join("\n"), explanation, ...images, ""].join("\n\n");
}

/** What the columns of the table are. */
export const explanation =
  "Means over the seeds, ± their standard deviation. Training: over the last epoch, while it was trained. First, last: norm of the gradient of the first and the last layer's weight, in the first batch. s: seconds of training.";

interface Measure {
  readonly head: string;
  readonly of: (outcome: Outcome) => number;
  readonly show: (value: number) => string;
  /** Shown with its deviation. */
  readonly spread?: boolean;
  /** Left to the report. */
  readonly wide?: boolean;
}

/** Rows of text, one for each network; `wide` with all columns. */
export function tableOf(
  { axis }: Experiment,
  outcomes: readonly Outcome[],
  wide: boolean,
): { head: string[]; rows: string[][] } {
  const metric = outcomes.map(metricOf).find((name) => name !== "loss") ?? "loss";
  const last = ({ history }: Outcome) => history.at(-1) ?? {};
  const asResult = (value: number) => resultText(metric, value);
  const measures: readonly Measure[] = [
    { head: "Parameters", of: ({ parameters }) => parameters, show: count, wide: true },
    {
      head: "Training loss",
      of: (own) => last(own)["loss"] ?? Number.NaN,
      show: (value) => value.toFixed(4),
      wide: true,
    },
    { head: "Training", of: (own) => last(own)[metric] ?? Number.NaN, show: asResult, wide: true },
    { head: "Test", of: ({ test }) => test[metric] ?? Number.NaN, show: asResult, spread: true },
    { head: "First", of: gradientAt(0), show: (value) => value.toExponential(0) },
    { head: "Last", of: gradientAt(-1), show: (value) => value.toExponential(0) },
    { head: "s", of: ({ seconds }) => seconds, show: (value) => value.toFixed(1) },
  ];
  const shown = measures.filter((own) => wide || !own.wide);
  const columns = shown.map(({ of, show, spread }) =>
    averages(outcomes, of).map(({ mean, deviation }) => {
      if (Number.isNaN(mean)) return "-";
      return spread && !Number.isNaN(deviation) ? `${show(mean)} ± ${show(deviation).replace(" %", "")}` : show(mean);
    }),
  );
  const variants = averages(outcomes, () => 0);
  // An axis with one place on it says nothing.
  const places = new Set(variants.map(({ at }) => at)).size > 1;
  return {
    head: ["Networks", ...(places ? [axis] : []), ...shown.map(({ head }) => head)],
    rows: variants.map(({ series, at }, i) => [
      series,
      ...(places ? [String(at)] : []),
      ...columns.map((cells) => cells[i] ?? ""),
    ]),
  };
}

/** The metric that a test is reported by: the first beside the loss, which stands in where there is none. */
export const metricOf = ({ test }: Outcome): string => Object.keys(test).find((name) => name !== "loss") ?? "loss";

/** Norm of the gradient of a weight, counted from the first or the last, in the first batch. */
const gradientAt =
  (index: number) =>
  ({ gradients }: Outcome): number =>
    Object.values(gradients[0] ?? {}).at(index) ?? Number.NaN;
