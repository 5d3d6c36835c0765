/** The likelihood-ratio attack: whether a model's loss of a sample is more like that of models which learned from it, or of others. */
import { DataError } from "../core/errors.ts";

/** Models trained as the attacked one was, each on some of the samples. */
export interface ShadowModel {
  /** Its losses of all samples. */
  readonly losses: ArrayLike<number>;
  /** For each sample whether it learned from it. */
  readonly learned: ArrayLike<boolean | number>;
}

/** Kept from 0: losses of certain answers have no logarithm of odds. */
const least = 1e-6;

/** The logarithm of the odds of a right answer, of a cross-entropy: nearly normal over models (Carlini et al. 2022, sec. IV.C). */
const logitOf = (loss: number): number => {
  const probability = Math.min(1 - least, Math.max(least, Math.exp(-loss)));
  return Math.log(probability / (1 - probability));
};

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Scores of samples by the losses of a model, in place of the losses themselves, for `auditMembership`: the lower, the more likely the model learned from the sample.
 * It is the logarithm of the likelihood ratio of two normal distributions, of models that did not learn from it and that did, with one variance for all samples, since
 * the models are few (LiRA: Carlini et al. 2022, algorithm 1, sec. VI.C). Losses are cross-entropies, in nats. Throws DataError for fewer than two models
 * that learned from a sample, or that did not, and for losses of other samples.
 * @param losses of the attacked model [samples]
 * @example auditMembership(scores.filter((_, i) => isMember[i]), scores.filter((_, i) => !isMember[i]), { delta: 1e-5 });
 */
export function likelihoodRatios(losses: ArrayLike<number>, shadows: readonly ShadowModel[]): Float64Array {
  const stray = shadows.findIndex((own) => own.losses.length !== losses.length || own.learned.length !== losses.length);
  if (stray >= 0)
    throw new DataError(
      `likelihoodRatios: shadow model ${stray} has ${shadows[stray]?.losses.length} losses, expected ${losses.length}; measure all models on the same samples`,
    );
  const groups = Array.from(losses, (_, i) => {
    const of = (learned: boolean) =>
      shadows.flatMap((own) => (Boolean(own.learned[i]) === learned ? [logitOf(own.losses[i] as number)] : []));
    const [within, without] = [of(true), of(false)];
    if (within.length < 2 || without.length < 2)
      throw new DataError(
        `likelihoodRatios: sample ${i} was learned by ${within.length} shadow models and not by ${without.length}; train more, each on half of the samples`,
      );
    return { within, without, means: [meanOf(within), meanOf(without)] as const };
  });
  const varianceOf = (pick: (own: (typeof groups)[number]) => readonly [readonly number[], number]): number => {
    const squares = groups.flatMap((own) => {
      const [values, mean] = pick(own);
      // Of n values around their own mean.
      return values.map((value) => ((value - mean) ** 2 * values.length) / (values.length - 1));
    });
    return Math.max(least, meanOf(squares));
  };
  const ofWithin = varianceOf(({ within, means }) => [within, means[0]]);
  const ofWithout = varianceOf(({ without, means }) => [without, means[1]]);
  const logDensity = (value: number, mean: number, variance: number) =>
    -((value - mean) ** 2) / (2 * variance) - Math.log(variance) / 2;
  return Float64Array.from(groups, ({ means: [within, without] }, i) => {
    const own = logitOf(losses[i] as number);
    return logDensity(own, without, ofWithout) - logDensity(own, within, ofWithin);
  });
}
