/** Adagrad. */
import { nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { add, div, mul, sqrt, square } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { elementwise, required, type WeightDecayOptions, weightDecayTypes } from "./elementwise.ts";
import { learningRateType, type Optimizer } from "./optimizer.ts";

/** Options of `adagrad`. */
export interface AdagradOptions extends WeightDecayOptions {
  /** Step size, a number or a schedule; default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Added to the root of the sum of squares; default 1e-10. */
  readonly epsilon?: number;
}

const checkOptions = optionsOf<AdagradOptions>("adagrad", {
  learningRate: learningRateType,
  epsilon: nonNegative,
  ...weightDecayTypes,
});

/**
 * Adagrad (Duchi et al. 2011): s = s + g²; w -= rate · g / (√s + ε), so that rare features take larger steps. Throws
 * OptionError for options that make no sense.
 * @example
 * adagrad({ learningRate: 0.05 });
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { learningRate = 0.01, epsilon = 1e-10, weightDecay = 0, decoupled = false } = checkOptions(options);
  const settings = { epsilon, weightDecay, decoupled };
  return elementwise({
    name: "adagrad",
    slots: ["square"],
    learningRate,
    settings,
    decay: { weightDecay, decoupled },
    change({ g, slots: [s], scalars: [rate] }) {
      const next = add(required(s), square(g));
      return { change: mul(div(g, add(sqrt(next), epsilon)), required(rate)), slots: [next] };
    },
  });
}
