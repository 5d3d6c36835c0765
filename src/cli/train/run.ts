/** One run as a person sees it: what is trained, how far it is, its outcome, what to try next. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { count, duration, plural } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import type { ModelSummary } from "../../nn/summary.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import type { Task } from "../../runs/recipes/recipe.ts";
import { programName, usageOf } from "../../runs/report/usage.node.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import type { RunObserver, StageStart } from "../../runs/training/observer.ts";
import type { Plan } from "../../runs/training/plan.node.ts";
import { profileBatches, profiled, readProfile, withUpdates } from "../../runs/training/profile.node.ts";
import { type TrainResult, train } from "../../runs/training/run.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { toggle } from "../command.ts";
import { showEvaluation } from "../evaluation.ts";
import { stopOnSignal } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { showLayers } from "./layers.ts";
import { showDownloads, showProgress } from "./progress.ts";
import { showSettings } from "./settings-text.ts";
import { showProfile } from "./show-profile.ts";

/** The option of commands that train one run. */
export const curvesOption = toggle("draw the loss and the first figure by epoch on the terminal, as the run goes");

export interface RunOptions {
  readonly output: Output;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Draw the curves; default false. */
  readonly curves?: boolean | undefined;
  /** Measure where the time goes; ends after a few batches when `short`. */
  readonly profile: { readonly short: boolean } | undefined;
}

/** Trains by plan, and shows it. */
export async function runTraining(
  plan: Plan,
  { output, checkpointSeconds, curves = false, profile }: RunOptions,
): Promise<void> {
  const interruption = stopOnSignal(output);
  const began = performance.now();
  const folder = join(plan.folder, runFiles.profile);
  const { observer, close, layers } = shownRun(plan, output, curves);
  try {
    const result = await train(plan, {
      signal: interruption.signal,
      observer,
      checkpointSeconds,
      ...(profile && {
        profile: {
          compile: profiled(plan.compile, folder),
          stopAfter: profile.short ? profileBatches : undefined,
        },
      }),
    });
    const seconds = (performance.now() - began) / 1000;
    if (profile) showProfileOf(result, { folder, seconds, layers: layers() }, output);
    output.record("end", { seconds });
    output.line(`Done in ${duration(seconds)}.`);
  } catch (error) {
    close();
    if (error instanceof Interrupted) showStopped(plan, error, output);
    throw error;
  } finally {
    interruption.release();
  }
}

/** What shows a run on an output; `close` takes a bar away that is still there. */
function shownRun(plan: Plan, output: Output, curves: boolean) {
  let summary: ModelSummary | undefined;
  let bar: ReturnType<typeof showProgress> | undefined;
  const observer: RunObserver = {
    onDownload: showDownloads(output),
    onNote(note) {
      output.record("note", { note });
      output.prose(`Note: ${note}.`, 0, "soft");
    },
    onLoaded(loaded, task, network) {
      summary = network;
      announce(loaded, task, output);
      showLayers(network, output);
      output.line();
    },
    onFinished(_, progress) {
      output.record("finished", { folder: plan.folder, epochs: progress?.epoch });
      output.line(
        `This run is finished after ${plural(progress?.epoch ?? 0, "epoch")}. Pass a larger --epochs to train on.`,
      );
    },
    onStage: (start) => showStage(start, output),
    callbacks(totalEpochs) {
      bar = showProgress({ output, totalEpochs, curves });
      return [bar];
    },
    onStageEnd({ index, stage: { name } }, frozen, stopReason) {
      bar?.close();
      if (frozen.length > 0) {
        output.record("frozen", { stage: index + 1, name, parameters: frozen });
        output.prose(
          `Did not move, bit for bit, since the stage began: ${listed(frozen)} (equal SHA-256 of their bytes)`,
        );
      }
      if (stopReason !== undefined) output.prose(`Stopped: ${stopReason}.`);
    },
    onEvaluated(report) {
      output.line();
      showEvaluation(report, output);
    },
    onSaved(_, task, files, obstacle) {
      output.record("saved", { folder: plan.folder, files, obstacle });
      output.line();
      output.prose(`Saved in ${shownPath(plan.folder)}: ${files.join(", ")}`);
      if (obstacle !== undefined) output.prose(`${runFiles.model} takes a batch of 1 only: ${obstacle}`);
      suggest(plan, task, output);
    },
  };
  return { observer, close: () => bar?.close(), layers: () => summary };
}

