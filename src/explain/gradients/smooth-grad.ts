/** SmoothGrad: the mean of gradients at noisy copies of a sample. */
import { greatest, least } from "../../core/lists.ts";
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes, notesOfInfinite } from "../attribution.ts";
import { explainedOf, requireGradients } from "../explained.ts";

/** Options of `smoothGrad`. */
export interface SmoothGradOptions<O> extends ExplainOptions<O> {
  /** Noisy copies; default 32. */
  readonly samples?: number;
  /** Standard deviation of the noise, as a share of the range of the sample's elements; default 0.15. */
  readonly noise?: number;
  /** Of the noise: the same key gives the same map; default keyOf(0). */
  readonly key?: Key;
}

const checkOptions = optionsOf<SmoothGradOptions<never>>("smoothGrad", {
  ...explainTypes,
  samples: count(),
  noise: positive,
  key: keyType,
});

/**
 * The mean gradient of the score at noisy copies of a sample [1, …] (Smilkov et al. 2017): a saliency map, with signs, without what changes from
 * point to point. Throws as `saliency`.
 * @example const { values } = await explain.smoothGrad(model, image, { noise: 0.1, key: keyOf(1) });
 */
export async function smoothGrad<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: SmoothGradOptions<O> = {},
): Promise<Attribution> {
  const { samples = 32, noise = 0.15, key = keyOf(0) } = checkOptions(options as SmoothGradOptions<never>);
  const explained = await explainedOf(model, x, options);
  requireGradients(x);
  const elements = x.data as Float32Array;
  const deviation = noise * (greatest(elements) - least(elements));
  const sums = new Float64Array(elements.length);
  await explained.gradients(
    samples,
    (i, into) => {
      const drawn = new Random(foldIn(key, "smoothGrad", i)).normals(elements.length);
      for (const [j, element] of elements.entries()) into[j] = element + deviation * (drawn[j] as number);
    },
    (gradient) => {
      for (const [j, g] of gradient.entries()) sums[j] = (sums[j] as number) + g / samples;
    },
  );
  const notes =
    deviation === 0 ? ["all elements are equal, so that there is no range to share: no noise was added"] : [];
  const values = new Tensor("float32", x.shape, Float32Array.from(sums));
  const { target, score } = explained;
  return { method: "smoothGrad", values, target, score, notes: [...notes, ...notesOfInfinite(values.data)] };
}
