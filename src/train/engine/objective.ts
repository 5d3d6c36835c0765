/** Objectives: what a batch is to be trained on, as a loss and whatever else is to be known of it. */
import { DataError, nearest, OptionError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { nodesOf, Value } from "../../graph/ir.ts";
import type { Context } from "../../nn/context.ts";
import { takenNames, takenOf } from "../../nn/inputs.ts";
import type { Loss } from "../../nn/losses/loss.ts";
import { type LossTerms, sampleMeans, type WeightedMean, weighted, weightedMeanOf } from "../../nn/losses/terms.ts";
import type { AnyModule, Module } from "../../nn/module.ts";
import { add, mul } from "../../ops/index.ts";
import { type Counting, type Figure, type Metric, ratio, statistics } from "../metrics/metric.ts";

/** The tensors of a batch as graph values, by name. */
export type ValuesOf<B extends Batch> = { readonly [K in keyof B]: Value };

/** A figure of a batch: a scalar, which is averaged over samples, or a mean with the weight that it stands for. */
export type Quantity = Value | WeightedMean;

/** What an objective makes of a batch. */
export interface Objected {
  /** To be minimized: a scalar, which is taken for the mean over the samples, or a mean with its weight. */
  readonly loss: Quantity;
  /** What metrics read; default nothing. */
  readonly outputs?: unknown;
  /** Further figures to log, by name; default none. */
  readonly figures?: Readonly<Record<string, Quantity>>;
}

/**
 * From a batch to a loss, by whatever the context's modules compute. Runs once for each shape of batches, to be traced.
 * @example
 * const objective: Objective<{ x: Tensor }> = (context, { x }) => {
 *   const { logits, divergence } = vae.apply(x, context);
 *   return { loss: ops.add(reconstruction(logits, x), ops.reduceMean(divergence)), figures: { divergence: ops.reduceMean(divergence) } };
 * };
 */
export type Objective<B extends Batch = Batch> = (context: Context, batch: ValuesOf<B>) => Objected;

/** The loss of one of several outputs. */
export interface OutputLoss {
  /** Compares the output with its target. */
  readonly loss: Loss;
  /** Factor in the sum of all losses; default 1. */
  readonly weight?: number;
  /** Measured on this output; default nothing. */
  readonly metrics?: readonly Metric[];
  /** The tensor of the batch that it is compared with; default the one of the output's name. */
  readonly target?: string;
}

/**
 * One loss, which compares the only output with `y`; or a loss for each output, by its path in what the model gives.
 * @example
 * loss: { digit: crossEntropy(), size: { loss: huber(), weight: 0.5, target: "height" } }
 */
export type LossSpec = Loss<never> | Readonly<Record<string, Loss | OutputLoss>>;

/** A figure and its statistics in a traced batch. */
export interface TracedFigure {
  readonly figure: Figure;
  readonly statistics: Value;
}

/** What is minimized and measured of a batch. */
export interface TracedObjective {
  /** The scalar to minimize, without penalties. */
  readonly loss: WeightedMean;
  /** The loss of each sample, [N], where it is known: a loss that gives one number alone does not tell. */
  readonly sampleLosses: Value | undefined;
  readonly figures: readonly TracedFigure[];
  /** Names in the batch that nothing read, in training. */
  readonly unread: readonly string[];
}

/** An objective with what it measures. */
export interface BoundObjective {
  /** What each batch is measured by beside the loss, in the order of the statistics. */
  readonly figures: readonly Figure[];
  /** Whether those are all: an objective of your own gives its figures when it is traced. */
  readonly isComplete: boolean;
  /** Whether it counts samples by the weights of a batch; an objective of your own need not. */
  readonly readsWeights: boolean;
  /** Traces a batch. `training` leaves it to the context whether dropout drops. */
  trace(context: Context, batch: ValuesOf<Batch>): TracedObjective;
  /** Throws DataError for names in a batch that nothing reads, where that is known before tracing. */
  checkNames(names: readonly string[]): void;
}

/** Name of the tensor of a batch that weighs its samples. */
export const weightName = "weight";

/** Samples of a batch: the extent of the first axis. */
export const samplesOf = (batch: Readonly<Record<string, { readonly shape: readonly number[] }>>): number =>
  Object.values(batch)[0]?.shape[0] ?? 0;

/** Throws DataError for a batch without samples, of which there is no mean. */
export function requireSamples(batch: Batch): void {
  const empty = Object.entries(batch).find(([, { shape }]) => shape[0] === 0);
  if (empty)
    throw new DataError(
      `the batch has no samples: ${empty[0]} is ${showShape(empty[1].shape)}; leave empty batches out of the data`,
    );
}

/** A quantity with its weight: a scalar stands for the samples of the batch. */
function weightedOf(name: string, quantity: Quantity, samples: number): WeightedMean {
  const { mean, weight } = quantity instanceof Value ? { mean: quantity, weight: samples } : quantity;
  if (!(mean instanceof Value) || mean.rank !== 0)
    throw new ShapeError(
      `the ${name} must be a scalar, got ${mean instanceof Value ? mean : typeof mean}; reduce it, e.g. reduceMean(${name})`,
    );
  return { mean, weight };
}

/** A mean as a figure: its statistics are Σ mean · weight and Σ weight. */
export const meanFigure = (name: string, direction: "up" | "down" = "down"): Figure => ({
  name,
  size: 2,
  result: ratio,
  direction,
});

const statisticsOf = ({ mean, weight }: WeightedMean): Value => statistics(mul(mean, weight), weight);

/** The value at a path of what a model gives. Throws OptionError with the nearest path. */
function outputAt(outputs: unknown, path: string, who: string): Value {
  const leaves = leavesOf(outputs).filter(({ leaf }) => leaf instanceof Value);
  const found = leaves.find((own) => own.path === path);
  if (found) return found.leaf as Value;
  const paths = leaves.map((own) => own.path);
  const closest = nearest(path, paths);
  throw new OptionError(
    `${who} reads the output "${path}", which the model does not give${closest ? `; did you mean "${closest}"?` : ""} It gives ${paths.join(", ") || "one tensor"}.`,
  );
}

/** The only output. Throws OptionError where there are several. */
function onlyOutput(outputs: unknown, who: string): Value {
  if (outputs instanceof Value) return outputs;
  const paths = leavesOf(outputs).flatMap(({ leaf, path }) => (leaf instanceof Value ? [path] : []));
  throw new OptionError(
    paths.length === 0
      ? `${who} needs an output, and the objective gives none; return { loss, outputs }`
      : `${who} reads one output, and there are ${paths.join(", ")}; name it: reading(${who}(), { output: "${paths[0]}" }), or a loss for each output`,
  );
}

/** The statistics of a metric on a batch. Throws OptionError for an output that it cannot read, DataError for a target that the batch lacks. */
export function measured(
  metric: Metric,
  outputs: unknown,
  batch: ValuesOf<Batch>,
  counting: Counting & { readonly target?: string },
): Value {
  const { output: path, target: name = counting.target ?? "y" } = metric.reads ?? {};
  const output = path === undefined ? onlyOutput(outputs, metric.name) : outputAt(outputs, path, metric.name);
  const target = targetNamed(batch, name, metric.name);
  let isRead = false;
  const watched: Counting = {
    ignoreIndex: counting.ignoreIndex,
    get weight() {
      isRead = true;
      return counting.weight;
    },
  };
  const statistics = metric.update(output, target, watched);
  if (counting.weight && !isRead)
    throw new OptionError(
      `the batch has weights of samples, which ${metric.name} does not read; count each sample as much as the weight in its update(output, target, { weight }), or take "${weightName}" out of the batch`,
    );
  return statistics;
}

function targetNamed(batch: ValuesOf<Batch>, name: string, who: string): Value {
  const target = batch[name];
  if (target) return target;
  throw new OptionError(
    `${who} compares with "${name}", and the batch has ${Object.keys(batch).join(", ")}; name another tensor, or give the batch one: map((batch) => ({ ...batch, ${name}: … }))`,
  );
}

/** Whether other steps train on the same batches: what one leaves unread another may read. */
export interface Sharing {
  readonly isShared: boolean;
}

/** An objective of your own, with metrics of its outputs. */
export function boundObjective<B extends Batch>(
  objective: Objective<B>,
  metrics: readonly Metric[],
  { isShared }: Sharing,
): BoundObjective {
  let figures: readonly Figure[] | undefined;
  const traceOnce = (context: Context, batch: ValuesOf<Batch>) => {
    const samples = samplesOf(batch);
    const made = objective(context, batch as ValuesOf<B>);
    if (typeof made !== "object" || made === null || !("loss" in made))
      throw new OptionError("an objective must return { loss }, a scalar, and may add outputs and figures");
    const { loss, outputs, figures: own = {} } = made;
    const { [weightName]: weight } = batch;
    return {
      loss: weightedOf("loss", loss, samples),
      sampleLosses: undefined,
      figures: [
        ...Object.entries(own).map(([name, quantity]) => ({
          figure: meanFigure(name),
          statistics: statisticsOf(weightedOf(name, quantity, samples)),
        })),
        ...metrics.map((metric) => ({ figure: metric, statistics: measured(metric, outputs, batch, { weight }) })),
      ],
    };
  };
  return {
    get figures() {
      return figures ?? metrics;
    },
    get isComplete() {
      return figures !== undefined;
    },
    readsWeights: false,
    trace(context, batch) {
      const traced = traceOnce(context, batch);
      figures = traced.figures.map(({ figure }) => figure);
      // In evaluation less may be read: a weight of a loss that is for training only.
      const unread = context.training ? unreadOf(batch, context, traced) : [];
      if (!isShared) refuseUnread(unread);
      return { ...traced, unread };
    },
    checkNames: () => undefined,
  };
}

/** A part of the loss: an output, its target, what is measured. */
interface Part extends Required<Pick<OutputLoss, "loss" | "weight" | "metrics">> {
  /** Path of the output; `undefined` for the only one. */
  readonly output: string | undefined;
  readonly target: string;
}

function partsOf(spec: LossSpec, metrics: readonly Metric[]): readonly Part[] {
  if (typeof spec === "function")
    return [{ loss: spec as Loss, weight: 1, metrics, output: undefined, target: spec.target ?? "y" }];
  const entries = Object.entries(spec);
  if (entries.length === 0)
    throw new OptionError("there is no loss; name one for an output: { loss: { name: crossEntropy() } }");
  return entries.map(([output, own]) => {
    const { loss, weight = 1, metrics: ofOutput = [], target } = typeof own === "function" ? { loss: own } : own;
    if (typeof loss !== "function")
      throw new OptionError(
        `the loss of output "${output}" is no loss; pass one such as crossEntropy(), or { loss, weight, metrics }`,
      );
    if (!Number.isFinite(weight)) throw new OptionError(`the weight of output "${output}" is ${weight}; pass a number`);
    return { loss, weight, metrics: ofOutput, output, target: target ?? loss.target ?? output };
  });
}

/** A mean loss, and the loss of each sample where it is known. */
interface LossOfPart {
  readonly loss: WeightedMean;
  readonly sampleLosses?: Value;
}

const ofTerms = (terms: LossTerms): LossOfPart => ({ loss: weightedMeanOf(terms), sampleLosses: sampleMeans(terms) });

/** The loss of an output against its target. */
function lossOfPart(part: Part, outputs: unknown, batch: ValuesOf<Batch>, samples: number): LossOfPart {
  const { loss, output: path, target: name } = part;
  const who = path === undefined ? "the loss" : `the loss of output "${path}"`;
  const output = path === undefined ? outputs : outputAt(outputs, path, who);
  const target = targetNamed(batch, name, who);
  const { [weightName]: weight } = batch;
  // A loss of your own may give a scalar, or one term a sample.
  const { terms } = loss as Loss<unknown>;
  if (terms) return ofTerms(weighted(who, terms(output, target), weight));
  const value = (loss as Loss<unknown>)(output, target);
  if (value instanceof Value && value.rank > 0 && value.shape[0] === samples)
    return ofTerms(weighted(who, { terms: value }, weight));
  if (weight) weighted(who, { terms: value }, weight);
  if (value instanceof Value && value.rank > 0)
    throw new ShapeError(
      `${who} must be a scalar or one term a sample [${samples}], got ${showShape(value.shape)}; reduce it, e.g. reduceMean(loss)`,
    );
  return { loss: weightedOf("loss", value, samples) };
}

/** The losses of a model's outputs, with metrics. Losses that are named are logged by name, and summed by their weights. */
export function lossObjective(
  model: AnyModule,
  spec: LossSpec,
  metrics: readonly Metric[],
  { isShared }: Sharing,
): BoundObjective {
  const parts = partsOf(spec, metrics);
  const isNamed = typeof spec !== "function";
  const named = (part: Part, name: string) => (isNamed ? `${part.output}_${name}` : name);
  const beside = isNamed ? metrics : [];
  const figures: readonly Figure[] = [
    ...parts.flatMap((part) => [
      ...(isNamed ? [meanFigure(named(part, "loss"))] : []),
      ...part.metrics.map((metric) => ({ ...metric, name: named(part, metric.name) })),
    ]),
    ...beside,
  ];
  const targets = new Set([
    ...parts.flatMap((part) => [part.target, ...part.metrics.map(({ reads }) => reads?.target ?? part.target)]),
    ...beside.map(({ reads }) => reads?.target ?? "y"),
  ]);
  const inputsOf = <T>(batch: Readonly<Record<string, T>>) =>
    model.inputs === "tree"
      ? Object.fromEntries(Object.entries(batch).filter(([name]) => name !== weightName && !targets.has(name)))
      : batch;
  const unreadOf = (names: readonly string[]): readonly string[] => {
    const taken = takenNames(
      model.inputs,
      Object.keys(inputsOf(Object.fromEntries(names.map((name) => [name, true])))),
    );
    const known = new Set([...taken, ...targets, weightName]);
    return names.filter((name) => !known.has(name));
  };
  return {
    figures,
    isComplete: true,
    readsWeights: true,
    checkNames(names) {
      const [stray] = unreadOf(names);
      if (stray === undefined || isShared) return;
      const form = model.inputs;
      const takes = form === "tensor" ? "x" : form === "tree" ? "any" : Object.keys(form).join(", ");
      const wanted = [...(form === "tensor" ? ["x"] : form === "tree" ? [] : Object.keys(form)), ...targets];
      const meant = nearest(
        stray,
        wanted.filter((name) => !names.includes(name)),
      );
      throw new DataError(
        `the batch has "${stray}", which nothing reads: the model takes ${takes}, the loss and the metrics ${[...targets].join(", ")}; ${meant ? `is it meant as "${meant}"? R` : "r"}ename it or take it out: map(({ ${stray}, ...batch }) => batch)`,
      );
    },
    trace(context, batch) {
      const samples = samplesOf(batch);
      const { [weightName]: weight } = batch;
      const outputs = (model as Module<unknown, unknown>).apply(takenOf(model.inputs, inputsOf(batch)), context);
      const losses = parts.map((part) => lossOfPart(part, outputs, batch, samples));
      const statisticsOfPart = (part: Part, i: number): readonly Value[] => {
        const { loss, output: path, target } = part;
        const whole = path === undefined ? outputs : outputAt(outputs, path, "a metric");
        const read = (loss as Loss<unknown>).predictions?.(whole) ?? whole;
        const counting = { weight, ignoreIndex: loss.ignoreIndex, target };
        const own = part.metrics.map((metric) =>
          measured(metric, metric.reads?.output ? outputs : read, batch, counting),
        );
        return [...(isNamed ? [statisticsOf((losses[i] as LossOfPart).loss)] : []), ...own];
      };
      const found = [
        ...parts.flatMap(statisticsOfPart),
        ...beside.map((metric) => measured(metric, outputs, batch, { weight })),
      ];
      return {
        ...(isNamed ? summed(parts, losses, samples) : { sampleLosses: undefined, ...(losses[0] as LossOfPart) }),
        figures: found.map((own, i) => ({ figure: figures[i] as Figure, statistics: own })),
        unread: unreadOf(Object.keys(batch)),
      };
    },
  };
}

/** Σ weight · mean of several losses, which stands for the samples of the batch; and of the losses of samples. */
function summed(
  parts: readonly Part[],
  losses: readonly LossOfPart[],
  samples: number,
): Pick<TracedObjective, "loss" | "sampleLosses"> {
  const sumOf = (values: readonly Value[]) =>
    values
      .map((value, i) => {
        const { weight } = parts[i] as Part;
        return weight === 1 ? value : mul(value, weight);
      })
      .reduce((sum, value) => add(sum, value));
  const ofSamples = losses.flatMap(({ sampleLosses }) => sampleLosses ?? []);
  return {
    loss: { mean: sumOf(losses.map(({ loss }) => loss.mean)), weight: samples },
    sampleLosses: ofSamples.length === losses.length ? sumOf(ofSamples) : undefined,
  };
}

/** Names of tensors of a batch on which nothing depends that an objective computed. */
function unreadOf(
  batch: ValuesOf<Batch>,
  { records, updates }: Context,
  { loss, figures }: Omit<TracedObjective, "unread">,
): readonly string[] {
  const computed = [
    loss.mean,
    ...(loss.weight instanceof Value ? [loss.weight] : []),
    ...figures.map((own) => own.statistics),
    ...updates.values(),
    ...records.flatMap(({ outputs }) => outputs),
  ];
  const read = new Set([...computed, ...nodesOf(computed).flatMap(({ inputs }) => inputs)]);
  return Object.keys(batch).filter((name) => !read.has(batch[name]));
}

/** Throws DataError where a name in a batch is read by none. */
export function refuseUnread([stray]: readonly string[]): void {
  if (stray !== undefined)
    throw new DataError(
      `the batch has "${stray}", on which neither the loss nor a figure depends; take it out: map(({ ${stray}, ...batch }) => batch)`,
    );
}

/** A batch's tensors in the order of names. Throws DataError for one that lacks a name. */
export const tensorsOf = (batch: Batch, names: readonly string[]): readonly Tensor[] =>
  names.map((name) => {
    const tensor = batch[name];
    if (!tensor) throw new DataError(`a batch lacks "${name}"; every batch must have the same tensors`);
    return tensor;
  });
