/** Optimizers: how one element of a parameter moves, given its gradient and a few remembered numbers. */
import { OptionError, unknownName } from "../core/errors.ts";
import type { Value } from "../graph/ir.ts";
import { add, div, mul, sqrt, square, sub } from "../ops/index.ts";
import type { Schedule } from "./schedules.ts";

/** What an update sees: equally long flat vectors, and the scalars of this step. */
export interface UpdateView {
  readonly p: Value;
  readonly g: Value;
  readonly slots: readonly Value[];
  readonly scalars: readonly Value[];
}

export interface Optimizer {
  readonly name: string;
  /** Names of the vectors remembered beside the parameters, all zero at first. */
  readonly slots: readonly string[];
  /** A rate, or a function of the step (0 for the first). */
  readonly learningRate: number | Schedule;
  /** Numbers that define the optimizer, for checkpoints and logs. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  /** Scalars of step `step` (1 for the first), computed outside the graph. */
  scalars(step: number, learningRate: number, decayScale: number): readonly number[];
  /** One elementwise update. */
  update(view: UpdateView): { readonly p: Value; readonly slots: readonly Value[] };
}

/** Throws OptionError for a setting that makes no sense, and for an option that is none. */
function requireSettings(name: string, settings: Readonly<Record<string, number | boolean>>, options: object): void {
  for (const option of Object.keys(options))
    if (option !== "learningRate" && !Object.hasOwn(settings, option))
      throw unknownName(`option of ${name}:`, option, ["learningRate", ...Object.keys(settings)]);
  for (const [option, value] of Object.entries(settings)) {
    if (typeof value === "boolean") continue;
    const isDecay = option.startsWith("beta") || option === "alpha" || option === "momentum";
    if (!Number.isFinite(value) || value < 0 || (isDecay && value >= 1))
      throw new OptionError(`${name}: ${option} is ${value}; pass a number in [0, ${isDecay ? "1" : "∞"})`);
  }
}

function requireRate(name: string, learningRate: number | Schedule): void {
  if (typeof learningRate === "number" && !(learningRate >= 0 && Number.isFinite(learningRate)))
    throw new OptionError(
      `${name}: learningRate is ${learningRate}; pass a positive number such as 0.001, or a schedule`,
    );
}

/** Learning rate at a step (0 for the first). */
export const rateAt = ({ learningRate }: Optimizer, step: number): number =>
  typeof learningRate === "number" ? learningRate : learningRate(step);

export interface SgdOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Share of the velocity that is kept; default 0. */
  readonly momentum?: number;
  /** Look ahead along the velocity (Sutskever et al. 2013); default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient as weightDecay · w; default 0. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent, with PyTorch's momentum: v = μ v + g; w -= rate · v (or g + μ v with Nesterov). */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate = 0.01, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  const settings = { momentum, nesterov, weightDecay };
  requireSettings("sgd", settings, options);
  requireRate("sgd", learningRate);
  if (nesterov && momentum === 0) throw new OptionError("sgd: nesterov needs momentum; pass momentum: 0.9");
  return {
    name: "sgd",
    slots: momentum > 0 ? ["velocity"] : [],
    learningRate,
    settings,
    scalars: (_, rate, decayScale) => [rate, weightDecay * decayScale],
    update({ p, g, slots: [velocity], scalars: [rate, decay] }) {
      const slope = weightDecay > 0 ? add(g, mul(p, required(decay))) : g;
      if (!velocity) return { p: sub(p, mul(slope, required(rate))), slots: [] };
      const next = add(mul(velocity, momentum), slope);
      const direction = nesterov ? add(slope, mul(next, momentum)) : next;
      return { p: sub(p, mul(direction, required(rate))), slots: [next] };
    },
  };
}

export interface RmspropOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Share of the mean square that is kept; default 0.99. */
  readonly alpha?: number;
  readonly epsilon?: number;
  readonly momentum?: number;
}

