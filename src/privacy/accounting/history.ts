/** What a private training did, as accountants see it: phases of steps of the Poisson-subsampled Gaussian mechanism. */
import { OptionError } from "../../core/errors.ts";
import { count, listOf, nonNegative, positiveShare } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";

/** The mechanism of one step: each sample is drawn by itself, and noise is added to the sum of the clipped gradients. */
export interface SampledGaussian {
  /** Standard deviation of the noise, divided by the norm that gradients are clipped to: 0, without privacy, or 0.01 to 1e12. */
  readonly noiseMultiplier: number;
  /** Probability that a sample is drawn in a step, (0, 1]: the expected batch size divided by the samples. */
  readonly sampleRate: number;
}

/** Steps with the same noise and the same sampling. */
export interface PrivacyPhase extends SampledGaussian {
  /** Steps, a whole number from 1. */
  readonly steps: number;
}

/** The least noise multiplier but 0: with less, one step shows a sample, and accounting costs more the less there is. */
export const leastNoise = 0.01;
/** The largest noise multiplier: with more, what a step spends is beyond float64. */
const mostNoise = 1e12;

const phaseType = optionsOf<PrivacyPhase>("phase", {
  noiseMultiplier: required(nonNegative),
  sampleRate: required(positiveShare),
  steps: required(count()),
}).type;

const isAlike = (a: SampledGaussian, b: SampledGaussian): boolean =>
  a.noiseMultiplier === b.noiseMultiplier && a.sampleRate === b.sampleRate;

/** The phases of a history, of which consecutive ones of one mechanism are one. Throws OptionError, with `where`, for what is no history. */
export function checkHistory(where: string, history: readonly PrivacyPhase[]): readonly PrivacyPhase[] {
  const types = {
    history: required(listOf(phaseType, "phases such as { noiseMultiplier: 1, sampleRate: 0.01, steps: 100 }")),
  };
  optionsOf<{ readonly history: readonly PrivacyPhase[] }>(where, types)({ history });
  const phases: PrivacyPhase[] = [];
  for (const [i, { noiseMultiplier, sampleRate, steps }] of history.entries()) {
    if (noiseMultiplier > mostNoise || (noiseMultiplier > 0 && noiseMultiplier < leastNoise))
      throw new OptionError(
        `${where}: history[${i}].noiseMultiplier is ${noiseMultiplier}; pass ${leastNoise} to ${mostNoise}, or 0 for no privacy`,
      );
    const phase = { noiseMultiplier, sampleRate, steps };
    const last = phases.at(-1);
    if (last && isAlike(last, phase)) phases[phases.length - 1] = { ...phase, steps: last.steps + steps };
    else phases.push(phase);
  }
  return phases;
}

/**
 * The fewest phases that spend the same: one for each mechanism, as the order does not matter, and one step for all that take every
 * sample: Gaussian mechanisms compose to that of noise (Σ steps / σᵢ²)^(-1/2) (Dong, Roth, Su 2019, "Gaussian differential privacy",
 * corollary 3.3).
 */
export function fewestPhases(history: readonly PrivacyPhase[]): readonly PrivacyPhase[] {
  const phases: PrivacyPhase[] = [];
  let precision = 0;
  for (const phase of history) {
    const at = phases.findIndex((own) => isAlike(own, phase));
    if (phase.sampleRate === 1) precision += phase.steps / phase.noiseMultiplier ** 2;
    else if (at < 0) phases.push(phase);
    else phases[at] = { ...phase, steps: phase.steps + (phases[at] as PrivacyPhase).steps };
  }
  return precision > 0 ? [...phases, { noiseMultiplier: 1 / Math.sqrt(precision), sampleRate: 1, steps: 1 }] : phases;
}
