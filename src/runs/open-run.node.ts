/** A finished or interrupted run opened again: its recipe, its data, its model with the weights that it reached. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { atPlace, FileError } from "../core/errors.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { readBytes } from "../storage/atomic.node.ts";
import { decodeCheckpoint } from "../train/checkpoint.ts";
import type { Progress } from "../train/fit.ts";
import type { Recipe, Task } from "./recipe.ts";
import { loadParameters } from "../train/trainer.ts";
import { toggle } from "../cli/command.ts";
import type { Output } from "../cli/output.ts";
import { loadRecipe } from "./recipes.node.ts";
import {
  findRun,
  type RunRecord,
  type RunSettings,
  readRecord,
  recipeSettings,
  runFiles,
  shown,
} from "./run-folder.node.ts";
import { showDownloads } from "../cli/train/progress.ts";
import { beginStage, parseStage, stageCallbackName } from "./stage.node.ts";

/** The option of every command that opens a run. */
export const bestOption = toggle("use the weights of the best epoch (best.safetensors) instead of the last");

export interface OpenRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly recipe: Recipe;
  readonly task: Task;
  readonly compile: CompileOptions;
}

/** How a run's graphs are compiled. */
export const compileOptions = ({ device, threads }: RunSettings): CompileOptions => ({ device, threads });

/** The progress in a run's checkpoint. Throws FileError naming the file. */
export async function readCheckpoint(folder: string, file: string): Promise<Progress> {
  const path = join(folder, file);
  if (!existsSync(path))
    throw new FileError(
      `${shown(folder)} has no ${file} yet; train on: sardonyx train RECIPE --resume --out ${shown(folder)}`,
    );
  const bytes = await readBytes(path, "checkpoint");
  try {
    return decodeCheckpoint(bytes);
  } catch (error) {
    throw atPlace(shown(path), error);
  }
}

/** Opens a run for evaluation, prediction or export. */
export async function openRun(
  run: string,
  { best = false, output }: { readonly best?: boolean | undefined; readonly output: Output },
): Promise<OpenRun> {
  const folder = findRun(run);
  const record = await readRecord(folder);
  const { recipe } = await loadRecipe(record.recipe.path ?? record.recipe.name);
  const progress = await readCheckpoint(folder, best ? runFiles.best : runFiles.checkpoint);
  const task = await recipe.load(recipeSettings(record.settings), record.settings.limit, showDownloads(output));
  // Up to the stage that the checkpoint is of: a stage may have added layers.
  const { index } = parseStage(progress.callbacks[stageCallbackName]);
  for (const stage of (task.stages ?? [{}]).slice(0, index + 1)) beginStage(task, record.settings.seed, stage);
  // They tell what the run was trained with, such as its words.
  for (const callback of task.callbacks ?? []) callback.restore?.(progress.callbacks[callback.name]);
  loadParameters(task.model, progress.trainer.tensors);
  return { folder, record, recipe, task, compile: compileOptions(record.settings) };
}
