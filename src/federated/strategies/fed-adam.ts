/** Federated learning with Adam at the server. */
import { fraction, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { addChange, type Strategy } from "./strategy.ts";

/** Options of `fedAdam`. */
export interface FedAdamOptions {
  /** Step of the server; default 0.01. */
  readonly serverRate?: number;
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.99. */
  readonly beta2?: number;
  /** τ, how cautious it is: added to the root of the second moment; default 0.001. */
  readonly tau?: number;
}

const checkOptions = optionsOf<FedAdamOptions>("fedAdam", {
  serverRate: positive,
  beta1: fraction,
  beta2: fraction,
  tau: positive,
});

/**
 * FedAdam (Reddi et al. 2021, algorithm 2): the mean change of the clients, weighted by samples, is a gradient for Adam at the server, without correction
 * of the moments, the second of which begins at τ². Buffers are averaged. Throws OptionError for options that make no sense.
 * @example
 * federated.fedAdam({ serverRate: 0.01 });
 */
export function fedAdam(options: FedAdamOptions = {}): Strategy {
  const { serverRate = 0.01, beta1 = 0.9, beta2 = 0.99, tau = 1e-3 } = checkOptions(options);
  return {
    name: "fedAdam",
    settings: { serverRate, beta1, beta2, tau },
    weights: "samples",
    slots: { moment1: 0, moment2: tau ** 2 },
    advance({ values, slots }, { change, trained }) {
      const { moment1 = new Float32Array(), moment2 = new Float32Array() } = slots;
      for (let i = 0; i < trained; i++) {
        const delta = change[i] as number;
        const first = beta1 * (moment1[i] as number) + (1 - beta1) * delta;
        const second = beta2 * (moment2[i] as number) + (1 - beta2) * delta * delta;
        [moment1[i], moment2[i]] = [first, second];
        values[i] = (values[i] as number) + (serverRate * first) / (Math.sqrt(second) + tau);
      }
      addChange(values, change, 1, trained);
    },
  };
}
