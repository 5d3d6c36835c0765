/** What is about to be trained: recipe, settings and folder, new or taken up again. Changes nothing on disk. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OptionError } from "../core/errors.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { selectBackend } from "../runtime/select.ts";
import type { Progress } from "../train/fit.ts";
import { type Optimizer, optimizerOf } from "../train/optimizers.ts";
import type { Recipe, Task } from "./recipe.ts";
import { compileOptions, readCheckpoint } from "./open-run.node.ts";
import type { Loaded, Trainable } from "./recipes.node.ts";
import { folderForNewRun, newestRun, type RunRecord, readRecord, runFiles, shown } from "./run-folder.node.ts";
import { type GivenSettings, newSettings, resumedSettings } from "./settings.ts";

export interface PlanOptions {
  readonly given: GivenSettings;
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly profile?: boolean | undefined;
}

export interface Plan<R extends Trainable = Recipe> {
  readonly recipe: R;
  /** The recipe as it was named, for commands that are suggested. */
  readonly named: string;
  readonly folder: string;
  readonly record: RunRecord;
  readonly compile: CompileOptions;
  /** Where the run stopped, when it goes on. */
  readonly progress?: Progress;
  /** Whether the run goes on, from a checkpoint or from its start. */
  readonly resumed: boolean;
}

/** Checks everything that can be checked before data is loaded. Throws SardonyxError. */
export async function makePlan<R extends Trainable>(
  loaded: Loaded<R>,
  named: string,
  options: PlanOptions,
  versions: Readonly<Record<string, string>>,
): Promise<Plan<R>> {
  const plan = options.resume
    ? await planResumed(loaded, named, options)
    : planNew(loaded, named, options, { ...versions });
  const { device } = plan.record.settings;
  await selectBackend(device);
  if (options.profile && device !== "cpu")
    throw new OptionError(`--profile needs --device cpu: the engine for "${device}" writes no profiles`);
  return plan;
}

function planNew<R extends Trainable>(
  { recipe, path }: Loaded<R>,
  named: string,
  { given, out, profile = false }: PlanOptions,
  versions: Record<string, string>,
): Plan<R> {
  const settings = newSettings(recipe, given);
  return {
    recipe,
    named,
    folder: folderForNewRun(profile ? `${recipe.name}-profile` : recipe.name, out),
    record: {
      format: "sardonyx-run-1",
      recipe: { name: recipe.name, ...(path !== undefined && { path }) },
      settings,
      versions,
      created: new Date().toISOString(),
      ...(profile && { profile }),
    },
    compile: compileOptions(settings),
    resumed: false,
  };
}

async function planResumed<R extends Trainable>(
  { recipe, path }: Loaded<R>,
  named: string,
  { given, out, profile }: PlanOptions,
): Promise<Plan<R>> {
  if (profile) throw new OptionError("--profile begins a run of its own; leave out --resume");
  const folder = out === undefined ? await newestRun(recipe.name) : resolve(out);
  const saved = await readRecord(folder);
  const same =
    path === undefined ? saved.recipe.name === recipe.name && !saved.recipe.path : saved.recipe.path === path;
  if (!same) {
    const other = saved.recipe.path ?? saved.recipe.name;
    throw new OptionError(
      `${shown(folder)} is a run of ${other}, not of ${named}; resume it with: sardonyx train ${other} --resume --out ${shown(folder)}`,
    );
  }
  const settings = resumedSettings(saved.settings, given);
  // Killed before its first checkpoint, a run begins again.
  const begun = existsSync(join(folder, runFiles.checkpoint));
  return {
    recipe,
    named,
    folder,
    record: { ...saved, settings },
    compile: compileOptions(settings),
    ...(begun && { progress: await readCheckpoint(folder, runFiles.checkpoint) }),
    resumed: true,
  };
}

/** The optimizer of a task. */
export const optimizerFor = ({ schedule, optimizers }: Task, { record: { settings } }: Plan): Optimizer =>
  optimizerOf(settings.optimizer, {
    ...optimizers?.[settings.optimizer],
    learningRate: schedule ?? settings.learningRate,
  });
