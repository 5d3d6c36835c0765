/** Grad-CAM++: Grad-CAM whose channels count by the places that speak for the score, so that several objects show. */
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { abs, add, div, greater, mul, reduceSum, relu, where } from "../../ops/index.ts";
import { type CamAttribution, type CamOptions, camTypes, classMap } from "./class-map.ts";

const checkOptions = optionsOf<CamOptions<never>>("gradCamPlusPlus", camTypes);

/** A divisor that is nearly 0 says nothing: features with signs, not behind a ReLU, may bring it about. */
const leastDivisor = 1e-6;

/**
 * As `gradCam`, each channel weighted by the sum of its positive gradients, each by α = g² / (2 g² + g³ ΣA) = 1 / (2 + g ΣA) (Chattopadhay et
 * al. 2018, eq. 19, of the exponential of the score): places far apart, such as two objects of a class, count alike. `values` are
 * [1, 1, H, W]. Throws as `gradCam`.
 * @example const { values } = await explain.gradCamPlusPlus(model, image, { layer: "layers.2" });
 */
export async function gradCamPlusPlus<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: CamOptions<O> = {},
): Promise<CamAttribution> {
  checkOptions(options as CamOptions<never>);
  const weight = (features: Value, gradients: Value) => {
    const all = reduceSum(features, [2, 3], { keepDims: true });
    const divisor = add(2, mul(gradients, all));
    const isKnown = greater(abs(divisor), leastDivisor);
    const shares = where(isKnown, div(relu(gradients), where(isKnown, divisor, 1)), 0);
    return reduceSum(mul(reduceSum(shares, [2, 3], { keepDims: true }), features), [1], { keepDims: true });
  };
  return classMap("gradCamPlusPlus", weight, { model, x, options });
}
