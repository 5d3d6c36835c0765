/** One training step after another: gradients of a batch, clipping, accumulation, the optimizer's update. */
import { FileError, InternalError, NonFiniteError, OptionError } from "../core/errors.ts";
import { foldIn, type Key, keyOf } from "../core/random.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import type { CompileOptions } from "../jit/compile.ts";
import type { Loss } from "../nn/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { add, keyTensor, mul, reduceSumSquare } from "../ops/index.ts";
import { adopt, allocateArena, type Layout, layOut, viewOf } from "./arena.ts";
import { Chunked, type Segment } from "./chunked.ts";
import { explainNonFinite } from "./diagnose.ts";
import { buildGradientStep, type GradientStep, keyInput } from "./gradient-step.ts";
import type { Metric } from "./metrics.ts";
import { type Optimizer, rateAt } from "./optimizers.ts";

/** How a parameter's updates differ from the optimizer's. */
export interface ParameterGroup {
  /** Factor of the learning rate; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay; default 1. */
  readonly weightDecayScale?: number;
}

export interface TrainingOptions {
  /** Start of all randomness: initial values, dropout, the order of the data; default 0. */
  readonly seed?: number;
  /** Scale the gradient down to this Euclidean norm when it is longer; default off. */
  readonly clipNorm?: number;
  /** Sum the gradients of this many batches before each update; default 1. */
  readonly accumulate?: number;
  /** Report the norm of every parameter's gradient at each step; default false. */
  readonly gradientNorms?: boolean;
  /** Learning rate and weight decay by parameter path. */
  readonly groups?: (path: string, parameter: Parameter) => ParameterGroup;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions;
}

export interface StepResult {
  /** Mean loss of the batch, with penalties. */
  readonly loss: number;
  /** Additive statistics of each metric, in the order of the metrics. */
  readonly statistics: readonly Float32Array[];
  readonly batchSize: number;
  readonly learningRate: number;
  /** Norm of the whole gradient; only when clipping asked for it. */
  readonly gradientNorm?: number;
  /** Norm of each parameter's gradient, by path. */
  readonly gradientNorms?: Readonly<Record<string, number>>;
}

/** What must be kept to go on training as if nothing had happened. */
export interface TrainerState {
  readonly batches: number;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** A stretch of the arenas whose parameters share their scalars. */
type GroupSegment = Segment & Required<ParameterGroup>;

/** Buffers and compiled updates, made at the first step. */
interface Machinery {
  readonly layout: Layout;
  readonly gradients: Float32Array;
  /** What the optimizer remembers, and the summed gradients, by name. */
  readonly memory: Readonly<Record<string, Float32Array>>;
  readonly segments: readonly GroupSegment[];
  readonly update: Chunked;
  readonly measure: Chunked | undefined;
  readonly accumulate: Chunked | undefined;
}

/**
 * Trains a model step by step.
 * @example
 * const trainer = new Trainer(model, crossEntropy(), adam());
 * for await (const batch of data.epoch(0)) console.log((await trainer.step(batch)).loss);
 */
export class Trainer {
  readonly model: Module;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
  readonly options: TrainingOptions;
  readonly key: Key;
  readonly #graphs = new Map<string, GradientStep>();
  #machinery: Machinery | undefined;
  #restored: Readonly<Record<string, Tensor>> = {};
  #batches = 0;

  constructor(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    metrics: readonly Metric[] = [],
    options: TrainingOptions = {},
  ) {
    const { accumulate = 1, clipNorm } = options;
    if (!Number.isInteger(accumulate) || accumulate < 1)
      throw new OptionError(`accumulate is ${accumulate}; pass a whole number of batches, at least 1`);
    if (clipNorm !== undefined && !(clipNorm > 0))
      throw new OptionError(`clipNorm is ${clipNorm}; pass a positive norm`);
    this.model = model;
    this.loss = loss;
    this.optimizer = optimizer;
    this.metrics = metrics;
    this.options = options;
    this.key = keyOf(options.seed ?? 0);
  }

  /** Batches trained on so far. */
  get batches(): number {
    return this.#batches;
  }

