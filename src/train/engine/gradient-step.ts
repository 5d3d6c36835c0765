/** The graph of one training batch: loss, figures, gradients of the trainable parameters, new buffers. */
import { orZeros } from "../../autodiff/gradients.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { bytesOf, input, type Value } from "../../graph/ir.ts";
import { assignScope } from "../../graph/rewrite.ts";
import { type CompileOptions, compile, type Executable } from "../../jit/compile.ts";
import { packed } from "../../jit/packed.ts";
import type { Compiled } from "../../jit/session-cache.ts";
import { Context } from "../../nn/context.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { add, reshape } from "../../ops/index.ts";
import { ownsMemory } from "../../runtime/session.ts";
import { deriveStep, type StepMemory } from "../../transform/derive-step.ts";
import type { DeviceCopies } from "../store/device-copies.ts";
import type { ParameterStore } from "../store/parameter-store.ts";
import { compileKept, cutStep, inputsOf, type KeptPart } from "./kept-part.ts";
import { type BoundObjective, samplesOf, tensorsOf, type ValuesOf } from "./objective.ts";
import { budgetOf, type MemoryOptions } from "./step-memory.ts";

/** The graph input that takes a step's key. */
export const keyInput = (): Value => input("uint32", [2], "key");

/** What decides the graph of a batch: names, dtypes and shapes of its tensors. */
export const signatureOf = (batch: Batch): string =>
  Object.entries(batch)
    .map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape}]`)
    .sort()
    .join();

/** The graph input that takes the place of a rank's first sample in the batch. */
export const firstInput = (): Value => input("uint32", [], "first");

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
    /** The place of the batch's first sample among those of all ranks, uint32 []; default: the batch is whole. */
    readonly first?: Value | undefined;
  },
): TracedBatch {
  objective.checkNames(Object.keys(batch));
  const values = valuesOfBatch(batch);
  const { first, ...rest } = options;
  const context = new Context(model, { ...rest, ...(first && { part: { first, samples: samplesOf(batch) } }) });
  const { loss, figures, unread } = objective.trace(context, values);
  model.requireMatched();
  const total = context.penalties.reduce((sum, penalty) => add(sum, penalty), loss.mean);
  const statistics = figures.map((own) => own.statistics);
  assignScope([total, ...(typeof loss.weight === "number" ? [] : [loss.weight])], { path: "loss" });
  assignScope(statistics, { path: "metrics" });
  return { context, batch: values, loss: total, weight: loss.weight, statistics, unread };
}

/** Numbers that a step measures. */
export interface GradientResult {
  readonly loss: number;
  readonly weight: number;
  readonly statistics: readonly Float32Array[];
}

export interface GradientStep extends Compiled {
  /** Of the part that is trained. */
  readonly executable: Executable;
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
  /**
   * @param kept what the frozen part gives for the batch, which then needs the tensors of `names` alone
   * @param first the place of the batch's first sample among those of all ranks
   */
  run(batch: Batch, key: Tensor, kept?: readonly Tensor[], first?: number): Promise<GradientResult>;
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
  /** Whether its batches are parts of larger ones, of which other ranks have the rest. */
  readonly parts?: boolean;
  /** What is computed again on the way back. */
  readonly memory?: MemoryOptions;
}

const total = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

/** Compiles the step that writes the gradients of stores' parameters into them. All parameters are inputs, read at each run. */
export async function buildGradientStep(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  { stores, copies, compile: options, cuts = false, parts = false, memory = {} }: GradientStepOptions,
): Promise<GradientStep> {
  const key = keyInput();
  const first = parts ? firstInput() : undefined;
  const inputs = new ParameterInputs();
  const traced = traceBatch(model, objective, batch, { training: true, key, bind: inputs.bind, first });
  const updated = [...traced.context.updates];
  const weight = typeof traced.weight === "number" ? [] : [reshape(traced.weight, [])];
  const whole = [traced.loss, ...weight, ...traced.statistics, ...updated.map(([, value]) => value)];
  const found = cutStep(whole, { ...traced, key, inputs });
  const cut = cuts ? found : "its frozen part is not kept";
  const kept = typeof cut === "string" ? cut : await compileKept(cut, { ...traced, key, inputs }, options);
  const [loss = traced.loss, ...others] = typeof cut === "string" ? whole : cut.outputs;
  const entering = typeof cut === "string" ? [] : cut.entering;
  const wrt = stores
    .flatMap((store) => store.members)
    .map(([, parameter]) => inputs.valueOf(parameter) ?? input(parameter.dtype, parameter.shape));
  const budget = budgetOf(memory, {
    trainable: total(wrt.map(({ shape }) => size(shape))),
    weights: total(inputs.values.map(bytesOf)),
    remembered: total(stores.flatMap((store) => Object.values(store.memories()).map(({ shape }) => 4 * size(shape)))),
  });
  const derived = deriveStep([loss, ...others], { wrt, budget, checkpoint: memory.checkpoint });
  const gradients = derived.gradients.map((gradient, i) => orZeros(gradient, wrt[i] as Value));
  let next = 0;
  const gathered = stores.map((store) => {
    const first = next;
    next += store.members.length;
    return store.gather(gradients.slice(first, next));
  });
  const told = ownsMemory(options?.device)
    ? packed(derived.forward)
    : { outputs: derived.forward, read: (all: readonly Tensor[]) => all };
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
  const executable = await compile(
    [
      ...names.map((name) => traced.batch[name] as Value),
      ...entering,
      key,
      ...(first ? [first] : []),
      ...parameters.values,
    ],
    outputs,
    options,
    new Set(ofGradients),
  );
  const preallocated = [...new Array<undefined>(told.outputs.length), ...gathered.flatMap(({ places }) => places)];
  let fresh: readonly Tensor[] = [];
  return {
    executable,
    executables: typeof kept === "string" ? [executable] : [executable, kept.executable],
    kept,
    frozenShare: typeof found === "string" ? 0 : found.macs.kept / found.macs.all,
    memory: derived.memory,
    names,
    fresh: () => fresh,
    async run(fed, keyValue, known, place = 0) {
      const before = typeof kept === "string" ? [] : (known ?? (await kept.compute(fed)));
      const placed = first ? [new Tensor("uint32", [], Uint32Array.of(place))] : [];
      const given = [...tensorsOf(fed, names), ...before, keyValue, ...placed, ...parameters.tensors()];
      const begin = given.length - places.size;
      for (const { at, parameter } of frozen)
        given[begin + at] = (await copies?.of(parameter, given[begin + at] as Tensor)) as Tensor;
      const results = told.read((await executable.run(given, preallocated)).slice(0, told.outputs.length));
      for (const { filled } of gathered) filled();
      const begun = 1 + weight.length;
      const last = begun + traced.statistics.length;
      fresh = results.slice(last, last + updated.length);
      return {
        loss: results[0]?.item() ?? Number.NaN,
        weight: typeof traced.weight === "number" ? traced.weight : (results[1]?.item() ?? Number.NaN),
        statistics: results.slice(begun, last).map(({ data }) => data as Float32Array),
      };
    },
    commit() {
      for (const [i, [buffer]] of updated.entries())
        (buffer.value?.data as Float32Array | undefined)?.set((fresh[i]?.data ?? []) as Float32Array);
    },
  };
}
