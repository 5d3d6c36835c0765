/** Grad-CAM: where in an image the last spatial features speak for a score. */
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { mul, reduceMean, reduceSum } from "../../ops/index.ts";
import { type CamAttribution, type CamOptions, camTypes, classMap } from "./class-map.ts";

const checkOptions = optionsOf<CamOptions<never>>("gradCam", camTypes);

/**
 * Where in an image [1, C, H, W] the last spatial features of a network speak for the score: the features, each channel weighted by its mean
 * gradient, negative sums set to 0 (Selvaraju et al. 2017, eq. 1 and 2), enlarged to the image bilinearly. `values` are [1, 1, H, W]. As coarse
 * as the features are; it says nothing of what speaks against the class. Of a transformer of image patches the features are the last tokens
 * [1, tokens, width] that the score depends on besides its class token, laid out in the grid of patches. Throws as `saliency`, ShapeError for
 * a network without such features, and OptionError for a layer that there is not.
 * @example const { values, layer } = await explain.gradCam(model, image); // layer.path: "layers.3"
 */
export async function gradCam<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: CamOptions<O> = {},
): Promise<CamAttribution> {
  checkOptions(options as CamOptions<never>);
  // α = mean of ∂y/∂A over places; L = ReLU(Σ α A)
  const weight = (features: Value, gradients: Value) =>
    reduceSum(mul(reduceMean(gradients, [2, 3], { keepDims: true }), features), [1], { keepDims: true });
  return classMap("gradCam", weight, { model, x, options });
}
