/** Smaller and merged models, in any environment. */

export * from "./distill/index.ts";
export { EarlyFusion, earlyFusion, LateFusion, type LateFusionOptions, lateFusion } from "./fuse/fusion.ts";
export {
  type ComparisonOptions,
  compareModels,
  type ModelComparison,
  type ModelFigures,
} from "./measure/compare-models.ts";
export * from "./merge/index.ts";
export * from "./prune/index.ts";
export * from "./quantize/index.ts";
