/** LIME: a linear model of a sample's features that says what the network says near the sample. */
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import type { Attribution } from "../attribution.ts";
import { explainedOf } from "../explained.ts";
import { allCoalitions, type Coalition, type FeatureOptions, Features, featureTypes } from "./features.ts";

/** Options of `lime`. */
export interface LimeOptions<O> extends FeatureOptions<O> {
  /** How the linear model is fitted. */
  readonly surrogate?: Surrogate;
  /** Of the draws: the same key gives the same values; default keyOf(0). */
  readonly key?: Key;
}

/** How the linear model is fitted. */
export interface Surrogate {
  /** Coalitions of features to ask the model for; all of them where they are no more. Default 1000. */
  readonly samples?: number;
  /** Width of the kernel exp(-d² / width²), d the cosine distance from all features, 0 to 1; default 0.25. */
  readonly width?: number;
  /** Weight of the squared coefficients beside the mean squared error; default 1e-4. */
  readonly ridge?: number;
}

/** Coefficients of features, beside the values of elements. */
export interface LimeAttribution extends Attribution {
  /** The coefficient of each feature: what its presence adds in the linear model. Its elements share it evenly in `values`. */
  readonly features: readonly number[];
  /** What the linear model gives where no feature is present. */
  readonly intercept: number;
  /** R², the share of the scores' weighted variance that the linear model explains, up to 1. */
  readonly fit: number;
}

const checkOptions = optionsOf<LimeOptions<never>>("lime", {
  ...featureTypes,
  surrogate: optionsOf<Surrogate>("surrogate", { samples: count(2), width: positive, ridge: positive }).type,
  key: keyType,
});

/** R² below which the coefficients are said to mean little. */
const leastFit = 0.7;

/** Coalitions of evenly drawn features, the sample itself first. */
function drawn(features: number, samples: number, random: Random): readonly Coalition[] {
  if (features < 30 && 2 ** features <= samples) return allCoalitions(features);
  return Array.from({ length: samples }, (_, i) =>
    Uint8Array.from({ length: features }, () => (i === 0 ? 1 : random.integer(2))),
  );
}

/** How near a coalition is to the sample: exp(-d² / σ²), d = 1 - cos(z, 1) = 1 - √(present / all). */
function nearness(present: Coalition, width: number): number {
  const share = present.reduce((sum, own) => sum + own, 0) / present.length;
  const distance = 1 - Math.sqrt(share);
  return Math.exp(-((distance / width) ** 2));
}

interface LinearFit {
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly fit: number;
}

/** argmin Σ π (y - b - w·z)² / Σ π + λ |w|², with its weighted R². */
function weightedRidge(
  rows: readonly Coalition[],
  scores: Float64Array,
  { weights, ridge }: { readonly weights: Float64Array; readonly ridge: number },
): LinearFit {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const width = rows[0]?.length ?? 0;
  const means = new Float64Array(width);
  let mean = 0;
  for (const [i, row] of rows.entries()) {
    const share = (weights[i] as number) / all;
    mean += share * (scores[i] as number);
    for (let a = 0; a < width; a++) means[a] = (means[a] as number) + share * (row[a] as number);
  }
  const products = Array.from({ length: width }, (_, a) =>
    Float64Array.from({ length: width }, (_own, b) => (a === b ? ridge : 0)),
  );
  const sides = new Float64Array(width);
  for (const [i, row] of rows.entries()) {
    const share = (weights[i] as number) / all;
    const centred = Float64Array.from(means, (own, a) => (row[a] as number) - own);
    for (const [a, left] of centred.entries()) {
      sides[a] = (sides[a] as number) + share * left * ((scores[i] as number) - mean);
      const sums = products[a] as Float64Array;
      for (let b = 0; b <= a; b++) sums[b] = (sums[b] as number) + share * left * (centred[b] as number);
    }
  }
  for (const [a, sums] of products.entries())
    for (let b = 0; b < a; b++) (products[b] as Float64Array)[a] = sums[b] as number;
  const solved = new CholeskyDecomposition(new Matrix(products)).solve(Matrix.columnVector(sides)).to1DArray();
  const coefficients = Float64Array.from(solved);
  const intercept = mean - coefficients.reduce((sum, own, a) => sum + own * (means[a] as number), 0);
  let [left, spread] = [0, 0];
  for (const [i, row] of rows.entries()) {
    const said = coefficients.reduce((sum, own, a) => sum + own * (row[a] as number), intercept);
    left += (weights[i] as number) * ((scores[i] as number) - said) ** 2;
    spread += (weights[i] as number) * ((scores[i] as number) - mean) ** 2;
  }
  return { coefficients, intercept, fit: spread > 0 ? 1 - left / spread : 1 };
}

/**
 * What each element of a sample [1, …], or each group of them, adds to the score in a linear model that is fitted near the sample: to coalitions
 * of features, drawn evenly, those that are absent replaced by a baseline, near ones counting more (Ribeiro et al. 2016, section 3.3 and 3.4; ridge
 * regression). Of a linear model they are its terms, w·(x - b). `fit` is the R² of the linear model; where that is poor, `notes` says so.
 * Kernel SHAP is the same with weights for which the coefficients are Shapley values. Throws as `kernelShap`.
 * @example const { features, fit } = await explain.lime(model, image, { groups: patches });
 */
export async function lime<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: LimeOptions<O> = {},
): Promise<LimeAttribution> {
  const { surrogate, key = keyOf(0), ...of } = checkOptions(options as LimeOptions<never>);
  const { samples = 1000, width = 0.25, ridge = 1e-4 } = surrogate ?? {};
  const explained = await explainedOf(model, x, options);
  const features = new Features("lime", explained, of);
  features.requireFew();
  const rows = drawn(features.count, samples, new Random(foldIn(key, "lime")));
  const scores = await features.scores(rows);
  const weights = Float64Array.from(rows, (row) => nearness(row, width));
  const { coefficients, intercept, fit } = weightedRidge(rows, scores, { weights, ridge });
  const notes = [
    ...(fit < leastFit
      ? [
          `the linear model explains ${Math.round(100 * Math.max(0, fit))} % of the scores' variance near the sample: its coefficients say little; group elements, draw more samples, or take kernelShap`,
        ]
      : []),
    ...(rows.length <= features.count
      ? [`${rows.length} samples are no more than the ${features.count} features; draw more, or group elements`]
      : []),
  ];
  return {
    method: "lime",
    values: features.spread(coefficients),
    features: [...coefficients],
    intercept,
    fit,
    target: explained.target,
    score: explained.score,
    notes,
  };
}
