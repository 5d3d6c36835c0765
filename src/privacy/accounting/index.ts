/** Privacy accountants: what steps of the Poisson-subsampled Gaussian mechanism spend, and how much noise keeps within a budget. */
export {
  type DeltaOptions,
  deltaOf,
  type PrivacyAccountant,
  type PrivacySpent,
  type PrivacySpentOptions,
  privacySpent,
} from "./account.ts";
export { gaussianDelta, gaussianEpsilon } from "./gaussian.ts";
export type { PrivacyPhase, SampledGaussian } from "./history.ts";
export type { Bounded } from "./loss-distribution.ts";
export { type NoiseFound, type NoiseOptions, noiseFor } from "./noise.ts";
export { historyOfOpacus, type OpacusState, opacusState } from "./opacus-state.ts";
export { renyiDivergence } from "./renyi.ts";