/** RMSprop (Tieleman and Hinton 2012) as in PyTorch: s = α s + (1 - α) g²; w -= rate · g / (√s + ε). */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { learningRate = 0.01, alpha = 0.99, epsilon = 1e-8, momentum = 0 } = options;
  const settings = { alpha, epsilon, momentum };
  requireSettings("rmsprop", settings, options);
  requireRate("rmsprop", learningRate);
  return {
    name: "rmsprop",
    slots: momentum > 0 ? ["square", "velocity"] : ["square"],
    learningRate,
    settings,
    scalars: (_, rate) => [rate],
    update({ p, g, slots: [s, velocity], scalars: [rate] }) {
      const next = add(mul(required(s), alpha), mul(square(g), 1 - alpha));
      const scaled = div(g, add(sqrt(next), epsilon));
      if (!velocity) return { p: sub(p, mul(scaled, required(rate))), slots: [next] };
      const v = add(mul(velocity, momentum), scaled);
      return { p: sub(p, mul(v, required(rate))), slots: [next, v] };
    },
  };
}

export interface AdagradOptions {
  /** Default 0.01. */
  readonly learningRate?: number | Schedule;
  readonly epsilon?: number;
}

/** Adagrad (Duchi et al. 2011): s = s + g²; w -= rate · g / (√s + ε). */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { learningRate = 0.01, epsilon = 1e-10 } = options;
  const settings = { epsilon };
  requireSettings("adagrad", settings, options);
  requireRate("adagrad", learningRate);
  return {
    name: "adagrad",
    slots: ["square"],
    learningRate,
    settings,
    scalars: (_, rate) => [rate],
    update({ p, g, slots: [s], scalars: [rate] }) {
      const next = add(required(s), square(g));
      return { p: sub(p, mul(div(g, add(sqrt(next), epsilon)), required(rate))), slots: [next] };
    },
  };
}

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: number | Schedule;
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: number;
  readonly epsilon?: number;
}

export interface AdamwOptions extends AdamOptions {
  /** Share of the weight taken off at each step, times the rate; default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). The moments are kept divided by 1 - β, which
 * saves two passes: M = m / (1 - β1), V = v / (1 - β2), so M' = β1 M + g and V' = β2 V + g². With both bias
 * corrections in the scalars c and e: w -= c · M' / (√V' + e).
 */
function adamLike(name: string, options: AdamwOptions): Optimizer {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const settings = { beta1, beta2, epsilon, ...(name === "adamw" && { weightDecay }) };
  requireSettings(name, settings, options);
  requireRate(name, learningRate);
  return {
    name,
    slots: ["moment1", "moment2"],
    learningRate,
    settings,
    scalars: (step, rate, decayScale) => {
      const first = (1 - beta1) / (1 - beta1 ** step);
      const second = Math.sqrt((1 - beta2) / (1 - beta2 ** step));
      return [(rate * first) / second, epsilon / second, 1 - rate * weightDecay * decayScale];
    },
    update({ p, g, slots: [m, v], scalars: [c, e, keep] }) {
      const moment1 = add(mul(required(m), beta1), g);
      const moment2 = add(mul(required(v), beta2), square(g));
      const change = mul(div(moment1, add(sqrt(moment2), required(e))), required(c));
      const kept = weightDecay > 0 ? mul(p, required(keep)) : p;
      return { p: sub(kept, change), slots: [moment1, moment2] };
    },
  };
}

export const adam = (options: AdamOptions = {}): Optimizer => adamLike("adam", options);
/** Adam with decoupled weight decay. */
export const adamw = (options: AdamwOptions = {}): Optimizer => adamLike("adamw", { weightDecay: 0.01, ...options });

/** Optimizers by name, with their defaults. */
export const optimizers = { sgd, rmsprop, adagrad, adam, adamw } as const;
export type OptimizerName = keyof typeof optimizers;

/** The optimizer of a name. Throws OptionError with the nearest name. */
export function optimizerOf(
  name: string,
  options: { readonly learningRate?: number | Schedule } & Readonly<Record<string, unknown>> = {},
): Optimizer {
  const make = Object.hasOwn(optimizers, name) ? optimizers[name as OptimizerName] : undefined;
  if (!make) throw unknownName("optimizer", name, Object.keys(optimizers));
  return make(options);
}

/** A vector or scalar that the optimizer's own declaration promises. */
function required(value: Value | undefined): Value {
  if (!value) throw new OptionError("optimizer: a slot or scalar that it declares is missing from its update");
  return value;
}
