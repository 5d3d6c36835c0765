/** What a method of merging is: how one tensor of several models becomes one. */
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { eitherOf, listOf, number, positiveShare } from "../../core/option-types.ts";

/** One tensor as the models have it. */
export interface TensorToMerge {
  /** Its path, or its name in the files. */
  readonly path: string;
  /** Its elements in each model, all of one length. */
  readonly values: readonly Float32Array[];
  /** Its elements in the model that the others were fine-tuned from. */
  readonly base?: Float32Array | undefined;
}

/** A way to merge models, tensor by tensor, so that models need not fit into memory. */
export interface MergeMethod {
  /** As the command line has it: `task-arithmetic`. */
  readonly name: string;
  /** How it merges, for whoever asks later: what `merge.json` says. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether it adds up differences from a base. */
  readonly needsBase: boolean;
  /** Throws OptionError for a number of models that it does not take. */
  requireModels(count: number): void;
  /** The merged elements, of the length of each of the values. */
  combine(tensor: TensorToMerge): Float32Array;
}

/** Weights as an option: one finite number for each model. */
export const weightsType = listOf(number, "numbers, one for each model");

/** Densities as an option: shares in (0, 1]. */
export const densityType = eitherOf<number, readonly number[]>(
  positiveShare,
  listOf(positiveShare, "numbers above 0, at most 1"),
  "a number above 0, at most 1, or one for each model",
);

/** The density of a model. */
export const densityOf = (density: number | readonly number[], model: number): number =>
  typeof density === "number" ? density : (density[model] as number);

/** Throws OptionError for densities that are not one for each model. */
function requireDensities(name: string, density: number | readonly number[], count: number): void {
  if (typeof density === "number" || density.length === count) return;
  throw new OptionError(
    `${name}: there ${density.length === 1 ? "is 1 density" : `are ${density.length} densities`} for ${plural(count, "model")}; pass one for all, or one for each`,
  );
}

/** Throws OptionError for weights that are not one for each model, or that are not finite. */
export function requireWeights(name: string, weights: readonly number[] | undefined, count: number): void {
  if (weights === undefined) return;
  if (weights.length !== count)
    throw new OptionError(
      `${name}: there ${weights.length === 1 ? "is" : "are"} ${plural(weights.length, "weight")} for ${plural(count, "model")}; pass one for each`,
    );
  const stray = weights.find((weight) => !Number.isFinite(weight));
  if (stray !== undefined) throw new OptionError(`${name}: a weight is ${stray}; pass finite numbers`);
}

/** Throws OptionError for fewer models than `least`. */
export function requireCount(name: string, count: number, least: number): void {
  if (count < least)
    throw new OptionError(
      `${name}: there ${count === 1 ? "is" : "are"} ${plural(count, "model")}; pass ${least} or more`,
    );
}

/** Weights divided by their sum. Throws OptionError where they sum to 0. */
export function normalized(name: string, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (Math.abs(sum) < 1e-12)
    throw new OptionError(`${name}: the weights ${weights.join(", ")} sum to 0, and are divided by that; pass others`);
  return weights.map((weight) => weight / sum);
}

/** Σ weights · values, added up in float64. @param from what is added to, default zeros */
export function weightedSum(
  values: readonly Float32Array[],
  weights: readonly number[],
  from?: Float32Array,
): Float32Array {
  return Float32Array.from({ length: values[0]?.length ?? 0 }, (_, i) => {
    let sum = from?.[i] ?? 0;
    for (let model = 0; model < values.length; model++)
      sum += (weights[model] as number) * ((values[model] as Float32Array)[i] as number);
    return sum;
  });
}

/** The base of a tensor. Throws OptionError where there is none. */
export function baseOf(name: string, { base }: TensorToMerge): Float32Array {
  if (base) return base;
  throw new OptionError(`${name}: there is no base; pass the model that the others were fine-tuned from`);
}

/** θ − base of each model: its task vector. */
export const taskVectors = (values: readonly Float32Array[], base: Float32Array): readonly Float32Array[] =>
  values.map((own) => own.map((value, i) => value - (base[i] as number)));

/** Throws OptionError unless there is a model, and a weight and a density for each. */
export function requireTaskVectors(
  name: string,
  {
    weights,
    density,
  }: { readonly weights: readonly number[] | undefined; readonly density: number | readonly number[] },
  count: number,
): void {
  requireCount(name, count, 1);
  requireWeights(name, weights, count);
  requireDensities(name, density, count);
}
