/** The stages of a run, one after the other, from its beginning or from where it stopped. */
import { InternalError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { anyOf } from "../../distributed/communicator.ts";
import { watchLayers } from "../../explain/learning/watch-layers.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { isEncrypted } from "../../storage/encryption/encrypted-folder.node.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import { checkpointBestBy } from "../../train/callbacks/checkpoint.node.ts";
import { checkpointBy } from "../../train/callbacks/checkpoint.ts";
import { encodeCheckpoint } from "../../train/checkpoint.ts";
import type { EpochResult } from "../../train/engine/running-sums.ts";
import { memoryText } from "../../train/engine/step-memory.ts";
import { type FitResult, fit, type Progress, type Run } from "../../train/fit.ts";
import type { FitOptions } from "../../train/fit-options.ts";
import { loadParameters } from "../../train/load-parameters.ts";
import { writeDeployment } from "../folder/deployment.node.ts";
import { epochSeconds, RunLogs } from "../folder/run-logs.node.ts";
import type { Stage, Task } from "../recipes/recipe.ts";
import type { RunSettings } from "../recipes/settings.ts";
import { watchSamples } from "../samples/watch-samples.ts";
import { measuredOf } from "./evaluation.ts";
import { Interrupted } from "./interrupted.ts";
import type { RunObserver, StageStart } from "./observer.ts";
import { tellingPlacement } from "./placement-note.ts";
import { optimizerFor, type Plan } from "./plan.node.ts";
import { leads } from "./ranks.node.ts";
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
  readonly observer: RunObserver;
  readonly signal: AbortSignal | undefined;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Ends the run after so many batches. */
  readonly stopAfter: number | undefined;
}

/** A run whose logs are open. */
type LoggedOptions = StagesOptions & { readonly logs: RunLogs };

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

/** Trains the stages that are left. Throws Interrupted, with the checkpoint written, when the signal is aborted. */
export async function runStages(options: StagesOptions): Promise<StagesResult> {
  const logs = new RunLogs(options.plan.folder);
  // The engine tells where nodes were computed in a file, which nothing encrypts.
  const compile = isEncrypted(options.plan.folder) ? options.compile : tellingPlacement(options);
  try {
    return await runLogged({ ...options, compile, logs });
  } catch (error) {
    // What was told until then; of two errors the first says why.
    await logs.save().catch(() => undefined);
    throw error;
  }
}

async function runLogged(options: LoggedOptions): Promise<StagesResult> {
  const { task, plan, observer, stopAfter } = options;
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
    const start = startOf(task, stages, index);
    observer.onStage?.(start);
    // A run that stops in this stage is whole too.
    if (leads(plan)) await writeDeployment(plan, task);
    const result = await fitStage(options, stages, state, resumed ? progress : progress && entering(task, progress));
    observer.onStageEnd?.(start, provedFrozen(task, stage, state), result.stopReason);
    for (const note of result.notes) observer.onNote?.(note);
    progress = result.progress;
    updateSeconds += result.trainer.updateSeconds;
    if (stopAfter !== undefined && result.trainer.batches >= stopAfter) break;
  }
  return { batches: progress?.trainer.batches ?? 0, updateSeconds, history: progress?.history ?? [] };
}

/**
 * Progress at the beginning of a stage: the epochs before it, and the parameters as the stage's `before` left them. The
 * recipe's own callbacks begin anew, but for what they take up themselves: what ended one stage is no reason to end the next.
 */
function entering({ model, callbacks = [] }: Task, progress: Progress): Progress {
  const own = new Map(callbacks.map((callback) => [callback.name, callback]));
  const values = [...model.parameters()].flatMap(([path, { value }]) => (value ? [[path, value] as const] : []));
  const tensors: Record<string, Tensor> = { ...progress.trainer.tensors, ...Object.fromEntries(values) };
  return {
    ...progress,
    batchInEpoch: 0,
    sums: {},
    trained: undefined,
    callbacks: Object.fromEntries(
      Object.entries(progress.callbacks).flatMap(([name, state]) => {
        const callback = own.get(name);
        const next = callback ? callback.nextStage?.(state) : state;
        return next === undefined ? [] : [[name, next] as const];
      }),
    ),
    trainer: { ...progress.trainer, tensors },
  };
}

