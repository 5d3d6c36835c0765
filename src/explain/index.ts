/** Why a model says what it says: explanations by gradients, by games and by maps, and whether to believe them. */
export type { Attribution, Completeness, ExplainOptions, RunOptions } from "./attribution.ts";
export type { CamAttribution, CamOptions } from "./cam/class-map.ts";
export type { CamLayer } from "./cam/features.ts";
export { gradCam } from "./cam/grad-cam.ts";
export { gradCamPlusPlus } from "./cam/grad-cam-plus-plus.ts";
export { layerCam } from "./cam/layer-cam.ts";
export { type TcavExamples, type TcavOptions, type TcavResult, type TcavScores, tcav } from "./concepts/tcav.ts";
export { release } from "./explained.ts";
export { type Curve, type CurveOptions, deletionAndInsertion, type Faithfulness } from "./faithfulness/curves.ts";
export { type Infidelity, type InfidelityOptions, infidelity } from "./faithfulness/infidelity.ts";
export { maxSensitivity, type Sensitivity, type SensitivityOptions } from "./faithfulness/max-sensitivity.ts";
export {
  type MapLikeness,
  type SanityCheck,
  type SanityCheckOptions,
  sanityCheck,
} from "./faithfulness/sanity-check.ts";
export {
  type Ascent,
  activationMaximization,
  type MaximizationOptions,
  type Maximized,
  type Regularization,
  type ResponseOf,
} from "./features/activation-maximization.ts";
export { type DeepLiftOptions, deepLift } from "./gradients/deep-lift.ts";
export { type ExpectedGradientsOptions, expectedGradients } from "./gradients/expected-gradients.ts";
export { guidedBackpropagation } from "./gradients/guided-backpropagation.ts";
export { type IntegratedGradientsOptions, integratedGradients } from "./gradients/integrated-gradients.ts";
export { layerwiseRelevance, type RelevanceOptions } from "./gradients/layerwise-relevance.ts";
export { inputTimesGradient, type SaliencyOptions, saliency } from "./gradients/saliency.ts";
export { type SmoothGradOptions, smoothGrad } from "./gradients/smooth-grad.ts";
export { type TracInCheckpoint, type TracInfluence, type TracInOptions, tracIn } from "./influence/trac-in.ts";
export * from "./learning/index.ts";
export type { FeatureOptions } from "./perturbation/features.ts";
export { type KernelShapOptions, kernelShap, type ShapleyAttribution } from "./perturbation/kernel-shap.ts";
export { type LimeAttribution, type LimeOptions, lime, type Surrogate } from "./perturbation/lime.ts";
export { type OcclusionOptions, occlusion } from "./perturbation/occlusion.ts";
export { type ExplanationPage, explanationPage, type TitledPicture } from "./pictures/page.ts";
export type { BarsPicture, MapPicture, Picture, ValuedName, ValuedText, WordsPicture } from "./pictures/picture.ts";
export { picturePng } from "./pictures/png.ts";
export { pictureSvg } from "./pictures/svg.ts";
export { scoreOf } from "./score.ts";
export { type DependenceOptions, type PartialDependence, partialDependence } from "./tables/partial-dependence.ts";
export {
  type ColumnImportance,
  type PermutationImportance,
  type PermutationOptions,
  permutationImportance,
} from "./tables/permutation-importance.ts";
export type { Target } from "./target.ts";
export { nextTokenScore } from "./tokens/next-token.ts";
export { type TokenAttributionOptions, tokenAttributions } from "./tokens/token-attributions.ts";
export type { SampleInputs, TokenOptions } from "./tokens/token-inputs.ts";
export { type PresenceModel, type PresenceOptions, tokenPresence } from "./tokens/token-presence.ts";
export { type AttentionMap, attentionMaps } from "./transformers/attention-maps.ts";
export { attentionRollout } from "./transformers/attention-rollout.ts";
export {
  type LogitContribution,
  type LogitContributions,
  type LogitOptions,
  logitContributions,
} from "./transformers/logit-contributions.ts";
export { type LensLayer, logitLens } from "./transformers/logit-lens.ts";
export type { StreamOptions } from "./transformers/residual-stream.ts";
