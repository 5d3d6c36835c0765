/** The stages of a run, one after the other, from its beginning or from where it stopped. */
import { join } from "node:path";
import { InternalError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { writeFileAtomic } from "../storage/atomic.node.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { checkpoint, checkpointBest, jsonLog, tensorBoard } from "../train/callbacks/checkpoint.node.ts";
import { encodeCheckpoint } from "../train/checkpoint.ts";
import { type FitResult, fit, type Progress, type Run } from "../train/fit.ts";
import type { Stage, Task } from "./recipe.ts";
import type { EpochResult } from "../train/running-sums.ts";
import { loadParameters } from "../train/trainer.ts";
import { Interrupted, type Interruption } from "../cli/interrupt.ts";
import type { Output } from "../cli/output.ts";
import { runFiles } from "./run-folder.node.ts";
import { count, plural } from "../cli/text.ts";
import { optimizerFor, type Plan } from "./plan.node.ts";
import { showProgress } from "../cli/train/progress.ts";
import {
  beginStage,
  digestFrozen,
  frozenParameters,
  movedParameters,
  parseStage,
  type StageState,
  stageCallback,
  stageCallbackName,
} from "./stage.node.ts";

export interface StagesOptions {
  readonly task: Task;
  readonly plan: Plan;
  readonly compile: CompileOptions;
  readonly output: Output;
  readonly interruption: Interruption;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Ends the run after so many batches. */
  readonly stopAfter: number | undefined;
}

/** The stages of a task: its own, or one of all epochs. */
const stagesOf = (task: Task, { record: { settings } }: Plan): readonly Stage[] =>
  task.stages ?? [{ name: "all layers", epochs: settings.epochs }];

/** The stage in which a run stopped. */
const stageOf = (progress: Progress): StageState => parseStage(progress.callbacks[stageCallbackName]);

/** Whether a run has nothing left to train. */
export function isFinished(task: Task, plan: Plan): boolean {
  if (!plan.progress) return false;
  const stage = stageOf(plan.progress);
  return isOver(stage, plan) && stage.index === stagesOf(task, plan).length - 1;
}

/** Whether a stage ran to its end, and no more epochs were asked for since. */
const isOver = ({ done, planned }: StageState, { record: { settings } }: Plan) => done && settings.epochs <= planned;

export interface StagesResult {
  /** Batches that the run has seen. */
  readonly batches: number;
  /** Seconds that the updates took. */
  readonly updateSeconds: number;
  /** Results of every epoch. */
  readonly history: readonly EpochResult[];
}

/**
 * Trains the stages that are left. Throws Interrupted, with the checkpoint written, when it is asked to stop.
 */
export async function runStages(options: StagesOptions): Promise<StagesResult> {
  const { task, plan, output, stopAfter } = options;
  const stages = stagesOf(task, plan);
  const at = plan.progress && stageOf(plan.progress);
  let { progress } = plan;
  let updateSeconds = 0;
  for (const [index, stage] of stages.entries()) {
    beginStage(task, plan.record.settings.seed, stage);
    const resumed = at?.index === index;
    if (resumed && progress) loadParameters(task.model, progress.trainer.tensors);
    if (at && (index < at.index || (resumed && isOver(at, plan)))) continue;
    const state: StageState = resumed
      ? { ...at, done: false, planned: plan.record.settings.epochs }
      : {
          index,
          from: progress?.epoch ?? 0,
          done: false,
          planned: plan.record.settings.epochs,
          frozen: digestFrozen(task.model),
        };
    announceStage(options, stages, state);
    const result = await fitStage(options, stages, state, resumed ? progress : progress && entering(task, progress));
    proveFrozen(options, stages, state);
    progress = result.progress;
    updateSeconds += result.trainer.updateSeconds;
    if (result.stopReason !== undefined) output.prose(`Stopped: ${result.stopReason}.`);
    if (stopAfter !== undefined && result.trainer.batches >= stopAfter) break;
  }
  return { batches: progress?.trainer.batches ?? 0, updateSeconds, history: progress?.history ?? [] };
}

/**
 * Progress at the beginning of a stage: the epochs before it, and the parameters as the stage's `before` left them. The
 * recipe's own callbacks begin anew: what ended one stage is no reason to end the next.
 */
function entering({ model, callbacks = [] }: Task, progress: Progress): Progress {
  const own = new Set(callbacks.map(({ name }) => name));
  const values = [...model.parameters()].flatMap(([path, { value }]) => (value ? [[path, value] as const] : []));
  const tensors: Record<string, Tensor> = { ...progress.trainer.tensors, ...Object.fromEntries(values) };
  return {
    ...progress,
    batchInEpoch: 0,
    sums: { loss: 0, samples: 0, statistics: [] },
    callbacks: Object.fromEntries(Object.entries(progress.callbacks).filter(([name]) => !own.has(name))),
    trainer: { ...progress.trainer, tensors },
  };
}

async function fitStage(
  options: StagesOptions,
  stages: readonly Stage[],
  state: StageState,
  progress: Progress | undefined,
): Promise<FitResult> {
  const { task, plan, compile, output } = options;
  const { folder, record } = plan;
  const epochs = state.from + (stages[state.index]?.epochs ?? 0);
  const later = stages.slice(state.index + 1).reduce((sum, stage) => sum + stage.epochs, 0);
  const display = showProgress({ output, totalEpochs: epochs + later });
  const callbacks: Callback[] = [
    ...(task.callbacks ?? []),
    stageCallback(state),
    checkpointBest(join(folder, runFiles.best), task.validation ? "validation_loss" : "loss"),
    jsonLog(join(folder, runFiles.log)),
    tensorBoard(join(folder, runFiles.tensorboard)),
    display,
    ...stopping(options),
    checkpoint(join(folder, runFiles.checkpoint), { seconds: options.checkpointSeconds }),
  ];
  try {
    const result = await fit(task.model, task.train, {
      loss: task.loss,
      optimizer: optimizerFor(task, plan),
      epochs,
      metrics: task.metrics,
      callbacks,
      ...(task.validation && { validation: task.validation }),
      training: {
        seed: record.settings.seed,
        ...task.training,
        compile,
        ...(progress && { resume: progress }),
      },
    });
    if (compile.profilePrefix !== undefined) result.trainer.endProfiling();
    return result;
  } finally {
    display.close();
  }
}

/** Callbacks that end the run: Ctrl-C, which leaves a checkpoint of this very batch, and the end of a profile. */
function stopping({ plan, interruption, stopAfter }: StagesOptions): Callback[] {
  const stopIfAsked = async (run: Run) => {
    if (!interruption.requested) return;
    const bytes = encodeCheckpoint(run.progress());
    await writeFileAtomic(join(plan.folder, runFiles.checkpoint), bytes);
    // Not `run.stop`, after which callbacks may put the best parameters in place of the latest.
    throw new Interrupted(`after batch ${run.trainer.batches}, in epoch ${run.epoch + (run.batchInEpoch > 0 ? 1 : 0)}`);
  };
  return [
    { name: "interruption", onBatch: stopIfAsked, onEpoch: stopIfAsked },
    {
      name: "stopAfter",
      onBatch(run) {
        if (stopAfter !== undefined && run.trainer.batches >= stopAfter)
          run.stop(`${stopAfter} batches are enough for a profile; --epochs N takes more`);
      },
    },
  ];
}

/** Names the stage and what it does not train; nothing for a run of one stage that trains everything. */
function announceStage({ task: { model }, output }: StagesOptions, stages: readonly Stage[], state: StageState): void {
  const stage = stages[state.index];
  const frozen = frozenParameters(model);
  const elements = [...frozen.values()].reduce((sum, own) => sum + own, 0);
  output.record("stage", {
    stage: state.index + 1,
    stages: stages.length,
    name: stage?.name,
    epochs: stage?.epochs,
    frozen: [...frozen.keys()],
    frozenElements: elements,
  });
  if (stages.length === 1 && frozen.size === 0) return;
  output.line(`Stage ${state.index + 1} of ${stages.length}: ${stage?.name}, ${plural(stage?.epochs ?? 0, "epoch")}`);
  if (frozen.size === 0) return;
  const total = [...model.parameters().values()]
    .filter(({ isBuffer }) => !isBuffer)
    .reduce((sum, { shape }) => sum + size(shape), 0);
  output.prose(`Not trained: ${listed([...frozen.keys()])} (${count(elements)} of ${count(total)} parameters)`);
}

const listed = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

/** Says that the frozen parameters did not move. Throws InternalError when one did. */
function proveFrozen({ task: { model }, output }: StagesOptions, stages: readonly Stage[], state: StageState): void {
  const paths = Object.keys(state.frozen);
  if (paths.length === 0) return;
  const moved = movedParameters(model, state);
  output.record("frozen", { stage: state.index + 1, name: stages[state.index]?.name, parameters: paths, moved });
  if (moved.length > 0)
    throw new InternalError(`frozen parameters moved in stage "${stages[state.index]?.name}": ${moved.join(", ")}`);
  output.prose(`Did not move, bit for bit, since the stage began: ${listed(paths)} (equal SHA-256 of their bytes)`);
}
