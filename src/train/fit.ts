/** The training loop, and evaluation and prediction beside it. */

import { atPlace, DataError, NonFiniteError, OptionError } from "../core/errors.ts";
import { requireKnown } from "../core/options.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Loss } from "../nn/losses/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Callback } from "./callbacks.ts";
import { Evaluator } from "./evaluate.ts";
import type { Metric } from "./metrics/metrics.ts";
import type { Optimizer } from "./optimizers.ts";
import { type EpochResult, RunningSums, type SavedSums } from "./running-sums.ts";
import { type StepResult, Trainer, type TrainerState, type TrainingOptions } from "./trainer.ts";

export interface FitOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Passes over the data. */
  readonly epochs: number;
  /** Measured on the training and the validation data. */
  readonly metrics?: readonly Metric[];
  readonly callbacks?: readonly Callback[];
  /** Evaluated after every epoch. */
  readonly validation?: Dataset<Batch>;
  readonly training?: TrainingOptions & {
    /** Where an earlier run stopped. */
    readonly resume?: Progress;
  };
}

/** How far a run has come; enough to go on exactly. */
export interface Progress {
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches of the next epoch that are done. */
  readonly batchInEpoch: number;
  readonly history: readonly EpochResult[];
  /** Sums of the epoch that is under way. */
  readonly sums: SavedSums;
  readonly trainer: TrainerState;
  /** Which optimizer made it; another cannot go on. */
  readonly optimizer: Pick<Optimizer, "name" | "settings">;
  /** What each callback asked to remember, by its name. */
  readonly callbacks: Readonly<Record<string, unknown>>;
}

/** A run as its callbacks see it. */
export interface Run {
  readonly model: Module;
  readonly trainer: Trainer;
  readonly epochs: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches done in this epoch. */
  readonly batchInEpoch: number;
  /** Batches in an epoch, if the data knows. */
  readonly batchesPerEpoch: number | undefined;
  readonly history: readonly EpochResult[];
  /** Names of an epoch's results. */
  readonly resultNames: readonly string[];
  /** Mean loss and metrics of this epoch so far. */
  current(): EpochResult;
  /** Ends the run after the batch under way. */
  stop(reason: string): void;
  readonly stopReason: string | undefined;
  /** Everything needed to go on from here. */
  progress(): Progress;
}

/**
 * Trains a model.
 * @returns the results of every epoch, and why the run ended early if it did
 * @example
 * const { history } = await fit(model, train, { loss: crossEntropy(), optimizer: adam(), epochs: 3, metrics: [accuracy()] });
 */
export async function fit(model: Module, data: Dataset<Batch>, options: FitOptions): Promise<FitResult> {
  const { loss, optimizer, epochs, metrics = [], callbacks = [], validation, training = {} } = options;
  if (!Number.isInteger(epochs) || epochs < 0) throw new OptionError(`epochs is ${epochs}; pass a whole number from 0`);
  requireKnown("fit", options, fitOptionNames);
  if (typeof loss !== "function" || typeof optimizer?.update !== "function")
    throw new OptionError("fit needs a loss and an optimizer; pass { loss: crossEntropy(), optimizer: adam(), … }");
  requireDistinctStates(callbacks);
  const { resume, ...settings } = training;
  const trainer = new Trainer(model, loss, optimizer, metrics, settings);
  if (resume) {
    requireSameOptimizer(resume.optimizer, optimizer);
    trainer.restore(resume.trainer);
    for await (const batch of data.epoch(0)) {
      await trainer.prepare(batch);
      break;
    }
  }
  const run = new RunState(trainer, data, options, resume);
  const { device, threads } = training.compile ?? {};
  // Not profiled: profiles are of training, and an evaluator's sessions would never end theirs.
  const evaluator = validation && new Evaluator(model, loss, metrics, { device, threads });
  for (const callback of callbacks) callback.restore?.(resume?.callbacks[callback.name]);
  for (const callback of callbacks) await callback.onStart?.(run);
  while (run.epoch < epochs && run.stopReason === undefined) {
    for await (const batch of data.epoch(run.epoch, { skip: run.batchInEpoch })) {
      const result = await trainer.step(batch).catch((error: unknown) => {
        throw error instanceof NonFiniteError ? atPlace(`epoch ${run.epoch + 1}`, error) : error;
      });
      run.record(result);
      for (const callback of callbacks) await callback.onBatch?.(run, result);
      if (run.stopReason !== undefined) break;
    }
    if (run.stopReason !== undefined && !run.epochIsWhole) break;
    if (run.batchInEpoch === 0) throw new DataError("the dataset gave no batch; check its files and filters");
    const held = validation && evaluator ? (await evaluator.run(validation)).results : {};
    const epoch = run.endEpoch(held);
    for (const callback of callbacks) await callback.onEpoch?.(run, epoch);
  }
  for (const callback of callbacks) await callback.onEnd?.(run);
  return { history: run.history, trainer, stopReason: run.stopReason, progress: run.progress() };
}

