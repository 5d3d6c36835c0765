/** One training step after another: gradients of a batch, transforms, the optimizer's update. */
import { OptionError } from "../../core/errors.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { AnyModule } from "../../nn/module.ts";
import { storedTensors } from "../../nn/packed.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { Structure } from "../../nn/structure.ts";
import { keyTensor } from "../../ops/index.ts";
import type { StepMemory } from "../../transform/derive-step.ts";
import { loadParameters, memoryPrefix, requireFinite, requireMemories } from "../load-parameters.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Named } from "../store/parameter-store.ts";
import { explainNonFinite, firstLocated } from "./diagnose.ts";
import { type GradientStep, keyInput, objectiveBatch, signatureOf, traceBatch } from "./gradient-step.ts";
import { fieldsOf, type KeptPart, keptOf } from "./kept-part.ts";
import { lossScaleName } from "./loss-scale.ts";
import type { NumberedBatch } from "./numbered.ts";
import { refuseUnread, requireSamples, samplesOf } from "./objective.ts";
import {
  type Alternating,
  type AlternatingStep,
  type BoundStep,
  boundSteps,
  type Measured,
  modelOf,
  resultName,
  type TrainedOptions,
  trainedTypes,
} from "./objectives.ts";
import { requireTaken } from "./parameter-groups.ts";
import { Phase, type PhaseCounts } from "./phase.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { rowsOfShare, type Share, shareOfBatch } from "./ranks.ts";
import { requireOneChoice } from "./step-memory.ts";
import { ranksOf, type TrainingOptions, trainingTypes, transformsOf, withPrecision } from "./training-options.ts";

const checkTrainer = optionsOf<TrainedOptions & { readonly training?: TrainingOptions }>("the trainer", {
  ...trainedTypes,
  training: optionsOf("training", trainingTypes).type,
});

/** A loss or an objective with its optimizer, or steps with theirs. */
export type Trained<B extends Batch> = (Measured<B> & { readonly optimizer: Optimizer }) | Alternating<B>;

/**
 * Options of `Trainer`: a loss or an objective with its optimizer, or steps in turn; and `training`, how steps are
 * made.
 */
export type TrainerOptions<B extends Batch = Batch> = Trained<B> & {
  /** How steps are made; every option of it has a default. */
  readonly training?: TrainingOptions;
};

/** What came of one training step. */
export interface StepResult {
  /** The step whose turn it was; empty where there is only one. */
  readonly step: string;
  /** Samples of the batch: the extent of its first axis. */
  readonly samples: number;
  /** Mean loss of the batch, with penalties. */
  readonly loss: number;
  /** What the mean stands for: of n samples, n. */
  readonly weight: number;
  /** Additive statistics of each figure, in the order of the objective's figures. */
  readonly statistics: readonly Float32Array[];
  /** The optimizer's rate at this step, before the factors of groups. */
  readonly learningRate: number;
  /** Euclidean norm of the batch's whole gradient, before the transforms; not finite where it overflowed float16, and there is no update. */
  readonly gradientNorm: number;
  /** What gradient transforms report, by their names; of float16 also `lossScale`: the `scale`, and how many batches were `skipped`. */
  readonly reports: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What must be kept to go on training as if nothing had happened. */
export interface TrainerState {
  /** Batches trained on so far. */
  readonly batches: number;
  /** By the names of steps. */
  readonly steps: Readonly<Record<string, PhaseCounts>>;
  /** Parameters and buffers by path, and what is remembered of them, see `memoryPrefix`. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/**
 * Trains a model step by step.
 * @example
 * const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam() });
 * for await (const batch of data.epoch(0)) console.log((await trainer.step(batch)).loss);
 */
export class Trainer<B extends Batch = Batch> {
  readonly model: AnyModule;
  /** The steps in the order of their turns. */
  readonly phases: readonly Phase[];
  readonly #options: TrainingOptions;
  /** For each batch of a whole round, whose turn it is. */
  readonly #turns: readonly Phase[];
  #parameters: readonly Named<Parameter>[] | undefined;
  /** Of the model as its parameters were made. */
  #structure: Structure | undefined;
  /** Of the batches that were trained on, by how many samples they have. */
  readonly #signatures = new Map<number, string>();
  #restored: TrainerState | undefined;
  #key: Key;
  #batches = 0;
  #updateSeconds = 0;
  #frozenShare = 0;
  #memory: StepMemory | undefined;

