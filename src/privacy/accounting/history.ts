/** What a private training did, as accountants see it: phases of steps of the Poisson-subsampled Gaussian mechanism. */
import { count, listOf, nonNegative, positiveShare } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";

/** The mechanism of one step: each sample is drawn by itself, and noise is added to the sum of the clipped gradients. */
export interface SampledGaussian {
  /** Standard deviation of the noise, divided by the norm that gradients are clipped to; from 0, which is no privacy. */
  readonly noiseMultiplier: number;
  /** Probability that a sample is drawn in a step, (0, 1]: the expected batch size divided by the samples. */
  readonly sampleRate: number;
}

/** Steps with the same noise and the same sampling. */
export interface PrivacyPhase extends SampledGaussian {
  /** Steps, a whole number from 1. */
  readonly steps: number;
}

/** The types of a phase's values, as options. */
export const phaseTypes = {
  noiseMultiplier: required(nonNegative),
  sampleRate: required(positiveShare),
  steps: required(count()),
};

const phaseType = optionsOf<PrivacyPhase>("phase", phaseTypes).type;

/** Phases in any order, of which equal mechanisms are one. Throws OptionError, with `where`, for what is no history. */
export function mergedHistory(where: string, history: readonly PrivacyPhase[]): readonly PrivacyPhase[] {
  const types = {
    history: required(listOf(phaseType, "phases such as { noiseMultiplier: 1, sampleRate: 0.01, steps: 100 }")),
  };
  optionsOf<{ readonly history: readonly PrivacyPhase[] }>(where, types)({ history });
  const merged: PrivacyPhase[] = [];
  for (const { noiseMultiplier, sampleRate, steps } of history) {
    const at = merged.findIndex((own) => own.noiseMultiplier === noiseMultiplier && own.sampleRate === sampleRate);
    const before = merged[at];
    if (before) merged[at] = { ...before, steps: before.steps + steps };
    else merged.push({ noiseMultiplier, sampleRate, steps });
  }
  return merged;
}

/**
 * The history with all steps that take every sample as one: the composition of Gaussian mechanisms is the Gaussian mechanism
 * of noise σ = (Σ steps / σᵢ²)^(-1/2) (Dong, Roth, Su 2019, "Gaussian differential privacy", corollary 3.3).
 */
export function withOneUnsampled(history: readonly PrivacyPhase[]): readonly PrivacyPhase[] {
  const unsampled = history.filter(({ sampleRate }) => sampleRate === 1);
  if (unsampled.length === 0) return history;
  const precision = unsampled.reduce((sum, { noiseMultiplier, steps }) => sum + steps / noiseMultiplier ** 2, 0);
  const whole = { noiseMultiplier: 1 / Math.sqrt(precision), sampleRate: 1, steps: 1 };
  return [...history.filter(({ sampleRate }) => sampleRate < 1), whole];
}
