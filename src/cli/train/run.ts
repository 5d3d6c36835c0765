/** One run from its first line to its last: load, show, train, test, save, say what to try next. */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { keyOf } from "../../core/random.ts";
import { zerosTensor } from "../../core/tensor.ts";
import { summarize } from "../../nn/summary.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import type { InputFormat, Task } from "../../runs/recipe.ts";
import type { EpochResult } from "../../train/running-sums.ts";
import { evaluateTask, showEvaluation } from "../../runs/evaluation.ts";
import { Interrupted, type Interruption, onInterrupt } from "../interrupt.ts";
import { onnxModel } from "../onnx.ts";
import type { Output } from "../output.ts";
import { packageRoot } from "../../runs/package.node.ts";
import { openFolder, recipeSettings, runFiles, shown, writeRecord } from "../../runs/run-folder.node.ts";
import { count, duration, plural } from "../text.ts";
import { curvesOf } from "../../draw/curves.ts";
import { showLayers } from "./layers.ts";
import type { Plan } from "../../runs/plan.node.ts";
import { profileBatches, profiled, readProfile, showProfile, withUpdates } from "../../runs/profile.node.ts";
import { showDownloads } from "./progress.ts";
import { showSettings } from "../../runs/settings.ts";
import { isFinished, runStages } from "../../runs/stages.node.ts";

export interface RunOptions {
  readonly output: Output;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Measure where the time goes; ends after a few batches when `short`. */
  readonly profile: { readonly short: boolean } | undefined;
}

/** Trains by plan. Leaves nothing behind when it fails before there is a checkpoint. */
export async function runTraining(plan: Plan, options: RunOptions): Promise<void> {
  const { output } = options;
  const interruption = onInterrupt(() => output.warn("\nStopping after this batch; Ctrl-C again stops at once."));
  const began = performance.now();
  const existed = existsSync(plan.folder);
  try {
    await runAll(plan, options, interruption);
    output.record("end", { seconds: (performance.now() - began) / 1000 });
    output.line(`Done in ${duration((performance.now() - began) / 1000)}.`);
  } catch (error) {
    const saved = existsSync(join(plan.folder, runFiles.checkpoint));
    if (!saved && !plan.resumed) {
      await rm(plan.folder, { recursive: true, force: true });
      if (existed) await mkdir(plan.folder);
    }
    if (error instanceof Interrupted) tellStopped(plan, error, saved, output);
    throw error;
  } finally {
    interruption.release();
  }
}

async function runAll(plan: Plan, options: RunOptions, interruption: Interruption): Promise<void> {
  const { output, profile } = options;
  const { recipe, folder, record, progress } = plan;
  const task = await recipe.load(recipeSettings(record.settings), record.settings.limit, showDownloads(output));
  if (interruption.requested) throw new Interrupted("before the first batch");
  announce(plan, task, output);
  const { type, extra = {} } = task.input;
  task.model.trace(type, { extra });
  task.model.initialize(keyOf(record.settings.seed));
  const layers = summarize(task.model, type, { extra });
  showLayers(layers, output);
  output.line();

  const finished = isFinished(task, plan);
  if (finished && existsSync(join(folder, runFiles.evaluation))) {
    output.record("finished", { folder, epochs: progress?.epoch });
    output.line(
      `This run is finished: ${plural(progress?.epoch ?? 0, "epoch")} are done. A larger --epochs trains on.`,
    );
    return;
  }
  openFolder(folder);
  // Of a run that is trained on, it would say that all is done when training is and the new test is not.
  await rm(join(folder, runFiles.evaluation), { force: true });
  await writeRecord(folder, record);
  const profileFolder = join(folder, runFiles.profile);
  const loopBegan = performance.now();
  const { batches, updateSeconds, history } = await runStages({
    ...options,
    task,
    plan,
    interruption,
    compile: profile ? profiled(plan.compile, profileFolder) : plan.compile,
    stopAfter: profile?.short ? profileBatches : undefined,
  });
  if (profile) {
    const types = new Map(layers.layers.map(({ path, type }) => [path, type]));
    const seconds = (performance.now() - loopBegan) / 1000;
    const profileOfRun = withUpdates(readProfile(profileFolder), updateSeconds, batches);
    showProfile(profileOfRun, { batches, types, seconds, folder: profileFolder }, output);
    return;
  }
  if (interruption.requested) throw new Interrupted("before the test");
  await finish(plan, task, history, output);
  suggest(plan, task, output);
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
  output.prose(`${recipe.name}: ${recipe.summary}`);
  const { samples, classes, notes = [] } = task;
  const data = [
    samples && `${count(samples.train)} samples to train on, ${count(samples.test)} to test on`,
    classes && `${classes.length} classes${classes.length <= 12 ? ` (${classes.join(", ")})` : ""}`,
  ].filter(Boolean);
  if (data.length > 0) output.prose(`Data: ${data.join("; ")}`, 6);
  for (const note of notes) output.prose(`      ${note}`, 6);
  output.prose(`Run:  ${showSettings(settings)}`, 6);
  const where = progress && `epoch ${progress.epoch + 1}, batch ${progress.batchInEpoch + 1}`;
  output.line(`      in ${shown(folder)}${resumed ? `, going on from ${where ?? "its beginning"}` : ""}`);
  output.line();
}

