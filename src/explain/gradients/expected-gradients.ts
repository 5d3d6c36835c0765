/** Expected gradients: integrated gradients from baselines that are drawn from data. */
import type { ArrayOf } from "../../core/dtype.ts";
import { count, matching } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { rowOf } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, completenessOf, type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import { copyInto, explainedOf, requireGradients } from "../explained.ts";

/** Options of `expectedGradients`. */
export interface ExpectedGradientsOptions<O> extends ExplainOptions<O> {
  /** Samples of the training data, [rows, …]: what is usual, from which the sample differs. */
  readonly background: Tensor;
  /** Draws of a row and a point on the way from it; default 128. */
  readonly samples?: number;
  /** Of the draws: the same key gives the same values; default keyOf(0). */
  readonly key?: Key;
}

const checkOptions = optionsOf<ExpectedGradientsOptions<never>>("expectedGradients", {
  ...explainTypes,
  background: required(
    matching<Tensor>(
      "a tensor of at least one row: [rows, …]",
      (own) => own instanceof Tensor && (own.shape[0] ?? 0) > 0,
    ),
  ),
  samples: count(),
  key: keyType,
});

/**
 * What each element of a sample [1, …] adds to the score beyond what is usual: the mean of (x - b) times a gradient between b and x, over
 * rows b of a background and places on the way (Erion et al. 2021, eq. 3). Rows come equally often and places are spread evenly, both in an
 * order that the key draws. The values sum to f(x) less the mean score of the background, up to the error of drawing, which `completeness`
 * says. Throws as `saliency`, and ShapeError for a background of other samples.
 * @example const { values } = await explain.expectedGradients(model, row, { background: gatherRows(train, [0, 1, 2]) });
 */
export async function expectedGradients<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: ExpectedGradientsOptions<O>,
): Promise<Attribution> {
  const { background, samples = 128, key = keyOf(0) } = checkOptions(options as ExpectedGradientsOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const rows = background.shape[0] ?? 0;
  const each = x.data.length;
  requireLike(
    "a row of the background",
    new Tensor(background.dtype, [1, ...background.shape.slice(1)], rowOf(background, 0).data),
    x,
  );
  const random = new Random(foldIn(key, "expectedGradients"));
  const [order, places] = [random.permutation(rows), random.permutation(samples)];
  const shares = Float64Array.from(places, (place) => (place + random.uniform()) / samples);
  const to = x.data as Float32Array;
  const data = background.data as Float32Array;
  const baseOf = (i: number) => {
    const row = order[i % rows] as number;
    return data.subarray(row * each, (row + 1) * each);
  };
  const sums = new Float64Array(each);
  await explained.gradients(
    samples,
    (i, into) => {
      const [from, share] = [baseOf(i), shares[i] as number];
      for (const [j, end] of to.entries()) into[j] = (from[j] as number) + share * (end - (from[j] as number));
    },
    (gradient, _, i) => {
      const from = baseOf(i);
      for (const [j, g] of gradient.entries())
        sums[j] = (sums[j] as number) + (g * ((to[j] as number) - (from[j] as number))) / samples;
    },
  );
  const usual = await explained.scores(rows, (i, into) =>
    copyInto(into, data.subarray(i * each, (i + 1) * each) as ArrayOf),
  );
  const expected = explained.score - usual.reduce((sum, score) => sum + score / rows, 0);
  const values = Float32Array.from(sums);
  return {
    method: "expectedGradients",
    values: new Tensor("float32", x.shape, values),
    target: explained.target,
    score: explained.score,
    ...completenessOf(values, expected, `draw more than ${samples} samples`),
  };
}
