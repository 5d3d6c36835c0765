/** RMSprop. */
import { fraction, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { add, div, mul, sqrt, square } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { elementwise, required, type WeightDecayOptions, weightDecayTypes } from "./elementwise.ts";
import { learningRateType, type Optimizer } from "./optimizer.ts";

/** Options of `rmsprop`. */
export interface RmspropOptions extends WeightDecayOptions {
  /** Step size, a number or a schedule; default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Share of the mean square that is kept; default 0.99. */
  readonly alpha?: number;
  /** Added to the root of the mean square; default 1e-8. */
  readonly epsilon?: number;
  /** Share of the velocity that is kept; default 0. */
  readonly momentum?: number;
}

const checkOptions = optionsOf<RmspropOptions>("rmsprop", {
  learningRate: learningRateType,
  alpha: fraction,
  epsilon: nonNegative,
  momentum: fraction,
  ...weightDecayTypes,
});

/**
 * RMSprop (Tieleman and Hinton 2012) as in PyTorch: s = α s + (1 - α) g²; w -= rate · g / (√s + ε), and with momentum v
 * = μ v + g / (√s + ε); w -= rate · v. Throws OptionError for options that make no sense.
 * @example
 * rmsprop({ learningRate: 0.001, momentum: 0.9 });
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { learningRate = 0.01, alpha = 0.99, epsilon = 1e-8, momentum = 0 } = checkOptions(options);
  const { weightDecay = 0, decoupled = false } = options;
  const settings = { alpha, epsilon, momentum, weightDecay, decoupled };
  return elementwise({
    name: "rmsprop",
    slots: momentum > 0 ? ["square", "velocity"] : ["square"],
    learningRate,
    settings,
    decay: { weightDecay, decoupled },
    change({ g, slots: [s, velocity], scalars: [rate] }) {
      const next = add(mul(required(s), alpha), mul(square(g), 1 - alpha));
      const scaled = div(g, add(sqrt(next), epsilon));
      if (!velocity) return { change: mul(scaled, required(rate)), slots: [next] };
      const v = add(mul(velocity, momentum), scaled);
      return { change: mul(v, required(rate)), slots: [next, v] };
    },
  });
}
