/** A search of settings as a person sees it: a line for each trial at each rung, then the run with the settings that were found. */
import { resolve } from "node:path";
import { duration, plural, resultText } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import type { Recipe } from "../../runs/recipes/recipe.ts";
import type { Loaded } from "../../runs/recipes/recipes.node.ts";
import { planOfBest, type SearchOptions, searchSettings, settingsNow } from "../../runs/search/search.node.ts";
import { type SearchReport, settingsText, type Trial } from "../../runs/search/search-report.ts";
import { parseSpace } from "../../runs/search/space.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import { leads } from "../../runs/training/ranks.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { encryptOut } from "../encryption.ts";
import { stopOnSignal } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { showDownloads } from "./progress.ts";
import { runTraining } from "./run.ts";

/** What of a search is chosen on the command line. */
export type ShownSearch = Pick<SearchOptions, "trials" | "resume" | "plan" | "checkpointSeconds" | "communicator"> & {
  readonly out: string | undefined;
  /** To whom all files are encrypted. */
  readonly encryptTo: string | undefined;
  /** Ranges as they are written; default those of the recipe. */
  readonly ranges: string | undefined;
  readonly output: Output;
};

/** Searches settings, then trains with the best of them, and shows both. */
export async function showSearch(loaded: Loaded<Recipe>, named: string, options: ShownSearch): Promise<void> {
  const { out, encryptTo, ranges, output, plan, trials, resume, checkpointSeconds, communicator } = options;
  const { name, summary } = loaded.recipe;
  const folder = resolve(out ?? `runs/${name}-search`);
  const space = ranges === undefined ? undefined : parseSpace(ranges, settingsNow(loaded.recipe, plan.given));
  const searching = { folder, trials, space, resume, plan, checkpointSeconds, communicator };
  output.prose(`${name}: ${summary}`, 0, "strong");
  if (leads({ communicator })) await encryptOut(folder, encryptTo);
  const interruption = stopOnSignal(output);
  try {
    const search = await searchSettings(loaded, named, {
      ...searching,
      signal: interruption.signal,
      observer: { onDownload: showDownloads(output) },
      onBegin: (begun) => showBegin(begun, folder, output),
      onTrial: (trial, rung, begun) => showTrial(trial, rung.epochs, begun, output),
    });
    const chosen = search.trials.find(({ number }) => number === search.chosen) as Trial;
    output.record("search", { folder, chosen: chosen.number, settings: chosen.settings });
    output.line();
    output.prose(`Trial ${chosen.number} is trained in full: ${settingsText(chosen)}.`);
    output.line();
    interruption.release();
    const best = await planOfBest(loaded, named, search, searching);
    for (const note of best.notes) output.warn(note);
    await runTraining(best, { output, checkpointSeconds, profile: undefined });
  } catch (error) {
    if (error instanceof Interrupted)
      output.prose(
        `Resume the search: ${command`sardonyx train ${named} --trials ${String(trials)} --resume --out ${shownPath(folder)}`}`,
      );
    throw error;
  } finally {
    interruption.release();
  }
}

function showBegin({ rungs, trials, epochs }: SearchReport, folder: string, output: Output): void {
  const steps = rungs.map((rung) => `${rung.trials} for ${plural(rung.epochs, "epoch")}`);
  output.prose(
    `Search of ${plural(trials.length, "trial")} in ${shownPath(folder)}: ${steps.join(", the best ")}, then the best one for ${plural(epochs, "epoch")}`,
  );
  output.line();
}

function showTrial(trial: Trial, epochs: number, { monitor }: SearchReport, output: Output): void {
  const { number, settings, failed, seconds } = trial;
  const reached = trial.reached.at(-1) ?? Number.NaN;
  output.record("trial", { number, settings, epochs, [monitor]: reached, seconds, ...(failed && { failed }) });
  const result =
    failed === undefined
      ? `${monitor.replaceAll("_", " ")} ${resultText(monitor, reached)}`
      : `came to nothing (${failed})`;
  output.prose(
    `Trial ${number}, ${plural(epochs, "epoch")}: ${result}   ${settingsText(trial)}   ${duration(seconds)}`,
    6,
  );
}