const fitOptionNames = {
  loss: true,
  optimizer: true,
  epochs: true,
  metrics: true,
  callbacks: true,
  validation: true,
  training: true,
} as const;

/** Throws OptionError unless a run goes on with the optimizer that it began with; the rate may change. */
function requireSameOptimizer(saved: Progress["optimizer"], own: Optimizer): void {
  const describe = ({ name, settings }: Progress["optimizer"]) => `${name} ${JSON.stringify(settings)}`;
  if (describe(saved) !== describe(own))
    throw new OptionError(
      `the run to resume was trained with ${describe(saved)}, this one has ${describe(own)}; resume with the same optimizer`,
    );
}

export interface FitResult {
  /** Where the run ended. */
  readonly progress: Progress;
  readonly history: readonly EpochResult[];
  readonly trainer: Trainer;
  readonly stopReason: string | undefined;
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
  readonly trainer: Trainer;
  readonly epochs: number;
  readonly batchesPerEpoch: number | undefined;
  readonly history: EpochResult[];
  readonly resultNames: readonly string[];
  epoch: number;
  batchInEpoch: number;
  stopReason: string | undefined;
  readonly #callbacks: readonly Callback[];
  #sums: RunningSums;

  constructor(
    trainer: Trainer,
    data: Dataset<Batch>,
    { epochs, callbacks = [], validation }: FitOptions,
    resume: Progress | undefined,
  ) {
    this.trainer = trainer;
    this.epochs = epochs;
    this.batchesPerEpoch = data.length;
    const own = ["loss", ...trainer.metrics.map(({ name }) => name)];
    this.resultNames = [...own, ...(validation ? own.map((name) => `validation_${name}`) : [])];
    this.#callbacks = callbacks;
    this.history = [...(resume?.history ?? [])];
    this.epoch = resume?.epoch ?? 0;
    this.batchInEpoch = resume?.batchInEpoch ?? 0;
    this.#sums = new RunningSums(trainer.metrics, resume?.sums);
  }

  get model(): Module {
    return this.trainer.model;
  }

  get epochIsWhole(): boolean {
    return this.batchInEpoch === this.batchesPerEpoch;
  }

  stop(reason: string): void {
    this.stopReason ??= reason;
  }

  record({ loss, batchSize, statistics }: StepResult): void {
    this.batchInEpoch++;
    this.#sums.add(loss, batchSize, statistics);
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
    this.#sums = new RunningSums(this.trainer.metrics);
    return result;
  }

  progress(): Progress {
    return {
      epoch: this.epoch,
      batchInEpoch: this.batchInEpoch,
      history: this.history,
      sums: this.#sums.save(),
      trainer: this.trainer.state(),
      optimizer: { name: this.trainer.optimizer.name, settings: this.trainer.optimizer.settings },
      callbacks: Object.fromEntries(this.#callbacks.map((callback) => [callback.name, callback.state?.()])),
    };
  }
}
