/** Why a model says what it says: explanations by gradients, by games and by maps, and whether to believe them. */
export type { Attribution, Completeness, ExplainOptions } from "./attribution.ts";
export { type CamAttribution, type CamLayer, type GradCamOptions, gradCam } from "./cam/grad-cam.ts";
export { type Curve, type CurveOptions, deletionAndInsertion, type Faithfulness } from "./faithfulness/curves.ts";
export {
  type MapLikeness,
  type SanityCheck,
  type SanityCheckOptions,
  sanityCheck,
} from "./faithfulness/sanity-check.ts";
export { type ExpectedGradientsOptions, expectedGradients } from "./gradients/expected-gradients.ts";
export { type IntegratedGradientsOptions, integratedGradients } from "./gradients/integrated-gradients.ts";
export { inputTimesGradient, type SaliencyOptions, saliency } from "./gradients/saliency.ts";
export { type SmoothGradOptions, smoothGrad } from "./gradients/smooth-grad.ts";
export * from "./learning/index.ts";
export { type KernelShapOptions, kernelShap, type ShapleyAttribution } from "./perturbation/kernel-shap.ts";
export { type OcclusionOptions, occlusion } from "./perturbation/occlusion.ts";
export { scoreOf } from "./score.ts";
export type { Target } from "./target.ts";
