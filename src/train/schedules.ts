/** Learning-rate schedules: the rate of each update from its number. */
import { OptionError } from "../core/errors.ts";
import { nonNegative, positive } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";

/** The learning rate of an update; `step` is 0 for the first. */
export type Schedule = (step: number) => number;

/** Throws OptionError unless a number is finite and at least 0. */
function requireFromZero(where: string, name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0)
    throw new OptionError(`${where}: ${name} is ${value}; pass a number from 0`);
}

/** The same rate at every step, as a number for a learning rate does. Throws OptionError unless it is from 0. */
export function constantRate(rate: number): Schedule {
  requireFromZero("constant", "rate", rate);
  return () => rate;
}

/** Options of `stepDecay` and `exponentialDecay`. */
export interface DecayOptions {
  /** Rate of the first step. */
  readonly rate: number;
  /** What the rate is multiplied by; stepDecay 0.1, exponentialDecay 0.96. */
  readonly factor?: number;
  /** Steps to one multiplication; exponentialDecay 1. */
  readonly every?: number;
}

const checkStep = optionsOf<DecayOptions & { readonly every: number }>("stepDecay", {
  rate: required(positive),
  factor: positive,
  every: required(positive),
});

/** rate · factor^⌊step / every⌋: constant for `every` steps, then lower (He et al. 2016, sec. 3.4, divide by 10). */
export function stepDecay(options: DecayOptions & { readonly every: number }): Schedule {
  const { rate, factor = 0.1, every } = checkStep(options);
  return (step) => rate * factor ** Math.floor(step / every);
}

const checkExponential = optionsOf<DecayOptions>("exponentialDecay", {
  rate: required(positive),
  factor: positive,
  every: positive,
});

/** rate · factor^(step / every): the same share less at each step. */
export function exponentialDecay(options: DecayOptions): Schedule {
  const { rate, factor = 0.96, every = 1 } = checkExponential(options);
  return (step) => rate * factor ** (step / every);
}

/** Options of `cosine`. */
export interface CosineOptions {
  /** Highest rate. */
  readonly rate: number;
  /** Steps of the run, the warm-up included. */
  readonly steps: number;
  /** Steps of linear warm-up; default 0. */
  readonly warmup?: number;
  /** Rate at the end and from there on; default 0. */
  readonly floor?: number;
}

const checkCosine = optionsOf<CosineOptions>("cosine", {
  rate: required(positive),
  steps: required(positive),
  warmup: nonNegative,
  floor: nonNegative,
});

/** How far a quantity has come from `from` to `to` along half a cosine wave, at a share of the way in [0, 1]. */
const halfWave = (from: number, to: number, share: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, share))));

/**
 * Half a cosine wave from `rate` to `floor` (Loshchilov and Hutter 2017, eq. 5, one cycle), after a linear warm-up.
 * @example
 * adam({ learningRate: cosine({ rate: 0.001, steps: 2000, warmup: 100 }) });
 */
export function cosine(options: CosineOptions): Schedule {
  const { rate, steps, warmup = 0, floor = 0 } = checkCosine(options);
  if (warmup >= steps) throw new OptionError(`cosine: warmup is ${warmup} of ${steps} steps; pass fewer than steps`);
  if (floor > rate) throw new OptionError(`cosine: floor ${floor} is above rate ${rate}; pass a lower one`);
  const wave: Schedule = (step) => halfWave(rate, floor, step / (steps - warmup));
  return warmup > 0 ? linearWarmup(wave, warmup) : wave;
}

/**
 * Rises evenly towards the first rate of `after` (step s has the share (s + 1) / (steps + 1) of it), then follows
 * `after`, whose own step 0 is the one after the warm-up (Goyal et al. 2017, sec. 2.2).
 */
export function linearWarmup(after: Schedule, steps: number): Schedule {
  requireFromZero("linearWarmup", "steps", steps);
  return (step) => (step < steps ? (after(0) * (step + 1)) / (steps + 1) : after(step - steps));
}

/** Options of `inverseSquareRoot`. */
export interface InverseSquareRootOptions {
  /** Width of the model (d_model). */
  readonly width: number;
  /** Steps of linear warm-up; default 4000. */
  readonly warmup?: number;
  /** Scales every rate; default 1. */
  readonly factor?: number;
}

const checkInverse = optionsOf<InverseSquareRootOptions>("inverseSquareRoot", {
  width: required(positive),
  warmup: positive,
  factor: positive,
});

/** factor · width^-0.5 · min(n^-0.5, n · warmup^-1.5) with n = step + 1 (Vaswani et al. 2017, sec. 5.3, eq. 3). */
export function inverseSquareRoot(options: InverseSquareRootOptions): Schedule {
  const { width, warmup = 4000, factor = 1 } = checkInverse(options);
  return (step) => (factor / Math.sqrt(width)) * Math.min((step + 1) ** -0.5, (step + 1) * warmup ** -1.5);
}

/** rates[0] before step boundaries[0], rates[1] from there to boundaries[1], and so on; one rate more than boundaries. */
export function piecewise(boundaries: readonly number[], rates: readonly number[]): Schedule {
  if (rates.length !== boundaries.length + 1)
    throw new OptionError(
      `piecewise: ${boundaries.length} boundaries and ${rates.length} rates; pass one rate more than boundaries`,
    );
  if (boundaries.some((boundary, i) => !(boundary > (boundaries[i - 1] ?? 0))))
    throw new OptionError(`piecewise: boundaries [${boundaries.join(", ")}] must rise from above 0; sort them`);
  for (const rate of rates) requireFromZero("piecewise", "rate", rate);
  return (step) => rates[boundaries.filter((boundary) => step >= boundary).length] ?? 0;
}

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Highest rate. */
  readonly rate: number;
  /** Steps of the run. */
  readonly steps: number;
  /** Share of the steps in which the rate rises; default 0.3. */
  readonly rise?: number;
  /** The first rate is rate / startDivisor; default 25. */
  readonly startDivisor?: number;
  /** The last rate is the first one / endDivisor; default 10,000. */
  readonly endDivisor?: number;
}

const checkOneCycle = optionsOf<OneCycleOptions>("oneCycle", {
  rate: required(positive),
  steps: required(positive),
  rise: positive,
  startDivisor: positive,
  endDivisor: positive,
});

/** Up along half a cosine wave, then down far below the start (Smith and Topin 2018), with PyTorch's phases. */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { rate, steps, rise = 0.3, startDivisor = 25, endDivisor = 1e4 } = checkOneCycle(options);
  const peak = rise * steps - 1;
  if (peak <= 0 || rise >= 1)
    throw new OptionError(
      `oneCycle: rise is ${rise} of ${steps} steps; pass a share below 1 that is more than one step`,
    );
  const start = rate / startDivisor;
  return (step) =>
    step <= peak
      ? halfWave(start, rate, step / peak)
      : halfWave(rate, start / endDivisor, (step - peak) / (steps - 1 - peak));
}
