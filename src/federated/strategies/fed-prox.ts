/** Federated averaging with a proximal term. */
import { nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { fedAvg } from "./fed-avg.ts";
import type { Strategy } from "./strategy.ts";

/** Options of `fedProx`. */
export interface FedProxOptions {
  /** Weight of the proximal term; default 0.01. */
  readonly mu?: number;
}

const checkOptions = optionsOf<FedProxOptions>("fedProx", { mu: nonNegative });

/**
 * FedProx (Li et al. 2020, algorithm 2): FedAvg whose clients minimize their loss plus μ/2 · |w - w₀|², w₀ being the values that they were sent, so
 * that none goes far. Throws OptionError for a negative μ.
 * @example
 * federated.fedProx({ mu: 0.1 });
 */
export function fedProx(options: FedProxOptions = {}): Strategy {
  const { mu = 0.01 } = checkOptions(options);
  return {
    ...fedAvg(),
    name: "fedProx",
    settings: { mu },
    local: { sends: [], remembers: [], proximal: mu },
  };
}
