/** The frozen part of a step, compiled apart: what it gives is the same for a sample each time. */
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { nodesOf, type TensorType, type Value } from "../../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../../jit/compile.ts";
import type { Context } from "../../nn/context.ts";
import type { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { type CutStep, cutFrozenPrefix } from "../../transform/frozen-prefix.ts";
import { samplesOf, tensorsOf, type ValuesOf } from "./objective.ts";
import type { PrefixCache } from "./prefix-cache.ts";

/** A traced step that may be cut. */
export interface Traced {
  readonly context: Context;
  readonly batch: ValuesOf<Batch>;
  readonly key: Value;
  readonly inputs: ParameterInputs;
}

/** Inputs of graphs that these values are computed from. */
export function inputsOf(outputs: readonly Value[]): ReadonlySet<Value> {
  const read = nodesOf(outputs).flatMap((node) => node.inputs);
  return new Set([...outputs, ...read].filter((value): value is Value => value !== undefined && !value.producer));
}

/** Cuts a step off its frozen part, whose parameters and buffers nothing changes; why it cannot, in words that follow "since". */
export function cutStep(outputs: readonly Value[], { context, batch, key }: Traced): CutStep | string {
  const changing = [...context.values].flatMap(([parameter, value]) => (parameter.frozen ? [] : [value]));
  const count = samplesOf(batch);
  return cutFrozenPrefix(outputs, { data: Object.values(batch), varying: new Set([key, ...changing]), count });
}

/** The frozen part of a step. */
export interface KeptPart {
  readonly executable: Executable;
  /** What it gives, each sample's along the first axis. */
  readonly types: readonly TensorType[];
  /** Of a batch. */
  compute(batch: Batch): Promise<readonly Tensor[]>;
  /** What it reads of the model, as it is now. */
  frozen(): readonly Tensor[];
}

/** Under which what the frozen part gives stands beside the tensors of a batch. */
export const keptName = (index: number): string => `kept/${index}`;

/** What a frozen part gives, of the tensors that `fieldsOf` or a cache gave. */
export const keptOf = (part: KeptPart, fields: Batch): readonly Tensor[] =>
  part.types.map((_, i) => fields[keptName(i)] as Tensor);

/** What the rest of a step reads of a batch: from the cache where it knows the samples, else computed and kept there. */
export async function fieldsOf(
  part: KeptPart,
  names: readonly string[],
  { samples, batch }: { readonly samples: readonly number[]; readonly batch: Batch },
  cache: PrefixCache,
): Promise<Batch> {
  const frozen = part.frozen();
  if (cache.recognizes(samples, batch, frozen)) return cache.take(samples);
  const given = await part.compute(batch);
  const fields = {
    ...Object.fromEntries(names.map((name) => [name, batch[name] as Tensor])),
    ...Object.fromEntries(given.map((tensor, i) => [keptName(i), tensor])),
  };
  cache.put(samples, batch, fields, frozen);
  return fields;
}

/** Compiles the frozen part of a step. */
export async function compileKept(
  { kept }: CutStep,
  { batch, inputs }: Traced,
  options: CompileOptions | undefined,
): Promise<KeptPart> {
  const used = inputsOf(kept);
  const names = Object.keys(batch).filter((name) => used.has(batch[name] as Value));
  const parameters = inputs.among(used);
  const executable = await compile(
    [...names.map((name) => batch[name] as Value), ...parameters.values],
    [...kept],
    options,
  );
  return {
    executable,
    types: kept.map(({ dtype, shape }) => ({ dtype, shape })),
    compute: (fed) => executable.run([...tensorsOf(fed, names), ...parameters.tensors()]),
    frozen: parameters.tensors,
  };
}
