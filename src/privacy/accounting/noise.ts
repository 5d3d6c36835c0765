/** The least noise with which a training keeps within an epsilon. */
import { OptionError } from "../../core/errors.ts";
import { count, positive, positiveFraction, positiveShare } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { accountantType, checkDelta, epsilonOf, type PrivacyAccountant, type PrivacySpent } from "./account.ts";
import { leastNoise } from "./history.ts";

/** Options of `noiseFor`. */
export interface NoiseOptions {
  /** The most to spend, above 0. */
  readonly epsilon: number;
  /** The probability that epsilon does not hold, from 1e-30 and below 1; less than 1 / samples. */
  readonly delta: number;
  /** Probability that a sample is drawn in a step, (0, 1]. */
  readonly sampleRate: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** Default `"prv"`. */
  readonly accountant?: PrivacyAccountant;
  /** Samples of the training data, if delta is to be held against them. */
  readonly samples?: number;
}

/** What `noiseFor` found. */
export interface NoiseFound {
  /** Standard deviation of the noise / clipping norm. */
  readonly noiseMultiplier: number;
  /** What the training spends with it. */
  readonly spent: PrivacySpent;
}

const checkOptions = optionsOf<NoiseOptions>("noiseFor", {
  epsilon: required(positive),
  delta: required(positiveFraction),
  sampleRate: required(positiveShare),
  steps: required(count()),
  accountant: accountantType,
  samples: count(),
});

/** The share of epsilon that may be left unspent. */
const tolerance = 0.01;
/** The largest noise multiplier that is tried. */
const mostNoise = 1e6;
/** Noise multipliers that are as good as equal: closer ones are not tried. */
const closest = 1e-6;

/** What is spent with a noise multiplier. */
type Spend = (noiseMultiplier: number) => NoiseFound;

/** A noise multiplier that is enough, and a lower one that is not, if there is one. */
interface Bracket {
  readonly enough: NoiseFound;
  readonly tooLittle?: NoiseFound;
}

/** Doubles or halves the noise from 1; what is spent with the most noise where that is not enough. */
function bracketOf(epsilon: number, spend: Spend): Bracket | { readonly most: NoiseFound } {
  let own = spend(1);
  if (own.spent.epsilon > epsilon) {
    while (own.noiseMultiplier < mostNoise) {
      const next = spend(Math.min(2 * own.noiseMultiplier, mostNoise));
      if (next.spent.epsilon <= epsilon) return { enough: next, tooLittle: own };
      own = next;
    }
    return { most: own };
  }
  while (own.noiseMultiplier > leastNoise) {
    const next = spend(Math.max(own.noiseMultiplier / 2, leastNoise));
    if (next.spent.epsilon > epsilon) return { enough: own, tooLittle: next };
    own = next;
  }
  return { enough: own };
}

const isNear = ({ spent }: NoiseFound, epsilon: number): boolean => spent.epsilon >= epsilon * (1 - tolerance);

/** Narrows a bracket until what is enough spends nearly epsilon, by the regula falsi on logarithms, with every third step a bisection. */
function narrowed(epsilon: number, { enough, tooLittle }: Bracket, spend: Spend): NoiseFound {
  if (!tooLittle) return enough;
  let [good, bad] = [enough, tooLittle];
  const aim = Math.log(epsilon * (1 - tolerance / 2));
  for (let i = 0; !isNear(good, epsilon) && good.noiseMultiplier > bad.noiseMultiplier * (1 + closest); i++) {
    const [from, to] = [Math.log(bad.spent.epsilon), Math.log(good.spent.epsilon)];
    const share = (from - aim) / (from - to);
    const isUsable = i % 3 < 2 && share > 0 && share < 1;
    const ratio = good.noiseMultiplier / bad.noiseMultiplier;
    const own = spend(bad.noiseMultiplier * ratio ** (isUsable ? share : 0.5));
    if (own.spent.epsilon <= epsilon) good = own;
    else bad = own;
  }
  return good;
}

/** A bracket below noise that is enough, by steps that assume epsilon to fall with the noise in proportion. */
function bracketBelow(epsilon: number, enough: NoiseFound, spend: Spend): Bracket {
  let own = enough;
  while (!isNear(own, epsilon) && own.noiseMultiplier > leastNoise) {
    const factor = Math.max(0.5, 0.98 * (own.spent.epsilon / epsilon));
    const next = spend(Math.max(leastNoise, own.noiseMultiplier * factor));
    if (next.spent.epsilon > epsilon) return { enough: own, tooLittle: next };
    own = next;
  }
  return { enough: own };
}

/**
 * The least noise multiplier with which steps of one kind spend at most epsilon: `spent.epsilon` is never above epsilon and at least 99% of
 * it, unless the least noise, 0.01, spends less. Throws OptionError for an epsilon that noise up to a million cannot reach,
 * and for options that cannot be.
 * @example
 * noiseFor({ epsilon: 3, delta: 1e-5, sampleRate: 256 / 60_000, steps: 3516 }).noiseMultiplier; // 0.73
 */
export function noiseFor(options: NoiseOptions): NoiseFound {
  const { epsilon, delta, sampleRate, steps, accountant = "prv", samples } = checkOptions(options);
  checkDelta("noiseFor", delta, samples);
  const spendBy =
    (by: PrivacyAccountant): Spend =>
    (noiseMultiplier) => ({ noiseMultiplier, spent: epsilonOf([{ noiseMultiplier, sampleRate, steps }], delta, by) });
  // Rényi divergences are fast, and never say less than the distributions of the loss: they show where to look.
  const quickly = spendBy(accountant === "prv" ? "rdp" : accountant);
  const bracket = bracketOf(epsilon, quickly);
  if ("most" in bracket)
    throw new OptionError(
      `noiseFor: an epsilon of ${epsilon} at a delta of ${delta} is out of reach: with a noise multiplier of ${mostNoise}, ${steps} steps spend ${bracket.most.spent.epsilon.toPrecision(3)}; take fewer steps, a larger epsilon or delta, or smaller batches (a sample rate below ${sampleRate})`,
    );
  const found = narrowed(epsilon, bracket, quickly);
  if (accountant !== "prv") return found;
  const spend = spendBy("prv");
  return narrowed(epsilon, bracketBelow(epsilon, spend(found.noiseMultiplier), spend), spend);
}
