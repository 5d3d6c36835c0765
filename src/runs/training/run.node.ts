/** One run from its first step to its last: load, train, test, save. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { objectOf } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { keyOf } from "../../core/random.ts";
import { type Communicator, sameOnAll, together } from "../../distributed/communicator.ts";
import { curvesOf } from "../../draw/curves.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { summarize } from "../../nn/summary.ts";
import { secretKey } from "../../privacy/secret-key.ts";
import { isCard } from "../../runtime/session.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { EpochResult } from "../../train/engine/running-sums.ts";
import { writeDeployment } from "../folder/deployment.node.ts";
import { forgetPrivacyKey, privacyKey } from "../folder/privacy-key.node.ts";
import { dropFolder, runFiles, writeRecord } from "../folder/run-folder.node.ts";
import type { Recipe, Task } from "../recipes/recipe.ts";
import { loadRecipe } from "../recipes/recipes.node.ts";
import { type RunOptions, runOptionsSchema, signalType } from "../recipes/run-options.ts";
import {
  checkChoices,
  type GivenSettings,
  givenSettingsShape,
  type RecipeChoices,
  recipeSettings,
} from "../recipes/settings.ts";
import { type LiveReport, openReport } from "../report/write-report.node.ts";
import { beginWith } from "./begin-with.node.ts";
import { type EvaluationReport, evaluateTask, parseEvaluation } from "./evaluation.ts";
import { Interrupted } from "./interrupted.ts";
import { loadTask } from "./load-task.ts";
import type { RunObserver } from "./observer.ts";
import { chooseParts, partsText } from "./parts.ts";
import { makePlan, type Plan } from "./plan.node.ts";
import { privateTask } from "./private-task.ts";
import { leads, normalizesBatches, requireSameTask } from "./ranks.node.ts";
import { isFinished, runStages } from "./stages.node.ts";

/**
 * How a run is started and watched:
 * - `out`: the folder; default `runs/NAME`.
 * - `resume`: go on with the run in `out`, or with the newest one of the recipe; default false.
 * - `from`: the folder of a run of the same network, with whose parameters a new run begins; its optimizer begins anew. Default those of the recipe.
 * - `encryptTo`: to whom all files of the run are encrypted, in the format of age: `age1…`, a file of such lines, or `passphrase`; default to
 * whom those of the folder are, or nobody.
 * - `checkpointSeconds`: seconds between checkpoints; default 30.
 * - `device`: where to compute; default `"auto"`, see `chooseDevice`. The record of the run has the device that was chosen.
 * - `threads`: threads of one operator; default OMP_NUM_THREADS, or all cores. The record of the run has them, since sums depend on how
 * work is divided.
 */
export type RunRecipeOptions = Omit<RunOptions, "profile"> &
  Pick<GivenSettings, "device" | "threads"> & {
    /** Ends the run after the batch under way when it is aborted, with its checkpoint written. */
    readonly signal?: AbortSignal;
    /** Told of what happens as it goes. */
    readonly observer?: RunObserver;
  };

const { profile: _, ...startTypes } = runOptionsSchema.shape;
/** What the options of a run may be. */
export const runRecipeTypes: OptionTypes<RunRecipeOptions> = {
  ...startTypes,
  device: givenSettingsShape.device,
  threads: givenSettingsShape.threads,
  signal: signalType,
  observer: objectOf("functions that watch the run"),
};
const checkOptions = optionsOf("runRecipe", runRecipeTypes);

/** What became of a run. */
export interface RunResult {
  /** The run's folder, which `openRun` opens. */
  readonly folder: string;
  /** Results of every epoch. */
  readonly history: readonly EpochResult[];
  /** The test of the trained model. */
  readonly evaluation: EvaluationReport;
  /** What whoever started the run should know, with what to do. */
  readonly notes: readonly string[];
}

/**
 * Trains a recipe, tests the model and saves what it learned in a folder. Throws Interrupted when the signal is
 * aborted, OptionError for settings that make no sense, and what loading the data and training throw.
 * @param recipe a recipe, the name of a built-in one, or the path of your own
 * @param settings in place of the recipe's defaults
 * @example
 * const { folder, evaluation } = await runRecipe("lenet-mnist", { epochs: 1, limit: 5000 });
 * const run = await openRun(folder);
 */
