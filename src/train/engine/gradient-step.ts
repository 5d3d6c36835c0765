/** The graph of one training batch: loss, figures, gradients of the trainable parameters, new buffers. */
import { orZeros } from "../../autodiff/gradients.ts";
import { size } from "../../core/shape.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { bytesOf, input, type Value } from "../../graph/ir.ts";
import { assignScope } from "../../graph/rewrite.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { packed } from "../../jit/packed.ts";
import type { Compiled } from "../../jit/session-cache.ts";
import { compileStages, meets } from "../../jit/stages.ts";
import { type BatchPart, Context } from "../../nn/context.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { add, cast, div, mul, reshape, scalar, sign, sumOverRanks } from "../../ops/index.ts";
import { ownsMemory } from "../../runtime/session.ts";
import { deriveStep, type StepMemory } from "../../transform/derive-step.ts";
import type { ClippingWay } from "../../transform/sample-gradients/clipped-gradients.ts";
import { type Bucket, bucketsOf } from "../store/buckets.ts";
import type { DeviceCopies } from "../store/device-copies.ts";
import type { ParameterStore } from "../store/parameter-store.ts";
import { clippedStep, requireClippable, type SampleClipping } from "./clipped-step.ts";
import { compileKept, cutStep, inputsOf, type KeptPart } from "./kept-part.ts";
import { type BoundObjective, samplesOf, tensorsOf, type ValuesOf, weightName } from "./objective.ts";
import type { RanksOptions, Share } from "./ranks.ts";
import { budgetOf, type MemoryOptions } from "./step-memory.ts";

/** The graph input that takes a step's key. */
export const keyInput = (): Value => input("uint32", [2], "key");

