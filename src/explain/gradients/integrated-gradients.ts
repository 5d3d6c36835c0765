/** Integrated gradients: the score divided among the elements along the straight way from a baseline. */
import { count, matching } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor, zerosTensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, completenessOf, type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import { explainedOf, requireGradients } from "../explained.ts";

/** Options of `integratedGradients`. */
export interface IntegratedGradientsOptions<O> extends ExplainOptions<O> {
  /** The sample in which nothing is there, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** Points on the way, the middles of as many parts; default 64. */
  readonly steps?: number;
}

export const baselineType = matching<Tensor | undefined>(
  "a tensor of the shape of the input",
  (own) => own instanceof Tensor,
);

const checkOptions = optionsOf<IntegratedGradientsOptions<never>>("integratedGradients", {
  ...explainTypes,
  baseline: baselineType,
  steps: count(),
});

/**
 * What each element of a sample [1, …] adds to the score on the straight way from a baseline: (x - b) times the mean gradient on the way
 * (Sundararajan et al. 2017, eq. 1; midpoint rule). The values sum to f(x) - f(b), which `completeness` holds against the scores. Throws as
 * `saliency`, and ShapeError for a baseline of another shape.
 * @example
 * const { values, completeness } = await explain.integratedGradients(model, image, { target: 3, steps: 128 });
 */
export async function integratedGradients<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: IntegratedGradientsOptions<O> = {},
): Promise<Attribution> {
  const { baseline, steps = 64 } = checkOptions(options as IntegratedGradientsOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const start = requireLike("the baseline", baseline ?? zerosTensor(x.dtype, x.shape), x);
  const [from, to] = [start.data as Float32Array, x.data as Float32Array];
  const sums = new Float64Array(to.length);
  await explained.gradients(
    steps,
    (i, into) => {
      const share = (i + 0.5) / steps;
      for (const [j, end] of to.entries()) into[j] = (from[j] as number) + share * (end - (from[j] as number));
    },
    (gradient) => {
      for (const [j, g] of gradient.entries()) sums[j] = (sums[j] as number) + g / steps;
    },
  );
  const values = Float32Array.from(sums, (mean, j) => mean * ((to[j] as number) - (from[j] as number)));
  const expected = explained.score - (await explained.scoreAt(start));
  return {
    method: "integratedGradients",
    values: new Tensor("float32", x.shape, values),
    target: explained.target,
    score: explained.score,
    ...completenessOf(values, expected, `take more than ${steps} steps`),
  };
}