export async function runRecipe(
  recipe: Recipe | string,
  settings: RecipeChoices = {},
  runOptions: RunRecipeOptions = {},
): Promise<RunResult> {
  const { signal, observer = {}, device, threads, ...options } = checkOptions(runOptions);
  checkChoices(settings);
  const loaded = typeof recipe === "string" ? await loadRecipe(recipe) : { recipe };
  const named = typeof recipe === "string" ? recipe : recipe.name;
  const plan = await makePlan(loaded, named, { given: { ...settings, device, threads }, ...options });
  return trainPlan(plan, { signal, observer, checkpointSeconds: options.checkpointSeconds });
}

/** Trains by plan, and gives what became of it with its notes. */
export async function trainPlan(
  plan: Plan,
  {
    signal,
    observer,
    checkpointSeconds = 30,
  }: Pick<RunRecipeOptions, "signal" | "checkpointSeconds"> & Pick<TrainOptions, "observer">,
): Promise<RunResult> {
  const notes: string[] = [...plan.notes];
  const watched: RunObserver = {
    ...observer,
    onNote(note) {
      notes.push(note);
      observer.onNote?.(note);
    },
  };
  const { history, evaluation } = await train(plan, { signal, observer: watched, checkpointSeconds });
  return { folder: plan.folder, history, evaluation: evaluation as EvaluationReport, notes };
}

/** How a plan is carried out. */
export interface TrainOptions {
  readonly signal: AbortSignal | undefined;
  readonly observer: RunObserver;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Measures where the time goes in place of a test: the compile options of training, and the batches after which it ends. */
  readonly profile?: { readonly compile: CompileOptions; readonly stopAfter: number | undefined };
  /** Trains on what settings are chosen by, with no test and no report. */
  readonly isTrial?: boolean;
}

/** What training came to; `evaluation` is missing of a profile and of a trial. */
export interface TrainResult {
  readonly batches: number;
  readonly updateSeconds: number;
  readonly history: readonly EpochResult[];
  readonly evaluation: EvaluationReport | undefined;
}

/** Trains by plan, and gives its folder back. Leaves nothing behind when it fails before there is a checkpoint. */
export async function train(plan: Plan, options: TrainOptions): Promise<TrainResult> {
  try {
    return await together(plan.communicator, () => trainClaimed(plan, options));
  } catch (error) {
    if (leads(plan) && !plan.resumed && !existsSync(join(plan.folder, runFiles.checkpoint))) dropFolder(plan.claimed);
    throw error;
  } finally {
    plan.claimed.release();
  }
}

