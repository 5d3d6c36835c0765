/** DARE: drop elements of task vectors at random and rescale the rest (Yu et al. 2024, "Language models are super Mario", section 3.2). */
import { flag, number, oneOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyType, Random } from "../../core/random.ts";
import {
  baseOf,
  densityOf,
  densityType,
  type MergeMethod,
  normalized,
  requireTaskVectors,
  taskVectors,
  weightedSum,
  weightsType,
} from "./method.ts";
import { agreed } from "./ties.ts";

/** Options of `dare`. */
export interface DareOptions {
  /** Of which it is drawn what is dropped; the same key, path and place of a model drop the same elements. */
  readonly key: Key;
  /** Probability that an element is kept, in (0, 1]; one for all models, or one for each; default 0.5. */
  readonly density?: number | readonly number[];
  /** What becomes of the rest: `"sum"` as in task arithmetic, `"ties"` with elected signs; default `"sum"`. */
  readonly combine?: "sum" | "ties";
  /** λ of each model; default 1 each. */
  readonly weights?: readonly number[];
  /** Divide by the weights: by their sum, or with elected signs by those that agree. Default false. */
  readonly normalize?: boolean;
  /** By which the merged task vector is multiplied; default 1. */
  readonly scale?: number;
}

const checkOptions = optionsOf<DareOptions>("dare", {
  key: required(keyType),
  density: densityType,
  combine: oneOf("sum", "ties"),
  weights: weightsType,
  normalize: flag,
  scale: number,
});

/**
 * Each element of a task vector θ_i − base is kept with probability `density` and divided by it, else 0, so that its expectation over keys
 * stays; then they are added to the base. Throws OptionError without a base, and for weights that are not one for each model.
 * @example mergeModules([digits, letters], dare({ key: keyOf(1), density: 0.3 }), { base })
 */
export function dare(options: DareOptions): MergeMethod {
  const { key, density = 0.5, combine = "sum", weights, normalize = false, scale = 1 } = checkOptions(options);
  const name = combine === "ties" ? "dare-ties" : "dare";
  return {
    name,
    settings: { density, scale, weights, normalize, key },
    needsBase: true,
    requireModels: (count) => requireTaskVectors(name, { weights, density }, count),
    combine(tensor) {
      const base = baseOf(name, tensor);
      const vectors = taskVectors(tensor.values, base).map((vector, model) =>
        dropped(vector, densityOf(density, model), foldIn(key, "dare", tensor.path, model)),
      );
      const own = weights ?? vectors.map(() => 1);
      const merged =
        combine === "ties"
          ? agreed(vectors, own, normalize)
          : weightedSum(vectors, normalize ? normalized(name, own) : own);
      return base.map((value, i) => value + scale * (merged[i] as number));
    },
  };
}

/** Elements kept with a probability, and divided by it. */
function dropped(vector: Float32Array, density: number, key: Key): Float32Array {
  const random = new Random(key);
  return vector.map((value) => (random.uniform() < density ? value / density : 0));
}
