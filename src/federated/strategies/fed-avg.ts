/** Federated averaging. */
import { addChange, type Strategy } from "./strategy.ts";

/**
 * FedAvg (McMahan et al. 2017, algorithm 1): clients train for some epochs, and the values become the mean of theirs, weighted by samples.
 * @example
 * federated.simulate(model, { ...options, strategy: federated.fedAvg() });
 */
export const fedAvg = (): Strategy => ({
  name: "fedAvg",
  settings: {},
  weights: "samples",
  slots: {},
  advance: ({ values }, { change }) => addChange(values, change, 1),
});
