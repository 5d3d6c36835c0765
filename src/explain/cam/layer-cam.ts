/** LayerCAM: each place of each channel weighted by its own gradient, which suits layers of fine maps too. */
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Module } from "../../nn/index.ts";
import { mul, reduceSum, relu } from "../../ops/index.ts";
import { type CamAttribution, type CamOptions, camTypes, classMap } from "./class-map.ts";

const checkOptions = optionsOf<CamOptions<never>>("layerCam", camTypes);

/**
 * As `gradCam`, each place of each channel weighted by its own positive gradient instead of the channel by the mean (Jiang et al. 2021, eq. 6
 * and 7): with `layer` it shows fine maps of early layers, where the means of Grad-CAM say little. `values` are [1, 1, H, W]. Throws as
 * `gradCam`.
 * @example const { values } = await explain.layerCam(model, image, { layer: "layers.0" });
 */
export async function layerCam<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: CamOptions<O> = {},
): Promise<CamAttribution> {
  checkOptions(options as CamOptions<never>);
  const weight = (features: Value, gradients: Value) =>
    reduceSum(mul(relu(gradients), features), [1], { keepDims: true });
  return classMap("layerCam", weight, { model, x, options });
}
