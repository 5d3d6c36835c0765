/** The training loop. */

import { atPlace, DataError, FileError, NonFiniteError, OptionError, SardonyxError } from "../core/errors.ts";
import { append, least } from "../core/lists.ts";
import { plural } from "../core/number-text.ts";
import { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import { anyOf, type Communicator, sameOnAll, together } from "../distributed/communicator.ts";
import { resolveDevice } from "../jit/auto-device.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Callback } from "./callbacks/callback.ts";
import { putParameters, type SavedParameters, saveParameters } from "./callbacks/saved-parameters.ts";
import { withoutRowsOfOthers } from "./engine/ranks.ts";
import { type EpochResult, RunningSums, resultNames, type SavedSums } from "./engine/running-sums.ts";
import { type StepResult, type Trained, Trainer, type TrainerState } from "./engine/trainer.ts";
import { Evaluator } from "./evaluate.ts";
import { Feed } from "./feed.ts";
import { checkFit, type FitOptions } from "./fit-options.ts";
import { requireFinite } from "./load-parameters.ts";
import type { Measure } from "./metrics/measure.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** What defines an optimizer, for checkpoints. */
export type SavedOptimizer = Pick<Optimizer, "name" | "settings">;

/** How far a run has come; enough to go on exactly. */
export interface Progress {
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches of the next epoch that are done. */
  readonly batchInEpoch: number;
  /** Results of the epochs that are completed. */
  readonly history: readonly EpochResult[];
  /** Sums of the epoch that is under way. */
  readonly sums: SavedSums;
  /** Parameters, and what optimizers and transforms remember. */
  readonly trainer: TrainerState;
  /** Which optimizers made it; others cannot go on. */
  readonly optimizers: readonly SavedOptimizer[];
  /** What each callback asked to remember, by its name. */
  readonly callbacks: Readonly<Record<string, unknown>>;
  /** The parameters and buffers to train on from, where the model was given others at its end (see Callback.deliver). */
  readonly trained?: SavedParameters | undefined;
}

/** A run as its callbacks see it. */
export interface Run {
  /** The model under training. */
  readonly model: AnyModule;
  /** What makes the steps. */
  readonly trainer: Trainer<never>;
  /** Epochs that the run is to have. */
  readonly epochs: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches done in this epoch. */
  readonly batchInEpoch: number;
  /** Batches in an epoch, if the data knows. */
  readonly batchesPerEpoch: number | undefined;
  /** Results of the epochs that are completed. */
  readonly history: readonly EpochResult[];
  /** Names of an epoch's results; those of figures that an objective gives are known from the first batch on. */
  readonly resultNames: readonly string[];
  /** Those of them that measures of the validation data give: `validation_mAP`. */
  readonly measuredNames: readonly string[];
  /** Whether more ("up") or less ("down") is better of a result; one of validation data has the prefix `validation_` or not. */
  directionOf(result: string): "up" | "down";
  /** Mean loss and figures of this epoch so far. */
  current(): EpochResult;
  /** Ends the run after the batch under way. */
  stop(reason: string): void;
  /** What `stop` was called with; `undefined` while the run goes on. */
  readonly stopReason: string | undefined;
  /** Everything needed to go on from here. @param delivered what the model is to hold instead of what is trained */
  progress(delivered?: SavedParameters): Progress;
}

/** What became of a run of `fit`. */
export interface FitResult {
  /** Where the run ended. */
  readonly progress: Progress;
  /** Results of each epoch: mean loss and figures, those of validation data under `validation_…`. */
  readonly history: readonly EpochResult[];
  /** The trainer that made the steps, with the optimizer's state. */
  readonly trainer: Trainer<never>;
  /** Why the run ended before its last epoch; `undefined` where it did not. */
  readonly stopReason: string | undefined;
  /** What whoever started the run should know, with what to do. */
  readonly notes: readonly string[];
}

/**
 * Trains a model, or models by name that an objective applies, for `epochs` passes over the data; parameters come into
 * being with the first batch, unless they are there. Gives the results of every epoch, and why the run ended early if
 * it did. Throws OptionError for options that make no sense, DataError for data without a batch or with a tensor that
 * nothing reads, NonFiniteError when the loss or a gradient is no longer a number, and what tracing throws.
 * @example
 * const { history } = await fit(model, train, {
 *   loss: crossEntropy(),
 *   optimizer: adam(),
 *   epochs: 3,
 *   metrics: [accuracy()],
 *   validation: test,
 * });
 * console.log(history.at(-1)?.validation_accuracy);
 */
export async function fit<B extends Batch>(
  model: AnyModule | Readonly<Record<string, AnyModule>>,
  data: Dataset<B>,
  options: FitOptions<B>,
): Promise<FitResult> {
  checkFit(options);
  const { communicator } = options.training ?? {};
  const placed = await withDevice(options);
  return together(communicator, () => fitTogether(model, data, placed));
}

/** The options with the device that `auto` stands for. */
async function withDevice<B extends Batch>(options: FitOptions<B>): Promise<FitOptions<B>> {
  const { training } = options;
  if (training?.compile?.device !== "auto") return options;
  const compile = { ...training.compile, device: await resolveDevice("auto") };
  return { ...options, training: { ...training, compile } };
}

async function fitTogether<B extends Batch>(
  model: AnyModule | Readonly<Record<string, AnyModule>>,
  data: Dataset<B>,
  options: FitOptions<B>,
): Promise<FitResult> {
  const { epochs, callbacks: all = [], validation, measures = [], training = {}, ...trained } = options;
  const { communicator } = training;
  const callbacks = all.filter(({ leads = false }) => !leads || (communicator?.rank ?? 0) === 0);
  requireDistinctStates(callbacks);
  if (measures.length > 0 && !validation)
    throw new OptionError(
      `fit(): "${measures[0]?.name}" is measured with the validation data, and there are none; pass validation: a dataset`,
    );
  const { resume, ...settings } = training;
  const trainer = new Trainer<B>(model, { ...(trained as Trained<B>), training: settings });
  const notes: string[] = [];
  const feed = new Feed(
    trainer,
    withoutRowsOfOthers(data, communicator),
    epochs - (resume?.epoch ?? 0),
    settings.cache,
  );
  if (resume) {
    requireSameOptimizers(resume.optimizers, trainer.optimizers);
    trainer.restore(resume.trainer);
    for await (const batch of data.epoch(0)) {
      await trainer.prepare(batch);
      break;
    }
  }
  const begun = { skipped: trainer.skipped, batches: trainer.batches };
  const { device, threads } = training.compile ?? {};
  // Not profiled: profiles are of training.
  const evaluator =
    validation &&
    new Evaluator<B>(trainer.model, trained as Trained<B>, {
      compile: { device, threads },
      cache: settings.cache ?? {},
      sessions: settings.sessions,
      sessionBytes: settings.sessionBytes,
      communicator,
    });
  const run = new RunState(trainer, data, { epochs, callbacks, evaluator, measures, resume, communicator });
  try {
    run.goOn();
    for (const callback of callbacks) takeUp(callback, resume?.callbacks[callback.name]);
    for (const callback of callbacks) await callback.onStart?.(run);
    await run.agree();
    while (run.epoch < epochs && run.stopReason === undefined) {
      for await (const step of feed.steps(run.epoch, run.batchInEpoch)) {
        communicator?.doing(`computing batch ${run.batchInEpoch + 1} of epoch ${run.epoch + 1}`);
        const result = await step().catch((error: unknown) => {
          throw error instanceof NonFiniteError ? atPlace(`epoch ${run.epoch + 1}`, error) : error;
        });
        run.record(result);
        if (
          communicator &&
          (await anyOf(
            communicator,
            callbacks.some((callback) => callback.saves?.(run)),
          ))
        )
          await trainer.gather();
        for (const callback of callbacks) await callback.onBatch?.(run, result);
        await run.agree();
        if (run.stopReason !== undefined) break;
        communicator?.doing(`reading batch ${run.batchInEpoch + 1} of epoch ${run.epoch + 1}`);
      }
      communicator?.doing(`measuring epoch ${run.epoch + 1}`);
      if (run.stopReason !== undefined && !run.epochIsWhole) {
        await trainer.sync();
        requireTrained(trainer);
        break;
      }
      if (run.batchInEpoch === 0) throw new DataError("the dataset gave no batch; check its files and filters");
      await trainer.flush();
      await trainer.sync();
      requireTrained(trainer);
      const measure = async () => {
        const { results } = validation && evaluator ? await evaluator.run(validation) : { results: {} };
        const more: [string, number][] = [];
        for (const own of measures)
          more.push([own.name, await sameOnAll(communicator, await own.measure({ device, threads }))]);
        return { results: { ...results, ...Object.fromEntries(more) } };
      };
      await trainer.gather();
      const held = validation ? await validated(run, callbacks, measure) : {};
      const epoch = run.endEpoch(held);
      for (const callback of callbacks) await callback.onEpoch?.(run, epoch);
      await run.agree();
    }
    await trainer.gather();
    // The best have the last word.
    for (const keepsBest of [false, true])
      for (const callback of callbacks)
        if ((callback.keepsBest ?? false) === keepsBest) run.deliver(callback.deliver?.(run));
    for (const callback of callbacks) await callback.onEnd?.(run);
    append(notes, feed.notes());
    append(notes, skippedNotes(trainer, begun));
    for (const callback of callbacks) append(notes, callback.notes?.() ?? []);
  } finally {
    feed.close();
    await evaluator?.release();
    await trainer.release();
  }
  return {
    history: run.history,
    trainer: run.trainer,
    stopReason: run.stopReason,
    progress: run.progress(),
    notes: [...notes, ...(callbacks.some(({ keepsBest }) => keepsBest) ? [] : worseThanBest(run.history))],
  };
}

/** The results on validation data, measured inside what callbacks put around it. */
async function validated(
  run: Run,
  callbacks: readonly Callback[],
  measure: () => Promise<{ readonly results: EpochResult }>,
): Promise<EpochResult> {
  let results: EpochResult = {};
  const innermost = async () => {
    for (const callback of callbacks) await callback.onValidation?.(run);
    ({ results } = await measure());
  };
  const around = callbacks.reduceRight<() => Promise<void>>(
    (inner, callback) => (callback.aroundValidation ? async () => callback.aroundValidation?.(run, inner) : inner),
    innermost,
  );
  await around();
  return results;
}

/** What to know of a run in float16 whose gradients overflowed. */
function skippedNotes(
  { skipped, batches }: Pick<Trainer, "skipped" | "batches">,
  begun: { readonly skipped: number; readonly batches: number },
): readonly string[] {
  const count = skipped - begun.skipped;
  if (count === 0) return [];
  return [
    `${count} of ${plural(batches - begun.batches, "batch", "batches")} made no update, since their gradients overflowed float16 at the loss scale that they had; a few are usual, as the scale finds its place, and many say that the run is better computed in float32 (precision)`,
  ];
}

/** What to know of a run whose last epoch is worse than an earlier one. */
function worseThanBest(history: readonly EpochResult[]): readonly string[] {
  const name = "validation_loss";
  const losses = history.map((results) => results[name] ?? Number.NaN);
  const last = losses.at(-1);
  const best = least(losses.filter(Number.isFinite));
  if (last === undefined || !(best < last || (Number.isNaN(last) && Number.isFinite(best)))) return [];
  const show = (loss: number) => String(Number(loss.toPrecision(4)));
  return [
    `the run ended with a ${name} of ${show(last)}, and had ${show(best)} after epoch ${losses.indexOf(best) + 1} of ${losses.length}: it overfits from there on; train for fewer epochs, or pass callbacks: [earlyStopping()], which goes back to the best`,
  ];
}

/** Throws OptionError unless a run goes on with the optimizers that it began with; rates may change. */
function requireSameOptimizers(saved: readonly SavedOptimizer[], own: readonly Optimizer[]): void {
  const describe = (list: readonly SavedOptimizer[]) =>
    list.map(({ name, settings }) => `${name} ${JSON.stringify(settings)}`).join(" and ");
  if (describe(saved) !== describe(own))
    throw new OptionError(
      `the run to resume was trained with ${describe(saved)}, this one has ${describe(own)}; resume with the same optimizer`,
    );
}

/** Throws NonFiniteError where the last update left a parameter that is no number, which no later step finds. */
function requireTrained({ model, batches }: Pick<Trainer, "model" | "batches">): void {
  requireFinite(
    model,
    `the update of batch ${batches} made it so; lower the learning rate, or clip the gradient (clipNorm)`,
  );
}

/** Gives a callback the state that it was saved with. Throws FileError for one that it cannot have saved. */
function takeUp(callback: Callback, saved: unknown): void {
  try {
    callback.restore?.(saved);
  } catch (cause) {
    if (cause instanceof SardonyxError) throw cause;
    throw new FileError(
      `what the checkpoint holds of the callback "${callback.name}" is damaged; go back to an earlier checkpoint`,
      { cause },
    );
  }
}

/** Throws OptionError when a checkpoint could not tell the states of two callbacks apart. */
function requireDistinctStates(callbacks: readonly Callback[]): void {
  const names = callbacks.filter(({ state }) => state).map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new OptionError(
      `two callbacks are named "${repeated}", under which their state is saved; rename one: { ...callback, name: "other" }`,
    );
}

/** The mutable record behind a Run. */
class RunState implements Run {
  readonly trainer: Trainer<never>;
  readonly epochs: number;
  readonly batchesPerEpoch: number | undefined;
  readonly history: EpochResult[];
  epoch: number;
  batchInEpoch: number;
  stopReason: string | undefined;
  readonly #callbacks: readonly Callback[];
  readonly #evaluator: Pick<Evaluator<never>, "steps"> | undefined;
  readonly #measures: readonly Measure[];
  #sums: RunningSums;
  readonly #communicator: Communicator | undefined;
  /** Why this rank would end the run. */
  #asked: string | undefined;
  /** What is trained on, once the model was given other parameters. */
  #trained: SavedParameters | undefined;

  constructor(
    trainer: Trainer<never>,
    data: { readonly length: number | undefined },
    options: {
      readonly epochs: number;
      readonly callbacks: readonly Callback[];
      readonly evaluator: Pick<Evaluator<never>, "steps"> | undefined;
      readonly measures: readonly Measure[];
      readonly resume: Progress | undefined;
      readonly communicator: Communicator | undefined;
    },
  ) {
    const { resume } = options;
    this.trainer = trainer;
    this.epochs = options.epochs;
    this.batchesPerEpoch = data.length;
    this.#callbacks = options.callbacks;
    this.#communicator = options.communicator;
    this.#evaluator = options.evaluator;
    this.#measures = options.measures;
    this.history = [...(resume?.history ?? [])];
    this.epoch = resume?.epoch ?? 0;
    this.batchInEpoch = resume?.batchInEpoch ?? 0;
    this.#sums = new RunningSums(trainer.steps, resume?.sums);
    this.#trained = resume?.trained;
  }

  /** A run that is longer than it was when it ended goes on from where it stood, not from what the model was given then. */
  goOn(): void {
    if (!this.#trained || this.epoch >= this.epochs) return;
    putParameters(this.model, this.#trained);
    this.#trained = undefined;
  }

  /** Gives the model other parameters than those that are trained. */
  deliver(parameters: SavedParameters | undefined): void {
    if (!parameters) return;
    this.#trained ??= saveParameters(this.model);
    putParameters(this.model, parameters);
  }

  get model(): AnyModule {
    return this.trainer.model;
  }

  get resultNames(): readonly string[] {
    const held = resultNames(this.#evaluator?.steps ?? []).map((name) => `validation_${name}`);
    return [...resultNames(this.trainer.steps), ...held, ...this.measuredNames];
  }

  get measuredNames(): readonly string[] {
    return this.#measures.map(({ name }) => `validation_${name}`);
  }

  directionOf(result: string): "up" | "down" {
    const name = result.replace(/^validation_/, "");
    return this.#measures.find((own) => own.name === name)?.direction ?? this.trainer.directionOf(name);
  }

  get epochIsWhole(): boolean {
    return this.batchInEpoch === this.batchesPerEpoch;
  }

  stop(reason: string): void {
    if (this.#communicator) this.#asked ??= reason;
    else this.stopReason ??= reason;
  }

  /** Ends the run on all ranks where one asked for it. To be called by all at the same point. */
  async agree(): Promise<void> {
    const { size = 1 } = this.#communicator ?? {};
    if (!this.#communicator || !(await anyOf(this.#communicator, this.#asked !== undefined))) return;
    const reasons = await this.#communicator.gather(this.#asked ?? "");
    const rank = reasons.findIndex((reason) => reason !== "");
    this.stopReason ??= reasons[0] || `${reasons[rank]} (rank ${rank} of ${size})`;
  }

  record(result: StepResult): void {
    this.batchInEpoch++;
    this.#sums.add(result.step, result);
  }

  current(): EpochResult {
    return this.#sums.results();
  }

  endEpoch(validation: EpochResult): EpochResult {
    const held = Object.entries(validation).map(([name, value]) => [`validation_${name}`, value]);
    const result: EpochResult = { ...this.current(), ...Object.fromEntries(held) };
    this.history.push(result);
    this.epoch++;
    this.batchInEpoch = 0;
    this.#sums = new RunningSums(this.trainer.steps);
    return result;
  }

  progress(delivered?: SavedParameters): Progress {
    const state = this.trainer.state();
    const given = Object.entries(delivered ?? {}).map(([path, data]) => {
      const { shape } = state.tensors[path] as Tensor;
      return [path, new Tensor("float32", shape, data)] as const;
    });
    return {
      epoch: this.epoch,
      batchInEpoch: this.batchInEpoch,
      history: this.history,
      sums: this.#sums.save(),
      trainer: { ...state, tensors: { ...state.tensors, ...Object.fromEntries(given) } },
      optimizers: this.trainer.optimizers.map(({ name, settings }) => ({ name, settings })),
      callbacks: Object.fromEntries(this.#callbacks.map((callback) => [callback.name, callback.state?.()])),
      trained: delivered ? saveParameters(this.model) : this.#trained,
    };
  }
}
