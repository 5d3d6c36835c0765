/** A recipe from several seeds as a person sees it: a line for each, then means with intervals, beside baselines. */
import { resolve } from "node:path";
import { duration, namedResult, resultText } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import type { Recipe } from "../../runs/recipes/recipe.ts";
import type { Loaded } from "../../runs/recipes/recipes.node.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import { leads } from "../../runs/training/ranks.node.ts";
import {
  type BaselineOfSeeds,
  runSeeds,
  type SeedResult,
  type SeedsOptions,
  type SeedsReport,
} from "../../runs/training/seeds.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { advantageOf, comparedResult } from "../../train/baselines/compared-metric.ts";
import type { Interval } from "../../train/metrics/interval.ts";
import { encryptOut } from "../encryption.ts";
import { stopOnSignal } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import type { Column } from "../text.ts";
import { showDownloads } from "./progress.ts";

/** What of a run from several seeds is chosen on the command line. */
export type ShownSeeds = Pick<
  SeedsOptions,
  "first" | "count" | "resume" | "plan" | "checkpointSeconds" | "communicator"
> & {
  readonly out: string | undefined;
  /** To whom all files are encrypted. */
  readonly encryptTo: string | undefined;
  readonly output: Output;
};

/** Trains from each seed, and shows what they come to. */
export async function showSeeds(loaded: Loaded<Recipe>, named: string, options: ShownSeeds): Promise<void> {
  const { out, encryptTo, output, first, count, resume, plan, checkpointSeconds, communicator } = options;
  const { name, summary } = loaded.recipe;
  const folder = resolve(out ?? `runs/${name}-seeds`);
  if (leads({ communicator })) await encryptOut(folder, encryptTo);
  const interruption = stopOnSignal(output);
  output.prose(`${name}: ${summary}`, 0, "strong");
  output.line(`From ${count} seeds, ${first} to ${first + count - 1}, in ${shownPath(folder)}`);
  output.line();
  try {
    const report = await runSeeds(loaded, named, {
      ...{ folder, first, count, resume, plan, checkpointSeconds, communicator },
      signal: interruption.signal,
      observer: { onDownload: showDownloads(output) },
      onSeed: (result) => showSeed(result, output),
    });
    output.line();
    output.record("seeds", { ...report });
    showReport(report, output);
  } catch (error) {
    if (error instanceof Interrupted)
      output.prose(
        `Stopped ${error.message}. Resume: ${command`sardonyx train ${named} --seeds ${String(count)} --seed ${String(first)} --resume --out ${shownPath(folder)}`}`,
      );
    throw error;
  } finally {
    interruption.release();
  }
}

function showSeed({ seed, folder, evaluation, seconds }: SeedResult, output: Output): void {
  const { results } = evaluation;
  const shown = Object.entries(results).filter(([name]) => !name.endsWith("confusionMatrix") && !name.includes("."));
  output.record("seed", { seed, folder, results });
  output.prose(
    `Seed ${seed}: ${shown.map(([name, value]) => namedResult(name, value)).join("   ")}   ${duration(seconds)}`,
    6,
  );
}

/** How much better the model is than the baseline that did best on average, in one sentence for each measure. */
function verdictOf({ figures, baselines }: SeedsReport): string | undefined {
  const metrics = [...new Set(baselines.map(({ metric }) => metric))];
  const sentences = metrics.flatMap((metric) => {
    const measured = baselines.filter((own) => own.metric === metric);
    const [best] = measured.toSorted((a, b) => advantageOf(metric, b.mean, a.mean));
    const own = figures.find(({ name }) => name === comparedResult(metric));
    if (!best || !own) return [];
    const show = (value: number) => resultText(metric, value);
    const { low, high } = best.advantage;
    const beside = `${best.name}, the best simple baseline: ${show(own.mean)}, and ${show(best.mean)} by the baseline`;
    const by = `difference on the same rows ${show(best.advantage.mean)} (95 % interval ${show(low)} to ${show(high)})`;
    const measure = metrics.length > 1 ? ` by ${metric}` : "";
    if (low > 0) return `Better${measure} than ${beside}; ${by}.`;
    return high < 0
      ? `Worse${measure} than ${beside}; ${by}. Prefer the simple way, or more data.`
      : `Not distinguishable${measure} from ${beside}; ${by}. Prefer the simple way, more data, or more seeds.`;
  });
  return sentences.length > 0 ? sentences.join(" ") : undefined;
}

function showReport(report: SeedsReport, output: Output): void {
  const verdict = verdictOf(report);
  if (verdict !== undefined) {
    output.prose(verdict, 0, verdict.startsWith("Better") ? "good" : "caution");
    output.line();
  }
  const row = (name: string, measure: string, { mean, low, high }: Interval) => [
    name,
    resultText(measure, mean),
    `${resultText(measure, low)} to ${resultText(measure, high)}`,
  ];
  const columns: readonly Column[] = [
    { head: "Test" },
    { head: "Mean", align: "right" },
    { head: "95 % interval", align: "right" },
  ];
  const rows = [
    ...report.figures
      .filter(({ name }) => !name.includes("."))
      .map((own) => row(own.name.replaceAll("_", " "), own.name, own)),
    ...report.baselines.map((own: BaselineOfSeeds) => {
      const measure = report.baselines.some(({ metric }) => metric !== own.metric) ? `, ${own.metric}` : "";
      return row(`baseline: ${own.name}${measure}`, own.metric, own);
    }),
  ];
  showTable(columns, rows, output);
}