  constructor(model: AnyModule | Readonly<Record<string, AnyModule>>, options: TrainerOptions<B>) {
    const { training: given = {} } = checkTrainer(options);
    const training = { ...given, compile: withPrecision(given) };
    requireOneChoice(training);
    if (training.compile?.device === "auto")
      throw new OptionError(
        'a Trainer needs to know its device when it is made; pass compile: { device: (await chooseDevice()).device } in place of "auto"',
      );
    this.model = modelOf(model);
    this.#options = training;
    this.#key = keyOf(training.seed ?? 0);
    const { groups = [], compile } = training;
    const steps = "steps" in options && options.steps !== undefined ? options.steps : undefined;
    const ranks = ranksOf(training);
    this.phases = boundSteps(this.model, options, "training").map(({ name, objective }) => {
      const { optimizer, trains }: Partial<AlternatingStep<B>> =
        steps?.[name] ?? (options as Measured<B> & { readonly optimizer: Optimizer });
      if (typeof optimizer?.bind !== "function")
        throw new OptionError(
          `training needs an optimizer${name && ` for the step "${name}"`}; pass adam() or another`,
        );
      return new Phase(this.model, {
        name,
        objective,
        optimizer,
        trains,
        groups,
        transforms: transformsOf(training, ranks),
        compile,
        lossScale: training.lossScale,
        limits: training,
        memory: training,
        ranks,
      });
    });
    this.#turns = this.phases.flatMap((phase) => new Array<Phase>(steps?.[phase.options.name]?.times ?? 1).fill(phase));
  }

  /** What initial values and the random numbers of steps derive from; another key counts from the next step on. */
  get key(): Key {
    return this.#key;
  }

  set key(key: Key) {
    this.#key = key;
  }

  /** The steps with their objectives. */
  get steps(): readonly BoundStep[] {
    return this.phases.map(({ options }) => options);
  }

  /** Whether all figures have their names: those that an objective gives are known once it was traced. */
  get knowsFigures(): boolean {
    return this.steps.every(({ objective }) => objective.isComplete);
  }

  /** Whether more ("up") or less ("down") is better of a result. */
  directionOf(result: string): "up" | "down" {
    const found = this.steps.flatMap(({ name, objective }) =>
      objective.figures.filter((figure) => resultName(name, figure.name) === result),
    );
    return found[0]?.direction ?? "down";
  }

  /** Batches trained on so far. */
  get batches(): number {
    return this.#batches;
  }

  /** Updates made so far. */
  get updates(): number {
    return this.phases.reduce((sum, { updates }) => sum + updates, 0);
  }

  /** Batches that made no update, since their gradients overflowed float16. */
  get skipped(): number {
    return this.phases.reduce((sum, { lossScale }) => sum + (lossScale[lossScaleName]?.["skipped"] ?? 0), 0);
  }

  /** The optimizers at work. */
  get optimizers(): readonly Optimizer[] {
    return [...new Set(this.phases.flatMap(({ optimizers }) => optimizers))];
  }

  /** Traces, differentiates and compiles the step that comes next for a batch's shapes, of several ranks for this one's rows, unless that is done. */
  async prepare(batch: B): Promise<GradientStep> {
    return this.#prepare(rowsOfShare(batch, this.#shareOf(samplesOf(batch))));
  }

