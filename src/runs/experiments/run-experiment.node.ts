/** One experiment from its first step to its last: each network trained and tested, a report, figures. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { objectOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { leadersData, shareOut } from "../../distributed/shared-work.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { isEncrypted } from "../../storage/encryption/encrypted-folder.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { dropFolder, runFiles, writeRecord } from "../folder/run-folder.node.ts";
import type { OnDownload } from "../recipes/recipe.ts";
import { isLoadedExperiment, loadTrainable } from "../recipes/recipes.node.ts";
import type { RunOptions } from "../recipes/run-options.ts";
import { runOptionsSchema, signalType } from "../recipes/run-options.ts";
import { checkChoices, type GivenSettings, givenSettingsShape, type RecipeChoices } from "../recipes/settings.ts";
import { Interrupted } from "../training/interrupted.ts";
import { loadTask } from "../training/load-task.ts";
import { tellingPlacement } from "../training/placement-note.ts";
import { makePlan, type Plan } from "../training/plan.node.ts";
import { leads } from "../training/ranks.node.ts";
import { type Experiment, type ExperimentTask, type Outcome, runTrial, type Variant } from "./experiment.ts";
import { reportOf } from "./experiment-report.ts";

/** What an experiment reports as it goes, all of which may be left out. */
export interface ExperimentObserver {
  /** As bytes of a data set arrive. */
  readonly onDownload?: OnDownload;
  /** The data is loaded; so many trials are done already. */
  onLoaded?(plan: Plan<Experiment>, task: ExperimentTask, done: number): void;
  /** A trial ended, the `index`-th of so many, from 0. */
  onTrial?(outcome: Outcome, index: number, trials: number): void;
  /** What whoever started the experiment should know. */
  onNote?(note: string): void;
  /** The report and the figures are written. */
  onSaved?(plan: Plan<Experiment>, outcomes: readonly Outcome[], files: readonly string[]): void;
}

/**
 * How an experiment is started and watched:
 * - `out`: the folder; default `runs/NAME`.
 * - `resume`: go on with the experiment in `out`, or with the newest one of that name; default false.
 * - `repeats`: from how many seeds each network is trained; default that of the experiment.
 * - `encryptTo`, `device`, `threads`: as those of `runRecipe`.
 */
export type RunExperimentOptions = Pick<RunOptions, "out" | "resume" | "encryptTo"> &
  Pick<GivenSettings, "device" | "threads" | "repeats"> & {
    /** Ends the experiment after the batch under way when it is aborted; trials that ended are kept. */
    readonly signal?: AbortSignal;
    /** Told of what happens as it goes. */
    readonly observer?: ExperimentObserver;
  };

const { out, resume, encryptTo } = runOptionsSchema.shape;
const where = givenSettingsShape;
const checkOptions = optionsOf<RunExperimentOptions>("runExperiment", {
  out,
  resume,
  encryptTo,
  device: where.device,
  threads: where.threads,
  repeats: where.repeats,
  signal: signalType,
  observer: objectOf("functions that watch the experiment"),
});

