/** Kernel SHAP: Shapley values of a sample's features, whatever the model. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { OptionError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, completenessOf } from "../attribution.ts";
import { explainedOf } from "../explained.ts";
import { allCoalitions, type Coalition, type FeatureOptions, Features, featureTypes } from "./features.ts";

/** Options of `kernelShap`. */
export interface KernelShapOptions<O> extends FeatureOptions<O> {
  /** Coalitions to ask the model for, of more than 12 features; default 2048 and two for each feature. */
  readonly samples?: number | undefined;
  /** Of their draws: the same key gives the same values; default keyOf(0). */
  readonly key?: Key;
}

/** Values of features, beside those of elements. */
export interface ShapleyAttribution extends Attribution {
  /** The Shapley value of each feature, which its elements share evenly in `values`. */
  readonly features: readonly number[];
  /** Whether all coalitions were asked for; the values are estimates otherwise. */
  readonly exact: boolean;
}

const checkOptions = optionsOf<KernelShapOptions<never>>("kernelShap", {
  ...featureTypes,
  samples: count(),
  key: keyType,
});

/** All coalitions of so many features are asked for: 4096. */
const mostExact = 12;

/**
 * Shapley values of the elements of a sample [1, …], or of groups of them: what each adds to the score on average over all orders in which
 * features come in, those that are absent replaced by a baseline (Lundberg and Lee 2017, section 4.1). Of up to 12 features the values are exact,
 * by enumeration; of more they are the weighted least squares over coalitions that are drawn by their weight, in pairs of opposites, held to sum
 * to f(x) - f(baseline). Throws what `scoreOf` throws, ShapeError for a baseline or groups of another shape, and OptionError for samples
 * that do not decide the values.
 * @example const { features } = await explain.kernelShap(model, row, { baseline: meanRow });
 */
export async function kernelShap<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: KernelShapOptions<O> = {},
): Promise<ShapleyAttribution> {
  const { samples, key = keyOf(0), ...of } = checkOptions(options as KernelShapOptions<never>);
  const explained = await explainedOf(model, x, options);
  const features = new Features("kernelShap", explained, of);
  const expected = explained.score - (await features.scoreWithout());
  const exact = features.count <= mostExact;
  features.requireFew();
  const values = exact
    ? await enumerated(features)
    : await sampled({
        features,
        samples: samples ?? 2048 + 2 * features.count,
        key,
        base: explained.score - expected,
        total: expected,
      });
  return {
    method: "kernelShap",
    values: features.spread(values),
    features: [...values],
    exact,
    target: explained.target,
    score: explained.score,
    ...completenessOf(values, expected, "the scores are not precise enough: pass numbers of a smaller range"),
  };
}

/** Shapley values by their definition (Shapley 1953): the weighted gains over all coalitions without the feature. */
async function enumerated(own: Features): Promise<Float64Array> {
  const features = own.count;
  const scores = await own.scores(allCoalitions(features));
  /** |S|! (M - |S| - 1)! / M! by the size of S. */
  const weights: number[] = [1 / features];
  for (let size = 1; size < features; size++) weights.push(((weights[size - 1] as number) * size) / (features - size));
  const sizeOf = (bits: number) => bits.toString(2).replaceAll("0", "").length;
  return Float64Array.from({ length: features }, (_, feature) => {
    let sum = 0;
    for (const [bits, score] of scores.entries()) {
      if (bits & (1 << feature)) continue;
      sum += (weights[sizeOf(bits)] as number) * ((scores[bits | (1 << feature)] as number) - score);
    }
    return sum;
  });
}

interface Sampling {
  readonly features: Features;
  readonly samples: number;
  readonly key: Key;
  /** The score without any feature. */
  readonly base: number;
  /** What all features add to it. */
  readonly total: number;
}

/** Shapley values by the least squares over drawn coalitions, the last feature having what the others leave of the sum. */
async function sampled({ features: asked, samples, key, base, total }: Sampling): Promise<Float64Array> {
  const features = asked.count;
  const coalitions = drawn(features, Math.ceil(samples / 2), new Random(foldIn(key, "kernelShap")));
  const scores = await asked.scores(coalitions);
  const width = features - 1;
  const products = Array.from({ length: width }, () => new Float64Array(width));
  const sides = new Float64Array(width);
  for (const [i, present] of coalitions.entries()) {
    const last = present[width] as number;
    const side = (scores[i] as number) - base - last * total;
    const row = Float64Array.from({ length: width }, (_, a) => (present[a] as number) - last);
    for (const [a, left] of row.entries()) {
      if (left === 0) continue;
      sides[a] = (sides[a] as number) + left * side;
      const sums = products[a] as Float64Array;
      for (let b = 0; b < width; b++) sums[b] = (sums[b] as number) + left * (row[b] as number);
    }
  }
  const decomposed = new CholeskyDecomposition(new Matrix(products));
  const pivots = decomposed.lowerTriangularMatrix.diagonal();
  if (!decomposed.isPositiveDefinite() || pivots.some((pivot) => !(pivot > leastPivot)))
    throw new OptionError(
      `kernelShap: ${coalitions.length} coalitions do not decide the values of ${features} features; pass more samples, or groups of elements`,
    );
  const own = decomposed.solve(Matrix.columnVector(sides)).to1DArray();
  return Float64Array.from([...own, total - own.reduce((sum, value) => sum + value, 0)]);
}

/** Products are whole numbers: what is smaller is the rounding of 0. */
const leastPivot = 1e-6;

/** Coalitions and their opposites, of sizes by the weight of their kernel: (M - 1) / (s (M - s)). */
function drawn(features: number, pairs: number, random: Random): readonly Coalition[] {
  const weights = Array.from({ length: features - 1 }, (_, i) => 1 / ((i + 1) * (features - i - 1)));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: pairs }, () => {
    let left = random.uniform(0, all);
    let size = 1;
    for (; size < features - 1 && left >= (weights[size - 1] as number); size++) left -= weights[size - 1] as number;
    const present = new Uint8Array(features);
    for (const feature of random.permutation(features).subarray(0, size)) present[feature] = 1;
    return [present, present.map((own) => 1 - own)];
  }).flat();
}
