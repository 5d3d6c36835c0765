/** What a history of private steps has spent: epsilon at a delta, delta at an epsilon, by any accountant. */
import { OptionError } from "../../core/errors.ts";
import { count, nonNegative, oneOf, positiveFraction } from "../../core/option-types.ts";
import { type OptionType, optionsOf, required } from "../../core/options.ts";
import { gaussianDelta, gaussianEpsilon, gaussianMu } from "./gaussian.ts";
import { checkHistory, type PrivacyPhase } from "./history.ts";
import { leastDelta, lossDelta, lossEpsilon, type PrivacyBounds } from "./loss-distribution.ts";
import { type RenyiBound, renyiDelta, renyiEpsilon } from "./renyi.ts";

/**
 * How privacy is accounted, by the names that Opacus has: `"prv"` adds up the distributions of the privacy loss, `"rdp"` adds up Rényi
 * divergences, which is faster and gives a larger epsilon, `"gdp"` takes the limit of many steps, an approximation that guarantees nothing
 * for sampled steps.
 */
export type PrivacyAccountant = "prv" | "rdp" | "gdp";

/** Options of `privacySpent`. */
export interface PrivacySpentOptions {
  /** The probability that epsilon does not hold, from 1e-30 and below 1; less than 1 / samples. */
  readonly delta: number;
  /** Default `"prv"`. */
  readonly accountant?: PrivacyAccountant;
  /** Samples of the training data, if delta is to be held against them. */
  readonly samples?: number;
}

/** Options of `deltaOf`. */
export interface DeltaOptions {
  /** From 0. */
  readonly epsilon: number;
  /** Default `"prv"`. */
  readonly accountant?: PrivacyAccountant;
}

/** What was spent: the training is (epsilon, delta)-differentially private where one sample is added or removed. */
export interface PrivacySpent {
  readonly epsilon: number;
  readonly delta: number;
  readonly accountant: PrivacyAccountant;
  /** Whether epsilon and delta are upper bounds; with `"gdp"` of sampled steps they are approximations. */
  readonly isGuarantee: boolean;
  /** With `"prv"`: bounds of the exact epsilon or delta that was asked for; the value given is the upper one. */
  readonly bounds?: PrivacyBounds;
  /** With `"rdp"`: the order α that is best. */
  readonly order?: number;
  /** What to know about the result; usually empty. */
  readonly warnings: readonly string[];
}

/** The names of accountants, as an option. */
export const accountantType: OptionType<PrivacyAccountant> = oneOf("prv", "rdp", "gdp");

const checkSpent = optionsOf<PrivacySpentOptions>("privacySpent", {
  delta: required(positiveFraction),
  accountant: accountantType,
  samples: count(),
});
const checkDeltaOptions = optionsOf<DeltaOptions>("deltaOf", {
  epsilon: required(nonNegative),
  accountant: accountantType,
});

/** Throws OptionError for a delta too small to compute, and for one larger than 1 / samples. */
export function checkDelta(where: string, delta: number, samples: number | undefined): void {
  if (delta < leastDelta)
    throw new OptionError(
      `${where}: delta is ${delta}; pass at least ${leastDelta}, the least delta that can be computed`,
    );
  if (samples !== undefined && delta > 1 / samples)
    throw new OptionError(
      `${where}: delta is ${delta}, more than 1 / ${samples}, at which publishing one of the ${samples} samples would count as private; pass less than ${1 / samples}`,
    );
}

const isExact = (history: readonly PrivacyPhase[]): boolean => history.every(({ sampleRate }) => sampleRate === 1);

const approximate =
  "gdp is an approximation for many steps, which may be below what is spent; to guarantee an epsilon, use prv or rdp";

const extreme = ({ order, isExtreme }: RenyiBound): readonly string[] =>
  isExtreme
    ? [
        `the best order, ${order}, is the ${order < 2 ? "least" : "largest"} that is tried; prv may give a smaller value`,
      ]
    : [];

/** Epsilon of a checked history. */
export function epsilonOf(
  history: readonly PrivacyPhase[],
  delta: number,
  accountant: PrivacyAccountant,
): PrivacySpent {
  const spent = { delta, accountant, isGuarantee: true, warnings: [] };
  if (history.length === 0) return { ...spent, epsilon: 0 };
  if (accountant === "prv") {
    const bounds = lossEpsilon(history, delta);
    return { ...spent, epsilon: bounds.upper, bounds };
  }
  if (accountant === "rdp") {
    const bound = renyiEpsilon(history, delta);
    return { ...spent, epsilon: bound.value, order: bound.order, warnings: extreme(bound) };
  }
  const epsilon = gaussianEpsilon(gaussianMu(history), delta);
  return isExact(history) ? { ...spent, epsilon } : { ...spent, epsilon, isGuarantee: false, warnings: [approximate] };
}

/**
 * The epsilon that a training spent at a delta, where neighbouring data sets differ by one sample that is added or removed, each step drew each
 * sample by itself (Poisson sampling) and added Gaussian noise. Without noise it is infinite, without steps 0. With `"prv"` it is exact to 1% up to an epsilon of 1
 * and to 0.01 beyond, for some 10,000 steps; `bounds` says how exact it is. Throws OptionError for a history, a delta or a name that cannot be.
 * @example
 * privacySpent([{ noiseMultiplier: 1, sampleRate: 256 / 60_000, steps: 3516 }], { delta: 1e-5 }).epsilon; // 1.36
 */
export function privacySpent(history: readonly PrivacyPhase[], options: PrivacySpentOptions): PrivacySpent {
  const { delta, accountant = "prv", samples } = checkSpent(options);
  checkDelta("privacySpent", delta, samples);
  return epsilonOf(checkHistory("privacySpent", history), delta, accountant);
}

/**
 * The delta that a training spent at an epsilon, as in `privacySpent`; 1e-30 stands for anything less. Throws OptionError for a history,
 * an epsilon or a name that cannot be.
 * @example deltaOf([{ noiseMultiplier: 1, sampleRate: 0.01, steps: 1000 }], { epsilon: 2 }).delta
 */
export function deltaOf(history: readonly PrivacyPhase[], options: DeltaOptions): PrivacySpent {
  const { epsilon, accountant = "prv" } = checkDeltaOptions(options);
  const phases = checkHistory("deltaOf", history);
  const spent = { epsilon, accountant, isGuarantee: true, warnings: [] };
  if (phases.length === 0) return { ...spent, delta: 0 };
  if (accountant === "prv") {
    const bounds = lossDelta(phases, epsilon);
    return { ...spent, delta: bounds.upper, bounds };
  }
  if (accountant === "rdp") {
    const bound = renyiDelta(phases, epsilon);
    return { ...spent, delta: Math.max(leastDelta, bound.value), order: bound.order, warnings: extreme(bound) };
  }
  const delta = Math.max(leastDelta, gaussianDelta(gaussianMu(phases), epsilon));
  return isExact(phases) ? { ...spent, delta } : { ...spent, delta, isGuarantee: false, warnings: [approximate] };
}