/** What became of an experiment. */
export interface ExperimentResult {
  /** The folder with the report and the figures. */
  readonly folder: string;
  /** What became of each network from each seed. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Trains and tests the networks of an experiment, each from several seeds, and writes a report with figures. Throws
 * Interrupted when the signal is aborted, OptionError for settings that make no sense and for a recipe of one network.
 * @param experiment an experiment, the name of a built-in one, or the path of your own
 * @param settings in place of the experiment's defaults
 * @example const { outcomes } = await runExperiment("depth-mnist", { epochs: 1, limit: 1000 }, { repeats: 1 });
 */
export async function runExperiment(
  experiment: Experiment | string,
  settings: RecipeChoices = {},
  runOptions: RunExperimentOptions = {},
): Promise<ExperimentResult> {
  const { signal, observer = {}, device, threads, repeats, ...options } = checkOptions(runOptions);
  checkChoices(settings);
  const loaded = typeof experiment === "string" ? await loadTrainable(experiment) : { recipe: experiment };
  if (!isLoadedExperiment(loaded))
    throw new OptionError(`${loaded.recipe.name} is a recipe of one network; run it by runRecipe`);
  const named = typeof experiment === "string" ? experiment : experiment.name;
  const plan = await makePlan(loaded, named, { given: { ...settings, device, threads, repeats }, ...options });
  return { folder: plan.folder, outcomes: await carryOut(plan, { signal, observer }) };
}

/** Runs what is left of an experiment by plan, and gives its folder back. Every finished trial is kept, also when it is stopped. */
export async function carryOut(
  plan: Plan<Experiment>,
  { signal, observer }: { readonly signal: AbortSignal | undefined; readonly observer: ExperimentObserver },
): Promise<readonly Outcome[]> {
  const { recipe, folder, record, communicator } = plan;
  try {
    const { settings } = record;
    const { task } = await loadTask(settings, (batchSize) =>
      recipe.load({ ...settings, batchSize }, settings.limit, observer.onDownload),
    );
    const outcomes = plan.resumed ? await leadersData(communicator, () => readOutcomes(folder)) : [];
    observer.onLoaded?.(plan, task, outcomes.length);
    if (leads(plan)) await writeRecord(folder, record);
    await runTrials(plan, task, outcomes, signal, observer);
    if (!leads(plan)) return outcomes;
    const figures = recipe.figures(outcomes);
    for (const [name, svg] of Object.entries(figures)) await writeFileAtomic(join(folder, name), `${svg}\n`);
    await writeFileAtomic(join(folder, runFiles.report), reportOf(recipe, outcomes, Object.keys(figures)));
    observer.onSaved?.(plan, outcomes, [runFiles.report, ...Object.keys(figures), runFiles.outcomes]);
    return outcomes;
  } catch (error) {
    if (leads(plan) && !plan.resumed && !existsSync(join(folder, runFiles.outcomes)) && !(error instanceof Interrupted))
      dropFolder(plan.claimed);
    throw error;
  } finally {
    plan.claimed.release();
  }
}

/** Trains what has no outcome yet, all variants from one seed before the next, and adds to `outcomes`. */
async function runTrials(
  plan: Plan<Experiment>,
  task: ExperimentTask,
  outcomes: Outcome[],
  signal: AbortSignal | undefined,
  observer: ExperimentObserver,
): Promise<void> {
  const { folder, record, communicator } = plan;
  const compile = isEncrypted(folder) ? plan.compile : tellingPlacement({ compile: plan.compile, observer });
  const { settings } = record;
  const isDone = ({ series, at }: Variant, seed: number) =>
    outcomes.some((own) => own.series === series && own.at === at && own.seed === seed);
  const seeds = Array.from({ length: settings.repeats ?? 1 }, (_, i) => settings.seed + i);
  const variants = seeds.flatMap((seed) => task.variants.map((variant) => ({ variant, seed })));
  const trials = variants.map((trial, i) => ({ ...trial, i }));
  const left = trials.filter(({ variant, seed }) => !isDone(variant, seed));
  const done = shareOut(communicator, left, ({ variant, seed, i }) => {
    const stopIfAsked = () => {
      if (signal?.aborted) throw new Interrupted(`in trial ${i + 1} of ${trials.length}`, { cause: signal.reason });
    };
    return runTrial(task, variant, {
      settings,
      seed,
      compile,
      callbacks: [{ name: "interruption", onBatch: stopIfAsked, onEpoch: stopIfAsked }],
    });
  });
  for await (const { piece, result: outcome } of done) {
    outcomes.push(outcome);
    if (leads(plan)) await writeFileAtomic(join(folder, runFiles.outcomes), `${JSON.stringify(outcomes)}\n`);
    observer.onTrial?.(outcome, piece.i, trials.length);
  }
}

const results = z.record(
  z.string(),
  z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
);
const outcomesSchema = z.array(
  z.strictObject({
    series: z.string(),
    at: z.number(),
    seed: z.number(),
    parameters: z.number(),
    seconds: z.number(),
    history: z.array(results),
    test: results,
    gradients: z.array(results),
    failure: z.string().optional(),
  }),
);

/** The outcomes of a run so far. Throws FileError when the file is damaged. */
async function readOutcomes(folder: string): Promise<Outcome[]> {
  const path = join(folder, runFiles.outcomes);
  if (!existsSync(path)) return [];
  try {
    return outcomesSchema.parse(parseJson(new TextDecoder().decode(await readBytes(path, "outcomes"))));
  } catch (cause) {
    throw new FileError(`${shownPath(path)} is damaged; remove it to run all trials again`, { cause });
  }
}
