/** Models in fewer bits. */
export { type DynamicOptions, quantizeDynamic } from "./dynamic.ts";
export { type HalfOptions, halveWeights } from "./half.ts";
export { type QuantizationAware, type QuantizationAwareOptions, quantizationAware } from "./quantization-aware.ts";
export type { QuantizedLayer, QuantizedModel } from "./quantized-model.ts";
export { type RangeMethod, rangeMethods } from "./ranges.ts";
export {
  type LayerSensitivity,
  type QuantizedWithin,
  quantizationSensitivity,
  quantizeWithin,
  type WithinOptions,
} from "./sensitivity.ts";
export { quantizeStatic, type StaticOptions } from "./static.ts";
export {
  quantizeWeights,
  type RoundingMethod,
  roundingMethods,
  type WeightOptions,
} from "./weights/quantize-weights.ts";