/** What decides the graph of a batch: names, dtypes and shapes of its tensors. */
export const signatureOf = (batch: Batch): string =>
  Object.entries(batch)
    .map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape}]`)
    .sort()
    .join();

/** The graph inputs that take the place of a rank's first sample in the batch, and its share of the samples. */
export const partInputs = (): readonly [first: Value, share: Value] => [
  input("uint32", [], "first"),
  input("float64", [], "share"),
];

/** Their tensors. */
export const partTensors = ({ first, rows, samples, counts }: Share): readonly Tensor[] => [
  new Tensor("uint32", [], Uint32Array.of(first)),
  new Tensor("float64", [], Float64Array.of(counts ? rows / samples : 0)),
];

/** The graph inputs of a batch, by name. */
export const valuesOfBatch = (batch: Batch): ValuesOf<Batch> =>
  Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, input(dtype, shape, name)]));

/** A traced batch, up to its loss. */
export interface TracedBatch {
  readonly context: Context;
  /** Graph inputs by the names of the batch. */
  readonly batch: ValuesOf<Batch>;
  /** What is minimized: the mean loss, with penalties. */
  readonly loss: Value;
  /** What the mean stands for, a scalar or a number. */
  readonly weight: Value | number;
  /** The mean loss without penalties. */
  readonly mean: Value;
  /** The losses of single samples, [N], without penalties, where they are known. */
  readonly sampleLosses: Value | undefined;
  /** Sum of the penalties on parameters; none where there is none. */
  readonly penalty: Value | undefined;
  /** Statistics of the figures, in their order. */
  readonly statistics: readonly Value[];
  /** Names in the batch that nothing read. */
  readonly unread: readonly string[];
}

/** Traces a batch with its loss and what is measured of it. Throws DataError for names in it that nothing reads. */
export function traceBatch(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  options: {
    readonly training: boolean;
    readonly key?: Value;
    readonly bind?: (parameter: Parameter, path: string) => Value;
    /** The batch is a part of one that ranks share; default: it is whole. */
    readonly part?: Omit<BatchPart, "samples"> | undefined;
  },
): TracedBatch {
  objective.checkNames(Object.keys(batch));
  const values = valuesOfBatch(batch);
  const part = options.part && { ...options.part, samples: samplesOf(batch) };
  const context = new Context(model, { ...options, part });
  const { loss, sampleLosses, figures, unread } = objective.trace(context, values);
  model.requireMatched();
  const penalty = sumOf(context.penalties);
  const total = penalty ? add(loss.mean, penalty) : loss.mean;
  const statistics = figures.map((own) => own.statistics);
  assignScope([total, ...(typeof loss.weight === "number" ? [] : [loss.weight])], { path: "loss" });
  assignScope(statistics, { path: "metrics" });
  return {
    context,
    batch: values,
    loss: total,
    weight: loss.weight,
    mean: loss.mean,
    sampleLosses,
    penalty,
    statistics,
    unread,
  };
}

/** What a rank computes of a step. */
export interface PartOfStep {
  readonly share: Share;
  /** This rank's share of what the losses of all stand for; read where `weightToShare` says so. */
  readonly lossShare: number;
  /** Called with each bucket of the gradients once it is there. */
  readonly ready?: ((bucket: Bucket) => void) | undefined;
}

/** What a step is given beside its batch and key. */
export interface StepInputs {
  /** What the frozen part gives for the batch, which then needs the tensors of `names` alone; default: it is computed. */
  readonly known?: readonly Tensor[] | undefined;
  /** What the batch is of one that ranks share. */
  readonly part?: PartOfStep;
  /** By what gradients come multiplied, of a step whose products are float16; default 1. */
  readonly lossScale?: number;
}

/** Numbers that a step measures. */
export interface GradientResult {
  readonly loss: number;
  readonly weight: number;
  readonly statistics: readonly Float32Array[];
  /** Of clipped samples, how many of a weight above 0 were within the limit of each group. */
  readonly within?: Float32Array | undefined;
}

export interface GradientStep extends Compiled {
  /** Whether its loss is weighted by what this rank's mean stands for among all, so that gradients are sums over ranks as they are. */
  readonly isWeighted: boolean;
  /** What the mean stands for, where the ranks are to tell one another before the step; it is run with this rank's share of it. */
  readonly weightToShare: number | undefined;
  /** The frozen part of the step, where it was cut off; or why it was not. */
  readonly kept: KeptPart | string;
  /** Share of the multiply-adds, without gradients, that the frozen part makes, whether it was cut off or not. */
  readonly frozenShare: number;
  /** What was chosen for a budget of memory; none without one. */
  readonly memory: StepMemory | undefined;
  /** Names of the batch that the step reads beside what is kept. */
  readonly names: readonly string[];
  /** New values of buffers (running statistics), as the last run computed them. */
  fresh(): readonly Tensor[];
  run(batch: Batch, key: Tensor, inputs?: StepInputs): Promise<GradientResult>;
  /** Puts the fresh values of buffers into the model. */
  commit(): void;
}

/** How a gradient step is made. */
export interface GradientStepOptions {
  readonly stores: readonly ParameterStore<Parameter>[];
  /** Of frozen parameters on the device, where it has a memory of its own. */
  readonly copies?: DeviceCopies | undefined;
  readonly compile?: CompileOptions | undefined;
  /** Whether its frozen part is compiled apart. */
  readonly cuts?: boolean;
  /** The ranks that share each batch, and whether it is normalized by the moments of all or of each part. */
  readonly ranks?: RanksOptions | undefined;
  /** In how many buckets gradients are to be there, one after the other; default 1, all at once. */
  readonly buckets?: number | undefined;
  /** What is computed again on the way back. */
  readonly memory?: MemoryOptions;
  /** How each sample's gradient is bounded before they are added up; default not at all. */
  readonly clipping?: SampleClipping | undefined;
}

const sumOf = (values: readonly Value[]): Value | undefined =>
  values.reduce<Value | undefined>((sum, value) => (sum ? add(sum, value) : value), undefined);

const total = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

/** The loss by what its mean stands for among those of all ranks; of a rank whose rows are another's, 0. */
function weightedLoss({ loss, weight }: TracedBatch, share: Value): Value {
  const own = mul(typeof weight === "number" ? scalar(weight) : reshape(weight, []), sign(cast(share, "float32")));
  return mul(loss, div(own, sumOverRanks(own)));
}

/**
 * What an objective sees of a batch whose samples are clipped: not their weights, where it does not read them, or where a sample is alone, of whose whole gradient the weight is a factor.
 */
export function objectiveBatch(
  batch: Batch,
  clipped: { readonly objective: BoundObjective; readonly way: ClippingWay } | undefined,
): Batch {
  if (!clipped || !batch[weightName] || (clipped.way !== "alone" && clipped.objective.readsWeights)) return batch;
  const { [weightName]: _, ...others } = batch;
  return others;
}

/** A batch with the weights that its objective did not read; what a sample alone gives is multiplied by its weight, which is 0 of padding. */
function weightedBatch(traced: TracedBatch, samples: number): TracedBatch {
  const factor = input("float32", [samples], weightName);
  const batch = { ...traced.batch, [weightName]: factor };
  if (samples > 1) return { ...traced, batch };
  const { weight, statistics } = traced;
  const own = reshape(factor, []);
  return { ...traced, batch, weight: mul(own, weight), statistics: statistics.map((value) => mul(value, own)) };
}

/** What is differentiated in place of a loss: its product with the loss scale, which may overflow, with the loss itself behind all others. */
const scaled = ([loss, ...others]: readonly [Value, ...Value[]], scale: Value | undefined): readonly Value[] =>
  scale ? [mul(loss, scale), ...others, loss] : [loss, ...others];
/** The loss and the others of what `scaled` gave. */
const unscaled = (forward: readonly Value[], scale: Value | undefined): readonly Value[] =>
  scale ? [...forward.slice(-1), ...forward.slice(1, -1)] : forward;

/** Compiles the step that writes the gradients of stores' parameters into them. All parameters are inputs, read at each run. */
export async function buildGradientStep(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  {
    stores,
    copies,
    compile: options,
    cuts = false,
    ranks,
    buckets: count = 1,
    memory = {},
    clipping,
  }: GradientStepOptions,
): Promise<GradientStep> {
  if (clipping) requireClippable({ ranks, compile: options, memory });
  const key = keyInput();
  const [first, share] = partInputs();
  const lossShare = input("float32", [], "lossShare");
  const ofPart = ranks ? [first, share, lossShare] : [];
  const part = ranks && { first, share: ranks.normalization === "global" ? share : undefined };
  const inputs = new ParameterInputs();
  const seen = objectiveBatch(batch, clipping && { objective, way: clipping.way });
  const plain = traceBatch(model, objective, seen, { training: true, key, bind: inputs.bind, part });
  const traced = seen === batch ? plain : weightedBatch(plain, samplesOf(batch));
  const updated = [...traced.context.updates];
  const weight = typeof traced.weight === "number" ? [] : [reshape(traced.weight, [])];
  // A device with a memory of its own gives all gradients at once.
  const inBuckets = count > 1 && !ownsMemory(options?.device);
  const isKnown = typeof traced.weight === "number" && !meets([traced.loss]);
  const weightToShare = ranks && inBuckets && isKnown ? Number(traced.weight) : undefined;
  const isWeighted = ranks !== undefined && (inBuckets || meets([traced.loss]));
  const minimized =
    weightToShare !== undefined ? mul(traced.loss, lossShare) : isWeighted ? weightedLoss(traced, share) : traced.loss;
  const whole = [minimized, ...weight, ...traced.statistics, ...updated.map(([, value]) => value)];
  const found = cutStep(whole, { ...traced, key, inputs });
  const cut = cuts && !clipping ? found : "its frozen part is not kept";
  const kept = typeof cut === "string" ? cut : await compileKept(cut, { ...traced, key, inputs }, options);
  const [loss = minimized, ...measured] = typeof cut === "string" ? whole : cut.outputs;
  const entering = typeof cut === "string" ? [] : cut.entering;
  const wrt = stores
    .flatMap((store) => store.members)
    .map(([, parameter]) => inputs.valueOf(parameter) ?? input(parameter.dtype, parameter.shape));
  const budget = budgetOf(memory, {
    trainable: total(wrt.map(({ shape }) => size(shape))),
    weights: total(inputs.values.map(bytesOf)),
    remembered: total(stores.flatMap((store) => Object.values(store.memories()).map(({ shape }) => 4 * size(shape)))),
  });
  const scale = options?.precision === "float16" ? [input("float32", [], "lossScale")] : [];
  const limits = clipping ? [input("float32", [clipping.limits.length], "limits")] : [];
  const derived = clipping
    ? clippedStep([loss, ...measured], { model, traced, wrt, clipping, limits: limits[0] as Value })
    : deriveStep(scaled([loss, ...measured], scale[0]), { wrt, budget, checkpoint: memory.checkpoint });
  const forward = unscaled(derived.forward, scale[0]);
  const gradients = derived.gradients.map((gradient, i) => orZeros(gradient, wrt[i] as Value));
  let next = 0;
  const gathered = stores.map((store) => {
    const first = next;
    next += store.members.length;
    return store.gather(gradients.slice(first, next));
  });
  const told = ownsMemory(options?.device)
    ? packed(forward)
    : { outputs: forward, read: (all: readonly Tensor[]) => all };
  const ofGradients = gathered.flatMap((own) => own.outputs);
  const outputs = [...told.outputs, ...ofGradients];
  const used = typeof cut === "string" ? undefined : inputsOf(outputs);
  const names = Object.keys(batch).filter((name) => used?.has(traced.batch[name] as Value) ?? true);
  const parameters = used ? inputs.among(used) : inputs;
  const places = new Map(parameters.values.map((value, at) => [value, at]));
  const frozen = [...model.parameters().values()].flatMap((parameter) => {
    const value = copies && parameter.frozen ? inputs.valueOf(parameter) : undefined;
    const at = value && places.get(value);
    return at === undefined ? [] : [{ at, parameter }];
  });
  const buckets = bucketsOf(
    stores.flatMap((store) => store.shards),
    count,
  );
  // What is measured comes with the first of them.
  const groups = buckets.map(({ places }, i) => [
    ...(i === 0 ? told.outputs.keys() : []),
    ...places.map((place) => told.outputs.length + place),
  ]);
  const compiled = await compileStages(
    [
      ...names.map((name) => traced.batch[name] as Value),
      ...[...entering, key, ...ofPart, ...scale, ...limits],
      ...parameters.values,
    ],
    outputs,
    options,
    new Set(ofGradients),
    {
      sum: async (values) => ranks?.communicator.sum(values),
      ...(inBuckets && { groups }),
    },
  );
  const preallocated = [...new Array<undefined>(told.outputs.length), ...gathered.flatMap(({ places }) => places)];
  let fresh: readonly Tensor[] = [];
  return {
    executables: [...compiled.executables, ...(typeof kept === "string" ? [] : [kept.executable])],
    isWeighted,
    weightToShare,
    kept,
    frozenShare: typeof found === "string" ? 0 : found.macs.kept / found.macs.all,
    memory: derived.memory,
    names,
    fresh: () => fresh,
    async run(fed, keyValue, { known, part, lossScale = 1 } = {}) {
      const before = typeof kept === "string" ? [] : (known ?? (await kept.compute(fed)));
      const placed = ranks && part ? [...partTensors(part.share), tensor(part.lossShare)] : [];
      const factor = scale.map(() => tensor(lossScale));
      const bounds = clipping ? [new Tensor("float32", [clipping.limits.length], clipping.limits)] : [];
      const given = [
        ...tensorsOf(fed, names),
        ...[...before, keyValue, ...placed, ...factor, ...bounds],
        ...parameters.tensors(),
      ];
      const begin = given.length - places.size;
      for (const { at, parameter } of frozen)
        given[begin + at] = (await copies?.of(parameter, given[begin + at] as Tensor)) as Tensor;
      const ready = inBuckets ? (group: number) => part?.ready?.(buckets[group] as Bucket) : undefined;
      const results = told.read((await compiled.run(given, preallocated, ready)).slice(0, told.outputs.length));
      for (const { filled } of gathered) filled();
      const begun = 1 + weight.length;
      const last = begun + traced.statistics.length;
      fresh = results.slice(last, last + updated.length);
      return {
        loss: results[0]?.item() ?? Number.NaN,
        weight: typeof traced.weight === "number" ? traced.weight : (results[1]?.item() ?? Number.NaN),
        statistics: results.slice(begun, last).map(({ data }) => data as Float32Array),
        ...(clipping && { within: results[last + updated.length]?.data as Float32Array }),
      };
    },
    commit() {
      for (const [i, [buffer]] of updated.entries())
        (buffer.value?.data as Float32Array | undefined)?.set((fresh[i]?.data ?? []) as Float32Array);
    },
  };
}
