/** What can be found out of who was in the data: a lower bound of epsilon from a trained model's losses, beside the one that was promised. */
import { DataError } from "../core/errors.ts";
import { fraction, positiveShare } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";

/** Options of `auditMembership`. */
export interface AuditOptions {
  /** The delta of the guarantee; default 0. */
  readonly delta?: number | undefined;
  /** With what certainty the bound holds; default 0.95. */
  readonly confidence?: number | undefined;
  /** Share of the samples about which a guess is made, those with the lowest and the highest losses; default 0.2. */
  readonly guesses?: number | undefined;
}

/** What an attacker found who knows the losses. */
export interface PrivacyAudit {
  /** Epsilon is at least this, with the confidence that was asked for; 0 where nothing was found. */
  readonly epsilon: number;
  /** Guesses that were made, and how many of them were right. */
  readonly guesses: number;
  readonly right: number;
  /** Probability that a sample of the training data has the lower loss of two: 0.5 where nothing is to be told. */
  readonly area: number;
}

const checkOptions = optionsOf<AuditOptions>("auditMembership", {
  delta: fraction,
  confidence: positiveShare,
  guesses: positiveShare,
});

/**
 * Guesses by their losses which samples a model was trained on, members being those with the lowest losses (Yeom et al. 2018), and bounds epsilon from below by
 * how often it is right (Steinke, Nasr, Jagielski 2023, theorem 5.2, one run). As many members as others are to be passed, each put among the one or the
 * other by chance. A bound above the promised epsilon shows a fault of the training; a low one shows only that this attack found nothing.
 * Throws DataError for losses of none, or of other numbers.
 * @example auditMembership(lossesOfTraining, lossesOfTest, { delta: 1e-5 }).epsilon
 */
export function auditMembership(
  members: ArrayLike<number>,
  others: ArrayLike<number>,
  options: AuditOptions = {},
): PrivacyAudit {
  const { delta = 0, confidence = 0.95, guesses: share = 0.2 } = checkOptions(options);
  const count = members.length + others.length;
  if (members.length === 0 || members.length !== others.length)
    throw new DataError(
      `auditMembership: ${members.length} losses of members and ${others.length} of others; pass as many of both, one at least`,
    );
  const losses = [
    ...Array.from(members, (loss) => ({ loss, isMember: true })),
    ...Array.from(others, (loss) => ({ loss, isMember: false })),
  ].sort((a, b) => a.loss - b.loss);
  if (losses.some(({ loss }) => Number.isNaN(loss)))
    throw new DataError("auditMembership: a loss is no number; look at the model's parameters");
  const each = Math.max(1, Math.floor((share * count) / 2));
  const right =
    losses.slice(0, each).filter(({ isMember }) => isMember).length +
    losses.slice(-each).filter(({ isMember }) => !isMember).length;
  const epsilon = leastEpsilon({ count, guesses: 2 * each, right, delta, error: 1 - confidence });
  return { epsilon, guesses: 2 * each, right, area: areaOf(losses, members.length) };
}

/** The area under the curve of an attack, by the ranks of members; equal losses count half. */
function areaOf(losses: readonly { readonly loss: number; readonly isMember: boolean }[], members: number): number {
  let wins = 0;
  for (let start = 0, before = 0; start < losses.length; ) {
    let end = start;
    while (end < losses.length && losses[end]?.loss === losses[start]?.loss) end++;
    const own = losses.slice(start, end).filter(({ isMember }) => isMember).length;
    wins += (end - start - own) * (before + own / 2);
    before += own;
    start = end;
  }
  return wins / (members * (losses.length - members));
}

interface Guessed {
  readonly count: number;
  readonly guesses: number;
  readonly right: number;
  readonly delta: number;
  /** Probability with which the bound may be wrong. */
  readonly error: number;
}

/** The largest epsilon under which so many right guesses are too unlikely. */
function leastEpsilon(guessed: Guessed): number {
  if (chanceOf(guessed, 0) > guessed.error) return 0;
  let [low, high] = [0, 1];
  while (chanceOf(guessed, high) <= guessed.error && high < 64) high *= 2;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (chanceOf(guessed, middle) <= guessed.error) low = middle;
    else high = middle;
  }
  return low;
}

/** A bound on the probability of so many right guesses under (epsilon, delta): each is right with probability 1 / (1 + e^-epsilon) at most. */
function chanceOf({ count, guesses, right, delta }: Guessed, epsilon: number): number {
  const masses = binomialMasses(guesses, 1 / (1 + Math.exp(-epsilon)));
  const beyond = masses.slice(right).reduce((sum, mass) => sum + mass, 0);
  let [sum, most] = [0, 0];
  for (let i = 1; i <= right; i++) {
    sum += masses[right - i] ?? 0;
    most = Math.max(most, sum / i);
  }
  return Math.min(1, beyond + 2 * count * delta * most);
}

/** Probabilities of 0 to n successes. */
function binomialMasses(n: number, p: number): Float64Array {
  const masses = new Float64Array(n + 1);
  let log = n * Math.log1p(-p);
  for (let k = 0; k <= n; k++) {
    masses[k] = Math.exp(log);
    log += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return masses;
}