  async #prepare(batch: B): Promise<GradientStep> {
    requireSamples(batch);
    if (!this.#parameters || !this.#structure?.isCurrent()) this.#begin(batch);
    const phase = this.#turn;
    await phase.follow(this.#parameters ?? []);
    const step = await phase.gradientStep(batch);
    this.#frozenShare = step.frozenShare;
    this.#memory = step.memory;
    return step;
  }

  /**
   * Trains on one batch. Values that were put into parameters, what was frozen or unfrozen and layers that were replaced since the
   * last step count from this one on. Throws NonFiniteError, with the parameters as they were before, when the loss or a gradient is not a finite number.
   */
  async step(batch: B): Promise<StepResult> {
    const share = this.#shareOf(samplesOf(batch));
    const part = rowsOfShare(batch, share);
    return this.#stepWith(await this.#prepare(part), part, { share, read: async () => part });
  }

  #shareOf(samples: number): Share {
    return shareOfBatch(samples, this.#options.communicator);
  }

  /**
   * As `step`, for a batch whose samples have numbers: what the frozen part of the model gives for a sample is kept in the cache, and a batch
   * of samples that it knows is not read. Throws what `step` throws.
   */
  async stepNumbered(numbered: NumberedBatch<B>, cache: PrefixCache): Promise<StepResult> {
    const share = this.#shareOf(numbered.samples?.length ?? 0);
    const samples = (numbered.samples ?? []).slice(share.first, share.first + share.rows);
    const whole = { share, read: async () => rowsOfShare(await numbered.read(), share) };
    const phase = this.#turn;
    if (this.#parameters && this.#structure?.isCurrent()) {
      await phase.follow(this.#parameters);
      const known = phase.knownStep(this.#signatures.get(samples.length) ?? "");
      if (known && typeof known.kept !== "string" && cache.isComplete(samples, known.kept.frozen()))
        return this.#stepWith(known, cache.take(samples), whole, known.kept);
    }
    const all = await numbered.read();
    if (samplesOf(all) !== share.samples) return this.step(all);
    const batch = rowsOfShare(all, share);
    const step = await this.#prepare(batch);
    const { kept } = step;
    if (typeof kept === "string") return this.#stepWith(step, batch, whole);
    this.#signatures.set(samples.length, signatureOf(batch));
    return this.#stepWith(step, await fieldsOf(kept, step.names, { samples, batch }, cache), whole, kept);
  }

  /** Whether the frozen part of steps is compiled apart, to be kept; counts from the next step that is compiled. */
  set cutsPrefix(cuts: boolean) {
    for (const phase of this.phases) phase.cuts = cuts;
  }

  /** Share of a step's work without gradients that its frozen part makes; 0 before the first step. */
  get frozenShare(): number {
    return this.#frozenShare;
  }

  /** @param fields the tensors that the step reads: a batch, or of a batch what is kept */
  async #stepWith(
    gradientStep: GradientStep,
    fields: Batch,
    { share, read }: { readonly share: Share; readonly read: () => Promise<B> },
    part?: KeptPart,
  ): Promise<StepResult> {
    const phase = this.#turn;
    const { learningRate } = phase;
    const key = foldIn(this.key, "step", this.#batches);
    const kept = part && keptOf(part, fields);
    const { norm, verdict, ...measured } = await phase.differentiate(gradientStep, fields, keyTensor(key), share, kept);
    if (verdict === "fail") {
      const failed = await explainNonFinite({
        model: this.model,
        objective: phase.options.objective,
        batch: await read(),
        key: keyTensor(key),
        share,
        compile: this.#options.compile,
        found: { loss: measured.loss, gradientNorm: norm, batch: this.#batches + 1 },
      });
      throw await firstLocated(failed, this.#options.communicator);
    }
    gradientStep.commit();
    const reports =
      verdict === "skip" ? {} : await this.#timed(() => phase.update(measured.weight, this.#batches, key));
    this.#batches++;
    return {
      step: phase.options.name,
      samples: share.samples,
      ...measured,
      learningRate,
      gradientNorm: norm,
      reports: { ...phase.lossScale, ...reports },
    };
  }

  /** What was chosen for the budget of memory, of the latest batch; none without a budget. */
  get memory(): StepMemory | undefined {
    return this.#memory;
  }

  /** Makes the updates of what gradient transforms hold back, at the end of an epoch. */
  async flush(): Promise<void> {
    const key = foldIn(this.key, "flush", this.#batches);
    for (const phase of this.phases) await this.#timed(() => phase.flush(this.#batches, key));
  }

  /** Seconds that the updates took so far: transforms and the optimizer. */
  get updateSeconds(): number {
    return this.#updateSeconds;
  }

  /**
   * Copies parameters, and what is remembered of them, from the device to the host: to be awaited before they are read, where a device
   * computes in a memory of its own (`webgpu`). Elsewhere there is nothing to do.
   */
  async sync(): Promise<void> {
    for (const phase of this.phases) await phase.fetch();
  }

  /**
   * Brings together on rank 0 what ranks remember each of its own, until the next step: to be awaited by all of them, before `state` is
   * asked for there. Elsewhere there is nothing to do.
   */
  async gather(): Promise<void> {
    for (const phase of this.phases) await phase.gather();
  }

  /**
   * Everything that must be kept to go on: parameters, buffers, what optimizers and transforms remember. On a device with a memory of its own
   * `sync` comes before; throws DataError without it.
   */
  state(): TrainerState {
    const tensors: Record<string, Tensor> = {};
    for (const [path, parameter] of this.model.parameters()) Object.assign(tensors, storedTensors(path, parameter));
    for (const phase of this.phases)
      for (const [name, tensor] of Object.entries(phase.memories())) tensors[`${prefixOf(phase)}${name}`] = tensor;
    const steps = Object.fromEntries(this.phases.map((phase) => [phase.options.name, phase.counts()]));
    return { batches: this.#batches, steps, tensors };
  }

  /** Goes back to a saved state; its tensors are copied. Call it before the first step. */
  restore(state: TrainerState): void {
    if (this.#parameters) throw new OptionError("restore a trainer before its first step, not after");
    this.#batches = state.batches;
    this.#restored = state;
  }

  /**
   * Begins anew on the parameters as they are: forgets what optimizers and transforms remember, and counts batches and updates from 0. What is
   * compiled stays. Call it between steps.
   */
  async forget(): Promise<void> {
    this.#batches = 0;
    for (const phase of this.phases) await phase.forget();
  }

  /** Lets go of compiled graphs, and writes the profiles that the compile options asked for. What is needed again is compiled anew. */
  async release(): Promise<void> {
    for (const phase of this.phases) await phase.release();
  }

  get #turn(): Phase {
    return this.#turns[this.#batches % this.#turns.length] as Phase;
  }

  /** Makes the parameters, with their initial or saved values; again where layers were replaced. */
  #begin(batch: B): void {
    const unread = this.phases.map((phase) => {
      const { objective } = phase.options;
      const { clipping } = phase;
      const seen = objectiveBatch(batch, clipping && { objective, way: clipping.way });
      return traceBatch(this.model, objective, seen, { training: true, key: keyInput() }).unread;
    });
    refuseUnread(Object.keys(batch).filter((name) => unread.every((own) => own.includes(name))));
    this.model.initialize(this.key);
    const { tensors = {}, steps = {} } = this.#restored ?? {};
    // A run that was saved before its first batch has none.
    if (Object.keys(tensors).length > 0) {
      loadParameters(this.model, tensors);
      requireFinite(this.model, "go back to an earlier checkpoint");
    }
    for (const phase of this.phases) {
      const prefix = prefixOf(phase);
      const remembered = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
      const memories = Object.fromEntries(remembered.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
      const counts = steps[phase.options.name];
      requireMemories(this.model.parameters(), memories);
      if (counts) phase.restore(counts, memories);
    }
    this.#restored = undefined;
    const parameters = [...this.model.parameters()];
    for (const { parameters: pattern } of this.#options.groups ?? []) requireTaken(pattern, parameters);
    for (const { options } of this.phases) if (options.trains !== undefined) requireTaken(options.trains, parameters);
    this.#parameters = parameters;
    this.#structure = new Structure(this.model);
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await work();
    this.#updateSeconds += (performance.now() - began) / 1000;
    return result;
  }
}

const prefixOf = ({ options: { name } }: Phase): string => `${memoryPrefix}${name && `${name}/`}`;
