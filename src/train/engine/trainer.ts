/** One training step after another: gradients of a batch, clipping, accumulation, the optimizer's update. */
import { FileError, InternalError, OptionError } from "../core/errors.ts";
import { requireKnown } from "../core/options.ts";
import { foldIn, type Key, keyOf } from "../core/random.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { type Batch, extrasOf } from "../data/pipeline/dataset.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { type FusedKernel, fuse } from "../jit/fused.ts";
import type { Loss } from "../nn/losses/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { add, keyTensor, mul, square } from "../ops/index.ts";
import { adopt, allocateShards, type Shard } from "./arena.ts";
import { explainNonFinite } from "./diagnose.ts";
import { buildGradientStep, type GradientStep, keyInput, signatureOf } from "./gradient-step.ts";
import type { Metric } from "./metrics/metrics.ts";
import { type Optimizer, rateAt } from "./optimizers.ts";

/** How a parameter's updates differ from the optimizer's. */
export interface ParameterGroup {
  /** Factor of the learning rate; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay; default 1. */
  readonly weightDecayScale?: number;
}

export interface TrainingOptions {
  /** Start of initial values and dropout; default 0. The order of the data has a key of its own, see Dataset.shuffle. */
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
  /** Euclidean norm of the batch's whole gradient, before clipping. */
  readonly gradientNorm: number;
  /** Norm of each parameter's gradient, by path. */
  readonly gradientNorms?: Readonly<Record<string, number>>;
}

/** What must be kept to go on training as if nothing had happened. */
export interface TrainerState {
  readonly batches: number;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** A stretch of a shard whose parameters share their scalars. */
interface Segment extends Required<ParameterGroup> {
  readonly start: number;
  readonly end: number;
}

/** A shard with its compiled loops. */
interface Machine {
  readonly shard: Shard;
  readonly segments: readonly Segment[];
  /** p, slots <- the optimizer's update from the gradients, scaled by the last scalar. */
  readonly update: FusedKernel;
  /** Sums of the squared gradients. */
  readonly squares: { readonly gradients: FusedKernel; readonly accumulated: FusedKernel | undefined };
  /** accumulated <- accumulated + gradients. */
  readonly accumulate: FusedKernel | undefined;
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
  #machines: readonly Machine[] | undefined;
  #restored: Readonly<Record<string, Tensor>> = {};
  #batches = 0;
  #updateSeconds = 0;

  constructor(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    metrics: readonly Metric[] = [],
    options: TrainingOptions = {},
  ) {
    const { accumulate = 1, clipNorm } = options;
    requireKnown("training", options, {
      seed: true,
      clipNorm: true,
      accumulate: true,
      gradientNorms: true,
      groups: true,
      compile: true,
    });
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
    const signature = signatureOf(batch);
    const known = this.#graphs.get(signature);
    if (known) return known;
    this.model.trace(batch.x, { training: true, key: keyInput(), extra: extrasOf(batch) });
    this.model.initialize(this.key);
    this.#machines ??= this.#build();
    const shards = this.#machines.map(({ shard }) => shard);
    const step = await buildGradientStep(this.model, batch, { ...this, shards });
    this.#graphs.set(signature, step);
    return step;
  }