  /** Updates made so far. */
  get updates(): number {
    return Math.floor(this.#batches / (this.options.accumulate ?? 1));
  }

  /** Traces, differentiates and compiles the step for a batch's shapes, unless that is done. */
  async prepare(batch: Batch): Promise<GradientStep> {
    const signature = `${batch.x.dtype}${batch.x.shape}/${batch.y.dtype}${batch.y.shape}`;
    const known = this.#graphs.get(signature);
    if (known) return known;
    this.model.trace(batch.x, { training: true, key: keyInput() });
    this.model.initialize(this.key);
    this.#machinery ??= await this.#build();
    const { layout, gradients } = this.#machinery;
    const step = await buildGradientStep(this.model, batch, { ...this, layout, gradients });
    this.#graphs.set(signature, step);
    return step;
  }

  /**
   * Trains on one batch. Throws NonFiniteError, with the parameters as they were before, when the loss is not a finite
   * number.
   */
  async step(batch: Batch): Promise<StepResult> {
    const gradientStep = await this.prepare(batch);
    const machinery = this.#machinery;
    if (!machinery) throw new InternalError("the trainer was not prepared");
    const key = keyTensor(foldIn(this.key, "step", this.#batches));
    const { loss, statistics, norms } = await gradientStep.run(batch, key);
    if (!Number.isFinite(loss)) throw await explainNonFinite(this, batch, loss);
    gradientStep.commit();
    const learningRate = rateAt(this.optimizer, this.updates);
    this.#batches++;
    const gradientNorm = await this.#apply(machinery, learningRate);
    return {
      loss,
      statistics,
      batchSize: batch.x.shape[0] ?? 0,
      learningRate,
      ...(gradientNorm !== undefined && { gradientNorm }),
      ...(norms && {
        gradientNorms: Object.fromEntries(machinery.layout.slots.map(({ path }, i) => [path, norms[i] ?? 0])),
      }),
    };
  }

  /** Accumulates, clips and updates; returns the gradient's norm if it was measured. */
  async #apply(
    { update, measure, accumulate, memory, segments }: Machinery,
    rate: number,
  ): Promise<number | undefined> {
    const { clipNorm, accumulate: every = 1 } = this.options;
    await accumulate?.run();
    if (this.#batches % every !== 0) return undefined;
    let scale = 1 / every;
    let norm: number | undefined;
    if (measure && clipNorm !== undefined) {
      const [squares = 0] = await measure.run();
      norm = Math.sqrt(squares) / every;
      if (!Number.isFinite(norm))
        throw new NonFiniteError(
          `the gradient's norm is ${norm} at update ${this.updates}; lower the learning rate or start from other weights`,
        );
      scale *= Math.min(1, clipNorm / (norm + 1e-6));
    }
    await update.run((index) => {
      const { learningRateScale = 1, weightDecayScale = 1 } = segments[index] ?? {};
      return [...this.optimizer.scalars(this.updates, rate * learningRateScale, weightDecayScale), scale];
    });
    memory.accumulated?.fill(0);
    return norm;
  }

  /** Everything that must be kept to go on: parameters, buffers, what the optimizer remembers. */
  state(): TrainerState {
    const tensors: Record<string, Tensor> = {};
    for (const [path, { value }] of this.model.parameters()) if (value) tensors[path] = value;
    for (const slot of this.#machinery?.layout.slots ?? [])
      for (const [name, arena] of Object.entries(this.#machinery?.memory ?? {}))
        tensors[`${memoryPrefix}${name}/${slot.path}`] = viewOf(arena, slot);
    return { batches: this.#batches, tensors };
  }

  /** Goes back to a saved state; its tensors are copied. Call it before the first step. */
  restore({ batches, tensors }: TrainerState): void {
    if (this.#machinery) throw new OptionError("restore a trainer before its first step, not after");
    this.#batches = batches;
    this.#restored = tensors;
  }

  async #build(): Promise<Machinery> {
    const { model, optimizer } = this;
    const { accumulate = 1, clipNorm } = this.options;
    loadParameters(model, this.#restored);
    const trainable = [...model.parameters()].filter(([, { trainable }]) => trainable);
    if (trainable.length === 0) throw new OptionError("no parameter is trainable; unfreeze some: model.unfreeze()");
    const layout = layOut(trainable);
    const parameters = allocateArena(layout);
    adopt(parameters, layout);
    const gradients = allocateArena(layout);
    const names = [...optimizer.slots, ...(accumulate > 1 ? ["accumulated"] : [])];
    const memory = Object.fromEntries(names.map((name) => [name, allocateArena(layout)]));
    for (const slot of layout.slots)
      for (const [name, arena] of Object.entries(memory)) {
        const saved = this.#restored[`${memoryPrefix}${name}/${slot.path}`];
        if (saved) viewOf(arena, slot).data.set(saved.data as Float32Array);
      }
    const slope = memory.accumulated ?? gradients;
    const whole = [{ start: 0, end: layout.length }];
    const common = { segments: whole, scalarCount: 0, ...(this.options.compile && { compile: this.options.compile }) };
    const segments = segmentsOf(layout, this.options.groups);
    const scaled = clipNorm !== undefined || accumulate > 1;
    const vectors = [parameters, slope, ...optimizer.slots.flatMap((name) => memory[name] ?? [])];
    const [update, measure, sum] = await Promise.all([
      Chunked.create({
        ...common,
        vectors,
        segments,
        scalarCount: optimizer.scalars(1, 0, 1).length + 1,
        build([p, g, ...slots], scalars) {
          if (!p || !g) throw new InternalError("an update needs parameters and gradients");
          const next = optimizer.update({ p, g: scaled ? mul(g, scalars.at(-1) ?? 1) : g, slots, scalars });
          return { results: [next.p, undefined, ...next.slots] };
        },
      }),
      clipNorm === undefined
        ? undefined
        : Chunked.create({
            ...common,
            vectors: [slope],
            build: ([g]) => ({ results: [undefined], sums: g ? [reduceSumSquare(g)] : [] }),
          }),
      accumulate === 1
        ? undefined
        : Chunked.create({
            ...common,
            vectors: [slope, gradients],
            build: ([total, g]) => ({ results: [total && g && add(total, g), undefined] }),
          }),
    ]);
    return { layout, gradients, memory, segments, update, measure, accumulate: sum };
  }
}

/** Prefix of the names under which a state holds what the optimizer remembers. */
const memoryPrefix = "optimizer/";

/** Sets parameters from tensors by path, those that are there. Throws FileError at the first shape that differs. */
export function loadParameters(model: Module, tensors: Readonly<Record<string, Tensor>>): void {
  const parameters = model.parameters();
  for (const [path, tensor] of Object.entries(tensors)) {
    if (path.startsWith(memoryPrefix)) continue;
    const parameter = parameters.get(path);
    if (!parameter)
      throw new FileError(
        `the checkpoint has a parameter "${path}", which this model has not; load it into the model it was saved from`,
      );
    if (!sameShape(parameter.shape, tensor.shape))
      throw new FileError(
        `parameter "${path}" is ${showShape(tensor.shape)} in the checkpoint and ${showShape(parameter.shape)} in this model; load it into the model it was saved from`,
      );
    parameter.value = new Tensor("float32", parameter.shape, Float32Array.from(tensor.data as Float32Array));
  }
  if (Object.keys(tensors).length > 0)
    for (const path of parameters.keys())
      if (!(path in tensors)) throw new FileError(`the checkpoint lacks the parameter "${path}" of this model`);
}

/** Runs of parameters with equal settings. */
function segmentsOf(layout: Layout, groups: TrainingOptions["groups"]): GroupSegment[] {
  const segments: GroupSegment[] = [];
  for (const [i, { path, parameter, offset }] of layout.slots.entries()) {
    const group = { learningRateScale: 1, weightDecayScale: 1, ...groups?.(path, parameter) };
    const end = layout.slots[i + 1]?.offset ?? layout.length;
    const last = segments.at(-1);
    if (last && last.learningRateScale === group.learningRateScale && last.weightDecayScale === group.weightDecayScale)
      segments[segments.length - 1] = { ...last, end };
    else segments.push({ start: offset, end, ...group });
  }
  return segments;
}
