/** Kernel SHAP: Shapley values of a sample's features, whatever the model. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { isFloat } from "../../core/dtype.ts";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { count, matching } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { Tensor, zerosTensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, completenessOf, type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import { explainedOf } from "../explained.ts";
import { baselineType } from "../gradients/integrated-gradients.ts";

/** Options of `kernelShap`. */
export interface KernelShapOptions<O> extends ExplainOptions<O> {
  /** What stands for features that are absent, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** The feature that each element belongs to, integers from 0 of the shape of the input; default each element is one. */
  readonly groups?: Tensor | undefined;
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
  ...explainTypes,
  baseline: baselineType,
  groups: matching<Tensor | undefined>(
    "a tensor of integers of the shape of the input",
    (own) => own instanceof Tensor,
  ),
  samples: count(),
  key: keyType,
});

/** All coalitions of so many features are asked for: 4096. */
const mostExact = 12;

/** The features that are present, 1, and absent, 0. */
type Coalition = Uint8Array;

/** The feature of each element, and how many there are. */
function featuresOf(
  x: Tensor,
  groups: Tensor | undefined,
): { readonly of: Uint32Array; readonly sizes: readonly number[] } {
  if (groups && !sameShape(groups.shape, x.shape))
    throw new ShapeError(
      `kernelShap: groups are ${showShape(groups.shape)}, the input ${showShape(x.shape)}; pass the feature of each element`,
    );
  if (groups && isFloat(groups.dtype))
    throw new DTypeError(`kernelShap: groups are ${groups.dtype}; pass integers: tensor(numbers, { dtype: "int32" })`);
  const numbers = groups?.toNumbers() ?? Array.from({ length: x.data.length }, (_, i) => i);
  // There are no more features than elements.
  const outside = numbers.find((feature) => feature < 0 || feature >= numbers.length);
  if (outside !== undefined)
    throw new OptionError(`kernelShap: groups name a feature ${outside}; number features from 0 without gaps`);
  const sizes = new Array<number>(greatest(numbers) + 1).fill(0);
  for (const feature of numbers) sizes[feature] = (sizes[feature] ?? 0) + 1;
  const lacking = sizes.indexOf(0);
  if (lacking >= 0)
    throw new OptionError(
      `kernelShap: groups have no element of feature ${lacking}; number features from 0 without gaps`,
    );
  return { of: Uint32Array.from(numbers), sizes };
}

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
  const { baseline, groups, samples, key = keyOf(0) } = checkOptions(options as KernelShapOptions<never>);
  const explained = await explainedOf(model, x, options);
  const absent = requireLike("the baseline", baseline ?? zerosTensor(x.dtype, x.shape), x);
  const { of, sizes } = featuresOf(x, groups);
  const scoresOf = (coalitions: readonly Coalition[]) =>
    explained.scores(coalitions.length, (i, into) => {
      const present = coalitions[i] as Coalition;
      for (let j = 0; j < of.length; j++) into[j] = (present[of[j] as number] ? x.data[j] : absent.data[j]) as number;
    });
  const expected = explained.score - (await explained.scoreAt(absent));
  const exact = sizes.length <= mostExact;
  const features = exact
    ? await enumerated(sizes.length, scoresOf)
    : await sampled({
        features: sizes.length,
        samples: samples ?? 2048 + 2 * sizes.length,
        key,
        scoresOf,
        base: explained.score - expected,
        total: expected,
      });
  const values = Float32Array.from(of, (feature) => (features[feature] as number) / (sizes[feature] as number));
  return {
    method: "kernelShap",
    values: new Tensor("float32", x.shape, values),
    features: [...features],
    exact,
    target: explained.target,
    score: explained.score,
    ...completenessOf(features, expected, "the scores are not precise enough: pass numbers of a smaller range"),
  };
}

/** Shapley values by their definition (Shapley 1953): the weighted gains over all coalitions without the feature. */
async function enumerated(
  features: number,
  scoresOf: (coalitions: readonly Coalition[]) => Promise<Float64Array>,
): Promise<Float64Array> {
  const scores = await scoresOf(
    Array.from({ length: 2 ** features }, (_, bits) =>
      Uint8Array.from({ length: features }, (_, feature) => (bits >> feature) & 1),
    ),
  );
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
  readonly features: number;
  readonly samples: number;
  readonly key: Key;
  readonly scoresOf: (coalitions: readonly Coalition[]) => Promise<Float64Array>;
  /** The score without any feature. */
  readonly base: number;
  /** What all features add to it. */
  readonly total: number;
}

/** Shapley values by the least squares over drawn coalitions, the last feature having what the others leave of the sum. */
async function sampled({ features, samples, key, scoresOf, base, total }: Sampling): Promise<Float64Array> {
  const coalitions = drawn(features, Math.ceil(samples / 2), new Random(foldIn(key, "kernelShap")));
  const scores = await scoresOf(coalitions);
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