async function trainClaimed(given: Plan, options: TrainOptions): Promise<TrainResult> {
  const { settings } = given.record;
  const { observer, signal, checkpointSeconds, profile, isTrial = false } = options;
  const { recipe, folder, progress, communicator } = given;
  communicator?.doing("loading the data");
  const {
    task: loaded,
    batchSize,
    note,
  } = await loadTask(settings, (batchSize) =>
    recipe.load(recipeSettings({ ...settings, batchSize }), settings.limit, observer.onDownload),
  );
  requireSamplesForAll(batchSize, communicator);
  const whole = isTrial ? asTrial(loaded, recipe) : loaded;
  if (note !== undefined) observer.onNote?.(note);
  if (signal?.aborted) throw new Interrupted("before the first batch", { cause: signal.reason });
  whole.model.trace(whole.inputs);
  whole.model.initialize(keyOf(settings.seed));
  if (given.record.from !== undefined && !given.progress) await beginWith(whole.model, given.record.from);
  const { private: epsilon } = settings;
  // A run that is trained has forgotten its key, and draws nothing more.
  const ownKey = () => (isFinished(whole, given) ? secretKey() : privacyKey(folder, given.progress !== undefined));
  const hidden =
    epsilon === undefined
      ? undefined
      : await privateTask(whole, { ...settings, batchSize }, { epsilon, key: await ownKey() });
  const task = hidden?.task ?? whole;
  for (const own of hidden?.notes ?? []) observer.onNote?.(own);
  await requireSameTask(given, task);
  if (communicator && settings.normalization === undefined && normalizesBatches(task.model))
    observer.onNote?.(
      "batches are normalized over the rows of all processes, as by one; --normalization local takes those of each, which is faster",
    );
  if (settings.precision === "float16" && !isCard(settings.device)) observer.onNote?.(onProcessorText);
  const chosen = given.choosesParts ? await chooseParts(task, settings) : undefined;
  const record = { ...given.record, settings: { ...settings, batchSize, ...(chosen && { parts: chosen.parts }) } };
  const plan = { ...given, record };
  const network = summarize(task.model, task.inputs);
  observer.onLoaded?.(plan, task, network);

  const evaluated = join(folder, runFiles.evaluation);
  if (isFinished(task, plan) && (await sameOnAll(communicator, existsSync(evaluated) ? 1 : 0)) === 1) {
    observer.onFinished?.(plan, progress);
    const evaluation = leads(plan)
      ? parseEvaluation(new TextDecoder().decode(await readBytes(evaluated, "evaluation")), shownPath(evaluated))
      : undefined;
    return { batches: progress?.trainer.batches ?? 0, updateSeconds: 0, history: progress?.history ?? [], evaluation };
  }
  if (chosen) observer.onNote?.(partsText(chosen));
  const stages = { task, plan, signal, checkpointSeconds };
  const untilItsEnd = { compile: plan.compile, stopAfter: undefined };
  // Rank 0 measures, writes and tests.
  if (!leads(plan)) return { ...(await runStages({ ...stages, observer, ...untilItsEnd })), evaluation: undefined };
  // Of a run that is trained on, it would say that all is done when training is and the new test is not.
  await rm(evaluated, { force: true });
  await writeRecord(folder, record);
  if (profile || isTrial) {
    const { compile, stopAfter } = profile ?? untilItsEnd;
    const trained = await runStages({ ...stages, observer, compile, stopAfter });
    if (hidden && isTrial) await forgetPrivacyKey(folder);
    return { ...trained, evaluation: undefined };
  }
  const report = await openReport({ plan, task, network, onNote: (note) => observer.onNote?.(note) });
  await report.begin();
  try {
    const watched = report.watching(observer);
    const trained = await runStages({ ...stages, observer: watched, ...untilItsEnd });
    if (hidden) await forgetPrivacyKey(folder);
    communicator?.doing("testing the trained model");
    if (signal?.aborted) throw new Interrupted("before the test", { cause: signal.reason });
    return { ...trained, evaluation: await finish(plan, task, { history: trained.history, observer, report }) };
  } catch (error) {
    if (existsSync(join(folder, runFiles.checkpoint))) await report.stopped();
    throw error;
  }
}

/** What is told of float16 where no graphics card computes it. */
const onProcessorText =
  "the processor has no products of float16: it computes them in float32, of numbers that are rounded to float16, which shows how the model fares and is slower than float32; --device webgpu or cuda, on a graphics card, is what gains by it";

/** Throws OptionError where a batch has fewer samples than there are processes. */
function requireSamplesForAll(batchSize: number, communicator: Communicator | undefined): void {
  if (communicator && batchSize < communicator.size)
    throw new OptionError(
      `${communicator.size} processes share batches of ${plural(batchSize, "sample")}, so that some have none; pass --batch-size ${communicator.size} or more, or fewer processes`,
    );
}

/** A task with validation data, by which its settings can be chosen. Throws OptionError where it has none. */
function asTrial(task: Task, { name }: Recipe): Task {
  const trial = { ...task, ...task.trial?.() };
  if (trial.validation) return trial;
  throw new OptionError(
    `${name} has no validation data by which settings could be chosen; give its task a \`validation\`, or a \`trial\` that holds a part of the training data back`,
  );
}

/** What a run brings to its end. */
interface Trained {
  readonly history: readonly EpochResult[];
  readonly observer: RunObserver;
  readonly report: LiveReport;
}

/** Tests the trained model and writes what is kept of it. */
async function finish(plan: Plan, task: Task, { history, observer, report }: Trained): Promise<EvaluationReport> {
  const { folder, compile } = plan;
  const evaluation = await evaluateTask(task, compile);
  observer.onEvaluated?.(evaluation);
  const obstacle = await writeDeployment(plan, task);
  const more = (await task.write?.(folder)) ?? [];
  const drawings = { ...curvesOf(history), ...(await task.draw?.(compile)) };
  for (const [name, drawing] of Object.entries(drawings)) await writeFileAtomic(join(folder, name), drawing);
  const reports = await report.finish(evaluation, Object.keys(drawings));
  // Last: it marks the run as complete.
  await writeFileAtomic(join(folder, runFiles.evaluation), `${JSON.stringify(evaluation, null, 2)}\n`);
  const kept = [runFiles.model, runFiles.checkpoint, runFiles.best, runFiles.log, runFiles.tensorboard];
  observer.onSaved?.(plan, task, [...kept, ...more, ...Object.keys(drawings), ...reports], obstacle);
  return evaluation;
}
