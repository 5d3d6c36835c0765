/** Adam, and AdamW with decoupled weight decay. */
import { flag, fraction, nonNegative } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { add, div, maximum, mul, sqrt, square } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { elementwise, required } from "./elementwise.ts";
import { learningRateType, type Optimizer } from "./optimizer.ts";

/** Options of `adam` and `adamw`. */
export interface AdamOptions {
  /** Step size, a number or a schedule; default 0.001. */
  readonly learningRate?: number | Schedule;
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; default 1e-8. */
  readonly epsilon?: number;
  /** Divide by the largest second moment so far (Reddi et al. 2018); default false. */
  readonly amsgrad?: boolean;
  /** adam: added to the gradient as weightDecay · w, default 0. adamw: share of the weight taken off, times the rate, default 0.01. */
  readonly weightDecay?: number;
}

const optionTypes: OptionTypes<AdamOptions> = {
  learningRate: learningRateType,
  beta1: fraction,
  beta2: fraction,
  epsilon: nonNegative,
  amsgrad: flag,
  weightDecay: nonNegative,
};
const checkAdam = optionsOf("adam", optionTypes);
const checkAdamw = optionsOf("adamw", optionTypes);

/**
 * The moments are kept divided by 1 - β, which saves two passes: M = m / (1 - β1), V = v / (1 - β2), so M' = β1 M + g and
 * V' = β2 V + g². With both bias corrections in the scalars c and e: w -= c · M' / (√V' + e).
 */
function adamLike(name: string, options: AdamOptions, decay: { weightDecay: number; decoupled: boolean }): Optimizer {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false } = options;
  const settings = { beta1, beta2, epsilon, amsgrad, weightDecay: decay.weightDecay };
  return elementwise({
    name,
    slots: ["moment1", "moment2", ...(amsgrad ? ["largest2"] : [])],
    learningRate,
    settings,
    decay,
    scalars(step, rate) {
      const first = (1 - beta1) / (1 - beta1 ** step);
      const second = Math.sqrt((1 - beta2) / (1 - beta2 ** step));
      return [(rate * first) / second, epsilon / second];
    },
    change({ g, slots: [m, v, largest], scalars: [c, e] }) {
      const moment1 = add(mul(required(m), beta1), g);
      const moment2 = add(mul(required(v), beta2), square(g));
      const most = largest ? maximum(largest, moment2) : moment2;
      const change = mul(div(moment1, add(sqrt(most), required(e))), required(c));
      return { change, slots: [moment1, moment2, ...(largest ? [most] : [])] };
    },
  });
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1): w -= rate · m̂ / (√v̂ + ε), with the means m̂ of the gradient and v̂ of its
 * square, corrected for their start at 0. Throws OptionError for options that make no sense.
 * @example
 * adam({ learningRate: cosine({ rate: 0.001, steps: 2000, warmup: 100 }) });
 */
export const adam = (options: AdamOptions = {}): Optimizer =>
  adamLike("adam", checkAdam(options), { weightDecay: options.weightDecay ?? 0, decoupled: false });

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): each step also takes rate · weightDecay ·
 * w off the weight w, apart from the gradient; by default 0.01. Throws OptionError for options that make no sense.
 * @example
 * adamw({ learningRate: 3e-4, weightDecay: 0.1 });
 */
export const adamw = (options: AdamOptions = {}): Optimizer =>
  adamLike("adamw", checkAdamw(options), { weightDecay: options.weightDecay ?? 0.01, decoupled: true });