  /**
   * Trains on one batch. Throws NonFiniteError, with the parameters as they were before, when the loss or a gradient is
   * not a finite number.
   */
  async step(batch: Batch): Promise<StepResult> {
    const gradientStep = await this.prepare(batch);
    const key = keyTensor(foldIn(this.key, "step", this.#batches));
    const { loss, statistics } = await gradientStep.run(batch, key);
    const gradientNorm = this.#normOf("gradients");
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      throw await explainNonFinite(this, batch, loss, gradientNorm);
    gradientStep.commit();
    const learningRate = rateAt(this.optimizer, this.updates);
    this.#batches++;
    const began = performance.now();
    this.#apply(learningRate, gradientNorm);
    this.#updateSeconds += (performance.now() - began) / 1000;
    return {
      loss,
      statistics,
      batchSize: batch.x.shape[0] ?? 0,
      learningRate,
      gradientNorm,
      ...(this.options.gradientNorms && { gradientNorms: this.#normsByPath() }),
    };
  }

  /** Euclidean norm of all gradients, of the last batch or accumulated. */
  #normOf(name: "gradients" | "accumulated"): number {
    const machines = this.#machines ?? [];
    const squares = machines.reduce((sum, { shard, squares }) => sum + (squares[name]?.(0, shard.length, []) ?? 0), 0);
    return Math.sqrt(squares);
  }

  /** Norm of the last batch's gradient of each parameter. */
  #normsByPath(): Record<string, number> {
    const slots = (this.#machines ?? []).flatMap(({ shard, squares }) =>
      // What lies between a parameter and the next is zero.
      shard.slots.map(({ path, offset, length }) => [path, Math.sqrt(squares.gradients(offset, offset + length, []))]),
    );
    return Object.fromEntries(slots);
  }

  /** Accumulates, clips and updates. */
  #apply(rate: number, gradientNorm: number): void {
    const { clipNorm, accumulate = 1 } = this.options;
    const machines = this.#machines ?? [];
    for (const { shard, accumulate: add } of machines) add?.(0, shard.length, []);
    if (this.#batches % accumulate !== 0) return;
    let scale = 1 / accumulate;
    if (clipNorm !== undefined) {
      const norm = accumulate === 1 ? gradientNorm : this.#normOf("accumulated") / accumulate;
      scale *= Math.min(1, clipNorm / (norm + 1e-6));
    }
    for (const { shard, segments, update } of machines) {
      for (const { start, end, learningRateScale, weightDecayScale } of segments)
        update(start, end, [
          ...this.optimizer.scalars(this.updates, rate * learningRateScale, weightDecayScale),
          scale,
        ]);
      if (accumulate > 1) shard.vector("accumulated").fill(0);
    }
  }

  /** Seconds that the updates took so far: accumulating, clipping, the optimizer. */
  get updateSeconds(): number {
    return this.#updateSeconds;
  }

  /** Writes the profiles that the compile options asked for; the trainer is done with. */
  endProfiling(): void {
    for (const { executable } of this.#graphs.values()) executable.session.endProfiling();
  }

  /** Everything that must be kept to go on: parameters, buffers, what the optimizer remembers. */
  state(): TrainerState {
    const tensors: Record<string, Tensor> = {};
    for (const [path, { value }] of this.model.parameters()) if (value) tensors[path] = value;
    for (const { shard } of this.#machines ?? [])
      for (const slot of shard.slots)
        for (const name of this.#memoryNames) tensors[`${memoryPrefix}${name}/${slot.path}`] = shard.view(name, slot);
    return { batches: this.#batches, tensors };
  }

  /** Goes back to a saved state; its tensors are copied. Call it before the first step. */
  restore({ batches, tensors }: TrainerState): void {
    if (this.#machines) throw new OptionError("restore a trainer before its first step, not after");
    this.#batches = batches;
    this.#restored = tensors;
  }

  /** Vectors that outlive a step, beside the parameters. */
  get #memoryNames(): readonly string[] {
    return [...this.optimizer.slots, ...((this.options.accumulate ?? 1) > 1 ? ["accumulated"] : [])];
  }

  #build(): readonly Machine[] {
    loadParameters(this.model, this.#restored);
    const trainable = [...this.model.parameters()].filter(([, parameter]) => parameter.trainable);
    if (trainable.length === 0) throw new OptionError("no parameter is trainable; unfreeze some: model.unfreeze()");
    const shards = allocateShards(trainable, ["parameters", "gradients", ...this.#memoryNames]);
    return shards.map((shard) => this.#machine(shard));
  }

  #machine(shard: Shard): Machine {
    const { optimizer } = this;
    const { accumulate = 1, groups, clipNorm } = this.options;
    adopt(shard, "parameters");
    for (const slot of shard.slots)
      for (const name of this.#memoryNames) {
        const saved = this.#restored[`${memoryPrefix}${name}/${slot.path}`];
        if (saved) shard.view(name, slot).data.set(saved.data as Float32Array);
      }
    const slope = shard.vector(accumulate > 1 ? "accumulated" : "gradients");
    const scaled = clipNorm !== undefined || accumulate > 1;
    const { memory } = shard;
    const sumOfSquares = (name: string) =>
      fuse(memory, [shard.vector(name)], 0, ([g]) => ({ results: [], ...(g && { sum: square(g) }) }));
    const vectors = [shard.vector("parameters"), slope, ...optimizer.slots.map((name) => shard.vector(name))];
    return {
      shard,
      segments: segmentsOf(shard, groups),
      update: fuse(memory, vectors, optimizer.scalars(1, 0, 1).length + 1, ([p, g, ...slots], scalars) => {
        if (!p || !g) throw new InternalError("an update needs parameters and gradients");
        const next = optimizer.update({ p, g: scaled ? mul(g, scalars.at(-1) ?? 1) : g, slots, scalars });
        return { results: [next.p, undefined, ...next.slots] };
      }),
      squares: {
        gradients: sumOfSquares("gradients"),
        accumulated: accumulate > 1 ? sumOfSquares("accumulated") : undefined,
      },
      accumulate:
        accumulate === 1
          ? undefined
          : fuse(memory, [slope, shard.vector("gradients")], 0, ([total, g]) => ({
              results: [total && g && add(total, g)],
            })),
    };
  }
}

/** Prefix of the names under which a state holds what the optimizer remembers. */
export const memoryPrefix = "optimizer/";

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
function segmentsOf(shard: Shard, groups: TrainingOptions["groups"]): Segment[] {
  const segments: Segment[] = [];
  for (const [i, { path, parameter, offset }] of shard.slots.entries()) {
    const group = { learningRateScale: 1, weightDecayScale: 1, ...groups?.(path, parameter) };
    const end = shard.slots[i + 1]?.offset ?? shard.length;
    const last = segments.at(-1);
    if (last && last.learningRateScale === group.learningRateScale && last.weightDecayScale === group.weightDecayScale)
      segments[segments.length - 1] = { ...last, end };
    else segments.push({ start: offset, end, ...group });
  }
  return segments;
}