function showProfileOf(
  { batches, updateSeconds }: TrainResult,
  of: { readonly folder: string; readonly seconds: number; readonly layers: ModelSummary | undefined },
  output: Output,
): void {
  const { folder, seconds, layers } = of;
  const types = new Map((layers?.layers ?? []).map(({ path, type }) => [path, type]));
  showProfile(withUpdates(readProfile(folder), updateSeconds, batches), { batches, types, seconds, folder }, output);
}

/** What is trained, on what, with what. */
function announce({ recipe, record, folder, resumed, progress }: Plan, task: Task, output: Output): void {
  const { settings } = record;
  output.record("start", {
    recipe: recipe.name,
    settings,
    samples: task.samples,
    batchesPerEpoch: task.train.length,
    classes: task.classes,
    notes: task.notes,
    folder,
    resumedFrom: progress && { epoch: progress.epoch, batchInEpoch: progress.batchInEpoch },
  });
  output.prose(`${recipe.name}: ${recipe.summary}`, 0, "strong");
  const { samples, classes, notes = [] } = task;
  const data = [
    samples && `${plural(samples.train, "sample")} to train on, ${count(samples.test)} to test on`,
    classes && `${plural(classes.length, "class", "classes")}${classes.length <= 12 ? ` (${classes.join(", ")})` : ""}`,
  ].filter(Boolean);
  if (data.length > 0) output.prose(`Data: ${data.join("; ")}`, 6);
  for (const note of notes) output.prose(`      ${note}`, 6);
  output.prose(`Run:  ${showSettings(settings)}`, 6);
  const where = progress && `epoch ${progress.epoch + 1}, batch ${progress.batchInEpoch + 1}`;
  output.line(`      in ${shownPath(folder)}${resumed ? `, resuming from ${where ?? "its beginning"}` : ""}`);
  output.line();
}

/** Names the stage and what it does not train; nothing for a run of one stage that trains everything. */
function showStage({ stage, index, stages, frozen, parameters }: StageStart, output: Output): void {
  const elements = [...frozen.values()].reduce((sum, own) => sum + own, 0);
  output.record("stage", {
    stage: index + 1,
    stages,
    name: stage.name,
    epochs: stage.epochs,
    frozen: [...frozen.keys()],
    frozenElements: elements,
  });
  if (stages === 1 && frozen.size === 0) return;
  output.line(`Stage ${index + 1} of ${stages}: ${stage.name}, ${plural(stage.epochs, "epoch")}`);
  if (frozen.size === 0) return;
  output.prose(`Not trained: ${listed([...frozen.keys()])} (${count(elements)} of ${plural(parameters, "parameter")})`);
}

const listed = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

function suggest(plan: Plan, task: Task, output: Output): void {
  output.line("\nWhat to try next:");
  for (const { command: line, meaning } of usageOf(plan, task)) {
    output.line(`  ${line}`);
    if (meaning) output.line(`      ${meaning}`);
  }
  output.line();
}

function showStopped({ folder, named, progress }: Plan, { message }: Interrupted, output: Output): void {
  const saved = existsSync(join(folder, runFiles.checkpoint));
  output.record("stopped", { where: message, folder, saved, resumedFrom: progress?.epoch });
  const mend = `resume: ${programName()} ${command`train ${named} --resume --out ${shownPath(folder)}`}`;
  output.line(
    `Stopped ${message}. ${saved ? `Saved in ${shownPath(folder)};\n${mend}` : "There was nothing to save."}`,
  );
}