async function fitStage(
  options: LoggedOptions,
  stages: readonly Stage[],
  state: StageState,
  progress: Progress | undefined,
): Promise<FitResult> {
  const { task, plan, compile, observer, logs } = options;
  const { record } = plan;
  const epochs = state.from + (stages[state.index]?.epochs ?? 0);
  const later = stages.slice(state.index + 1).reduce((sum, stage) => sum + stage.epochs, 0);
  const callbacks: Callback[] = [
    ...(task.callbacks ?? []),
    stageCallback(state),
    checkpointBestBy((bytes) => logs.keepBest(bytes), monitorOf(task)),
    ...logs.callbacks(),
    ...watching(options),
    ...watchingSamples(options),
    ...(observer.callbacks?.(epochs + later) ?? []),
    ...memoryNote(options),
    ...stopping(options),
    checkpointBy((bytes) => logs.saveWith(bytes), { seconds: options.checkpointSeconds, epochSeconds }),
  ];
  const minimized = {
    ...measuredOf(task),
    ...(task.steps === undefined && { optimizer: optimizerFor(task, record.settings) }),
  };
  const { memory, normalization, sharded, exchange, buckets, precision } = record.settings;
  const parts = partsOf(record.settings);
  const { accumulate = 1 } = task.training ?? {};
  return fit<Batch>(task.model, task.train.inParts(parts), {
    ...minimized,
    epochs,
    callbacks,
    ...(task.validation && { validation: task.validation, ...(task.measures && { measures: task.measures }) }),
    training: {
      seed: record.settings.seed,
      ...task.training,
      accumulate: accumulate * parts,
      ...(memory !== undefined && { memory }),
      compile,
      communicator: plan.communicator,
      normalization,
      sharded,
      exchange,
      buckets,
      precision,
      ...(progress && { resume: progress }),
    },
  } as FitOptions<Batch>);
}

/** In how many parts batches are cut here; those of private training come in parts. */
const partsOf = ({ parts = 1, private: epsilon }: RunSettings): number => (epsilon === undefined ? parts : 1);

/** The result by which the best epoch is known. */
function monitorOf({ validation, steps }: Task): string {
  const loss = steps ? `${Object.keys(steps).at(-1)}_loss` : "loss";
  return validation ? `validation_${loss}` : loss;
}

/** Measures layers, where that is asked for: for the log, and for whoever watches the run. */
function watching({ task, plan, compile: { device, threads }, observer, logs }: LoggedOptions): Callback[] {
  const { watchLayers: every } = plan.record.settings;
  const parts = partsOf(plan.record.settings);
  if (every === undefined) return [];
  const watch = watchLayers<Batch>(task.train.inParts(parts), {
    every,
    compile: { device, threads },
    onMeasured(moment) {
      logs.append({ type: "layers", ...moment });
      observer.onLayers?.(watch.history);
    },
  });
  return [watch];
}

/** Keeps what the model makes of fixed samples, where that is asked for. */
function watchingSamples({ task, plan, compile: { device, threads }, observer, logs }: LoggedOptions): Callback[] {
  const { watchSamples: every, private: epsilon } = plan.record.settings;
  if (every === undefined) return [];
  const watched = watchSamples(task, {
    every,
    compile: { device, threads },
    isPrivate: epsilon !== undefined,
    open: (run) => logs.openSamples(run),
    append: (record) => logs.appendSamples(record),
    onNote: (note) => observer.onNote?.(note),
  });
  return [watched];
}

/** Says after the first batch what the budget of memory came to. */
function memoryNote({ observer }: StagesOptions): Callback[] {
  let isNew = true;
  return [
    {
      name: "memory",
      onBatch({ trainer: { memory } }) {
        if (isNew && memory) observer.onNote?.(memoryText(memory));
        isNew = false;
      },
    },
  ];
}

/** Callbacks that end the run: a signal, which leaves a checkpoint of this very batch, and the end of a profile. */
function stopping({ plan, signal, stopAfter, logs }: LoggedOptions): Callback[] {
  const stopIfAsked = async (run: Run) => {
    // A signal reaches processes at different batches.
    const asked = signal?.aborted ?? false;
    if (!(plan.communicator ? await anyOf(plan.communicator, asked) : asked)) return;
    await run.trainer.sync();
    await run.trainer.gather();
    if (leads(plan)) await logs.saveWith(encodeCheckpoint(run.progress()));
    // Not `run.stop`, after which callbacks may put the best parameters in place of the latest.
    throw new Interrupted(
      `after batch ${run.trainer.batches}, in epoch ${run.epoch + (run.batchInEpoch > 0 ? 1 : 0)}`,
      { cause: signal?.reason },
    );
  };
  return [
    { name: "interruption", onBatch: stopIfAsked, onEpoch: stopIfAsked },
    {
      name: "stopAfter",
      onBatch(run) {
        if (stopAfter !== undefined && run.trainer.batches >= stopAfter)
          run.stop(`${stopAfter} batches are enough for a profile; more epochs take more`);
      },
    },
  ];
}

function startOf({ model }: Task, stages: readonly Stage[], index: number): StageStart {
  const parameters = [...model.parameters().values()]
    .filter(({ isBuffer }) => !isBuffer)
    .reduce((sum, { shape }) => sum + size(shape), 0);
  return { stage: stages[index] as Stage, index, stages: stages.length, frozen: frozenParameters(model), parameters };
}

/** The frozen parameters, none of which moved. Throws InternalError when one did. */
function provedFrozen({ model }: Task, { name }: Stage, state: StageState): readonly string[] {
  const moved = movedParameters(model, state);
  if (moved.length > 0) throw new InternalError(`frozen parameters moved in stage "${name}": ${moved.join(", ")}`);
  return Object.keys(state.frozen);
}