/** Tests the trained model and writes what is kept of it. */
async function finish(plan: Plan, task: Task, history: readonly EpochResult[], output: Output): Promise<void> {
  const { folder, recipe, compile } = plan;
  const report = await evaluateTask(task, compile);
  output.line();
  showEvaluation(report, output);
  const { bytes, obstacle } = onnxModel(task, recipe.name);
  await writeFileAtomic(join(folder, runFiles.model), bytes);
  const drawings = { ...curvesOf(history), ...(await task.draw?.(compile)) };
  for (const [name, drawing] of Object.entries(drawings)) await writeFileAtomic(join(folder, name), drawing);
  // Last: it marks the run as complete.
  await writeFileAtomic(join(folder, runFiles.evaluation), `${JSON.stringify(report, null, 2)}\n`);
  const kept = [runFiles.model, runFiles.checkpoint, runFiles.best, runFiles.log, runFiles.tensorboard];
  const files = [...kept, ...Object.keys(drawings)];
  output.record("saved", { folder, files, obstacle });
  output.line();
  output.prose(`Saved in ${shown(folder)}: ${files.join(", ")}`);
  if (obstacle !== undefined) output.prose(`${runFiles.model} takes a batch of 1 only: ${obstacle}`);
}

function suggest({ recipe, folder }: Plan, task: Task, output: Output): void {
  const program = programName();
  const own = [
    task.writer
      ? `sardonyx generate ${shown(folder)} --prompt '${task.writer.prompt}'  text that it writes`
      : `sardonyx predict ${shown(folder)} ${exampleOf(task)}`,
    `sardonyx eval ${shown(folder)}  the test again`,
  ];
  output.line("\nWhat to try next:");
  for (const suggestion of [...own, ...(recipe.next ?? [])]) {
    const [command = "", meaning] = suggestion.split(/\s{2,}/);
    output.line(`  ${command.replace(/^sardonyx\b/, program)}`);
    if (meaning) output.line(`      ${meaning}`);
  }
  output.line();
}

/** An argument of `predict`, and what it is. */
function exampleOf({ dialogue, deployed, input: own }: Task): string {
  if (dialogue) return `'${dialogue.example}'  ${dialogue.what}`;
  const input = deployed?.input ?? own;
  return input.image ? "INPUT  a PNG or JPEG file" : `'${exampleInput(input)}'  numbers as JSON`;
}

/** Zeros in the shape of one input. */
function exampleInput({ type: { shape } }: InputFormat): string {
  const sample = zerosTensor("float32", shape.slice(1));
  return sample.data.length <= 8 ? JSON.stringify(sample.toArray()) : "INPUT.json";
}

/** How this program is called from here: a dependency by npx, a clone by its path. */
function programName(): string {
  if (packageRoot.split(sep).includes("node_modules")) return "npx sardonyx";
  return `node ${join(relative(process.cwd(), packageRoot), "bin", "sardonyx.mjs")}`;
}

function tellStopped(
  { folder, named, progress }: Plan,
  { message }: Interrupted,
  saved: boolean,
  output: Output,
): void {
  output.record("stopped", { where: message, folder, saved, resumedFrom: progress?.epoch });
  const mend = `go on: ${programName()} train ${named} --resume --out ${shown(folder)}`;
  output.line(`Stopped ${message}. ${saved ? `Saved in ${shown(folder)};\n${mend}` : "Nothing was to be saved."}`);
}
