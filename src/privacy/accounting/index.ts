/** Privacy accountants: what steps of the Poisson-subsampled Gaussian mechanism spend, and how much noise keeps within a budget. */
export {
  type DeltaOptions,
  deltaOf,
  type PrivacyAccountant,
  type PrivacySpent,
  type PrivacySpentOptions,
  privacySpent,
} from "./account.ts";
export type { PrivacyPhase, SampledGaussian } from "./history.ts";
export type { PrivacyBounds } from "./loss-distribution.ts";
export { type NoiseFound, type NoiseOptions, noiseFor } from "./noise.ts";
export { historyOfOpacus, type OpacusState, opacusState } from "./opacus-state.ts";
