/** TIES merging: trim, elect a sign, merge what agrees (Yadav et al. 2023, "TIES-Merging", section 4, algorithm 1). */
import { flag, number } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import {
  baseOf,
  densityOf,
  densityType,
  type MergeMethod,
  requireTaskVectors,
  taskVectors,
  weightsType,
} from "./method.ts";

/** Options of `ties`. */
export interface TiesOptions {
  /** Share of a task vector that is kept, the largest in size, in (0, 1]; one for all models, or one for each; default 0.2, as in the paper. */
  readonly density?: number | readonly number[];
  /** λ, by which the merged task vector is multiplied; default 1. */
  readonly scale?: number;
  /** How much each model counts; default all alike. */
  readonly weights?: readonly number[];
  /** Divide by the weights of the models that agree, a mean; false: the sum. Default true. */
  readonly normalize?: boolean;
}

const checkOptions = optionsOf<TiesOptions>("ties", {
  density: densityType,
  scale: number,
  weights: weightsType,
  normalize: flag,
});

/**
 * base + λ · disjoint mean: of each task vector θ_i − base the `density` largest elements in size stay, each element takes the sign of
 * the sum over models, and the models of that sign are averaged. Each tensor is trimmed by itself, where the paper trims the model as one
 * vector: tensors are merged one after another. Throws OptionError without a base, and for weights that are not one for each model.
 * @example mergeModules([digits, letters], ties({ density: 0.3 }), { base })
 */
export function ties(options: TiesOptions = {}): MergeMethod {
  const { density = 0.2, scale = 1, weights, normalize = true } = checkOptions(options);
  const name = "ties";
  return {
    name,
    settings: { density, scale, weights, normalize },
    needsBase: true,
    requireModels: (count) => requireTaskVectors(name, { weights, density }, count),
    combine(tensor) {
      const base = baseOf(name, tensor);
      const vectors = taskVectors(tensor.values, base).map((vector, i) => trimmed(vector, densityOf(density, i)));
      const merged = agreed(vectors, weights ?? vectors.map(() => 1), normalize);
      return base.map((value, i) => value + scale * (merged[i] as number));
    },
  };
}

/**
 * The vector with its largest elements in size, ⌈density · length⌉ of them, and zeros elsewhere; of elements of one size those that come
 * first stay.
 */
export function trimmed(vector: Float32Array, density: number): Float32Array {
  const kept = Math.ceil(density * vector.length);
  if (kept >= vector.length) return vector;
  const smallest = nthLargest(vector, kept);
  let room = kept;
  for (const value of vector) if (Math.abs(value) > smallest) room--;
  return vector.map((value) => {
    const size = Math.abs(value);
    return size > smallest || (size === smallest && room-- > 0) ? value : 0;
  });
}

/** The n-th largest of the sizes of elements. The bits of sizes are in the order of the sizes: two counts of 16 bits each find it. */
function nthLargest(vector: Float32Array, n: number): number {
  const sizes = vector.map(Math.abs);
  const bits = new Uint32Array(sizes.buffer, sizes.byteOffset, sizes.length);
  const counts = new Uint32Array(2 ** 16);
  for (const own of bits) (counts[own >>> 16] as number)++;
  const [upper, beyond] = placeOf(counts, n);
  counts.fill(0);
  for (const own of bits) if (own >>> 16 === upper) (counts[own & 0xffff] as number)++;
  const [lower] = placeOf(counts, n - beyond);
  return new Float32Array(Uint32Array.of(((upper << 16) | lower) >>> 0).buffer)[0] as number;
}

/** From above, the place at which `n` are counted, and how many there are above it. */
function placeOf(counts: Uint32Array, n: number): readonly [place: number, above: number] {
  let above = 0;
  for (let place = counts.length - 1; place > 0; place--) {
    if (above + (counts[place] as number) >= n) return [place, above];
    above += counts[place] as number;
  }
  return [0, above];
}

/** Of each element the weighted mean, or sum, over the models whose sign is that of the weighted sum; 0 where there is none. */
export function agreed(vectors: readonly Float32Array[], weights: readonly number[], normalize: boolean): Float32Array {
  return Float32Array.from({ length: vectors[0]?.length ?? 0 }, (_, i) => {
    let elected = 0;
    for (let model = 0; model < vectors.length; model++)
      elected += (weights[model] as number) * ((vectors[model] as Float32Array)[i] as number);
    let [sum, total] = [0, 0];
    for (let model = 0; model < vectors.length; model++) {
      const part = (weights[model] as number) * ((vectors[model] as Float32Array)[i] as number);
      if (part * elected <= 0) continue;
      sum += part;
      total += weights[model] as number;
    }
    return !normalize || total === 0 ? sum : sum / total;
  });
}
