/** Merging an adapter into the weights of its base, and taking it out again. */
import { gradients } from "../../autodiff/gradients.ts";
import { OptionError } from "../../core/errors.ts";
import { matching, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { asFloat32, copyOf, Tensor } from "../../core/tensor.ts";
import { leavesOf, type Tree } from "../../core/tree.ts";
import { input, type Value } from "../../graph/ir.ts";
import { compile } from "../../jit/compile.ts";
import type { AnyModule, Packed, Parameter } from "../../nn/index.ts";
import { knownValue } from "../../nn/parameter-inputs.ts";
import { predictor } from "../../train/predict.ts";
import type { AdapterSet } from "./adapter-set.ts";
import type { MergedParameter, Place } from "./method.ts";

/** Options of `merge`. */
export interface MergeOptions {
  /** Inputs of the model, on which its outputs before and after are compared. */
  readonly probe: Tree<Tensor>;
  /** The largest difference that counts as rounding, relative to the largest output; default 1e-4. */
  readonly tolerance?: number;
}

const checkOptions = optionsOf<MergeOptions>("merge", {
  probe: required(
    matching<Tree<Tensor>>("inputs of the model", (given) => typeof given === "object" && given !== null),
  ),
  tolerance: positive,
});

/** What a merge did. */
export interface Merged {
  /** The largest difference of an output on the probe, relative to the largest output. */
  readonly difference: number;
  /** Weights that were changed. */
  readonly weights: number;
  /** Gives the weights their own values again, to the bit, and puts the adapters back. */
  unmerge(): Promise<void>;
}

/**
 * Puts what the adapter in use does into the weights beside which it stands, and takes the adapters out of the model: it computes the same
 * without their cost. Weights that were packed are float32 afterwards. The outputs for `probe` are compared before and after, and a
 * difference beyond rounding undoes the merge. Throws OptionError for that, where no adapter is in use, and for kinds that are no change of
 * weights.
 * @example
 * const { difference, unmerge } = await merge(lora, { probe: batch.x });
 */
export async function merge<O, P extends Place>(set: AdapterSet<O, P>, options: MergeOptions): Promise<Merged> {
  const { probe, tolerance = 1e-4 } = checkOptions(options);
  const { model, method, active } = set;
  if (active === undefined) throw new OptionError("merge: no adapter is in use; choose one: await adapters.use(name)");
  if (!method.merged)
    throw new OptionError(
      `merge: an adapter of the kind "${method.kind}" is no change of weights; keep it beside its base`,
    );
  const before = await outputsOf(model, probe);
  const kept = new Map<Parameter, { readonly value: Tensor | undefined; readonly packed: Packed | undefined }>();
  const values = new Map<Parameter, Tensor>();
  for (const place of set.places) {
    const slots = new Map(
      Array.from(set.slotsAt(place), ([own, { module, name, constant }]) => {
        const parameter = module.own.get(name);
        const tensor = parameter ? knownValue(parameter) : tensorOf(constant ?? 1);
        return [own, { value: input("float32", tensor.shape, own), tensor }] as const;
      }),
    );
    const given = Object.fromEntries(Array.from(slots, ([own, { value }]) => [own, value]));
    for (const changed of method.merged(place, given))
      values.set(changed.parameter, await mergedValue(changed, [...slots.values()]));
  }
  // What is trained whole with the adapter stays as it was trained.
  const parameters = model.parameters();
  for (const path of set.savedOf(active)) {
    const parameter = parameters.get(path);
    if (parameter?.value && !values.has(parameter)) values.set(parameter, copyOf(parameter.value));
  }
  await set.detach();
  for (const [parameter, value] of values) {
    kept.set(parameter, { value: parameter.packed ? undefined : parameter.value, packed: parameter.packed });
    parameter.value = value;
  }
  const unmerge = async () => {
    for (const [parameter, { value, packed }] of kept) {
      if (packed) parameter.packed = packed;
      else parameter.value = value;
    }
    await set.attach(active);
  };
  const difference = differenceOf(before, await outputsOf(model, probe));
  if (difference <= tolerance) return { difference, weights: values.size, unmerge };
  await unmerge();
  throw new OptionError(
    `merge: with "${active}" in the weights the outputs differ by ${difference.toExponential(1)} of the largest, which is beyond rounding; a weight that two layers share, such as that of an embedding and the scores of tokens, cannot take up what stands beside one of them: keep the adapter beside its base`,
  );
}

const tensorOf = (number: number): Tensor => new Tensor("float32", [], Float32Array.of(number));

/** What a parameter becomes, whichever way its layer reads it. */
async function mergedValue(
  { parameter, source, read, merged }: MergedParameter,
  slots: readonly { readonly value: Value; readonly tensor: Tensor }[],
): Promise<Tensor> {
  // Reading only moves elements, and its gradient moves them back.
  const moved = gradients([read], [merged], [source]);
  const executable = await compile([source, ...slots.map(({ value }) => value)], moved);
  try {
    const [value] = await executable.run([knownValue(parameter), ...slots.map(({ tensor }) => tensor)]);
    return value as Tensor;
  } finally {
    await executable.session.release();
  }
}

async function outputsOf(model: AnyModule, probe: Tree<Tensor>): Promise<readonly Tensor<"float32">[]> {
  const ask = predictor(model);
  try {
    const outputs = leavesOf(await ask(probe as never));
    return outputs.flatMap(({ leaf }) => (leaf instanceof Tensor ? [asFloat32(leaf)] : []));
  } finally {
    await ask.release();
  }
}

function differenceOf(before: readonly Tensor[], after: readonly Tensor[]): number {
  let [largest, most] = [0, 0];
  for (const [i, { data }] of before.entries())
    for (let j = 0; j < data.length; j++) {
      const own = Number(data[j]);
      largest = Math.max(largest, Math.abs(own));
      const apart = Math.abs(own - Number(after[i]?.data[j]));
      most = Math.max(most, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    }
  return most === 0 ? 0 : most / Math.max(largest, Number.MIN_VALUE);
}
