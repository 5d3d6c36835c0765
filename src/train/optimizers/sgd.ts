/** Stochastic gradient descent. */
import { OptionError } from "../../core/errors.ts";
import { flag, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { add, mul } from "../../ops/index.ts";
import type { Schedule } from "../schedules.ts";
import { elementwise, required, type WeightDecayOptions, weightDecayTypes } from "./elementwise.ts";
import { learningRateType, type Optimizer } from "./optimizer.ts";

/** Options of `sgd`. */
export interface SgdOptions extends WeightDecayOptions {
  /** Step size, a number or a schedule; default 0.01. */
  readonly learningRate?: number | Schedule;
  /** Share of the velocity that is kept; default 0. */
  readonly momentum?: number;
  /** Look ahead along the velocity (Sutskever et al. 2013); default false. */
  readonly nesterov?: boolean;
}

const checkOptions = optionsOf<SgdOptions>("sgd", {
  learningRate: learningRateType,
  momentum: fraction,
  nesterov: flag,
  ...weightDecayTypes,
});

/**
 * Stochastic gradient descent with PyTorch's momentum: v = μ v + g; w -= rate · v, or rate · (g + μ v) with Nesterov's.
 * Remembers one vector with momentum, none without. Throws OptionError for options that make no sense.
 * @example
 * sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const {
    learningRate = 0.01,
    momentum = 0,
    nesterov = false,
    weightDecay = 0,
    decoupled = false,
  } = checkOptions(options);
  const settings = { momentum, nesterov, weightDecay, decoupled };
  if (nesterov && momentum === 0) throw new OptionError("sgd: nesterov needs momentum; pass momentum: 0.9");
  return elementwise({
    name: "sgd",
    slots: momentum > 0 ? ["velocity"] : [],
    learningRate,
    settings,
    decay: { weightDecay, decoupled },
    change({ g, slots: [velocity], scalars: [rate] }) {
      if (!velocity) return { change: mul(g, required(rate)), slots: [] };
      const next = add(mul(velocity, momentum), g);
      const direction = nesterov ? add(g, mul(next, momentum)) : next;
      return { change: mul(direction, required(rate)), slots: [next] };
    },
  });
}
