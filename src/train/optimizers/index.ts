/** Optimizers: one a file. */
import { unknownName } from "../../core/errors.ts";
import type { Schedule } from "../schedules.ts";
import { adagrad } from "./adagrad.ts";
import { adam, adamw } from "./adam.ts";
import { lamb } from "./lamb.ts";
import { muon } from "./muon.ts";
import type { Optimizer } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

export { type AdagradOptions, adagrad } from "./adagrad.ts";
export { type AdamOptions, adam, adamw } from "./adam.ts";
export { type ElementwiseDefinition, elementwise, type UpdateView, type WeightDecayOptions } from "./elementwise.ts";
export { type LambOptions, lamb } from "./lamb.ts";
export { type MuonOptions, muon, orthogonalized } from "./muon.ts";
export {
  type BoundOptimizer,
  defineOptimizer,
  type GradientsOf,
  type Optimizer,
  type OptimizerDefinition,
  OptimizerState,
  type SavedState,
  type Segment,
  type UpdateStep,
} from "./optimizer.ts";
export { type RmspropOptions, rmsprop } from "./rmsprop.ts";
export { type SgdOptions, sgd } from "./sgd.ts";

/** Optimizers by name, each a function that makes it of its options; see `optimizerOf`. */
export const optimizers = { sgd, rmsprop, adagrad, adam, adamw, lamb, muon } as const;
/** Name of an optimizer, such as `"adamw"`: a key of `optimizers`. */
export type OptimizerName = keyof typeof optimizers;

/**
 * The optimizer of a name, with these options. Throws OptionError, with the nearest name, for one that there is not.
 * @example
 * optimizerOf("adamw", { learningRate: 3e-4 });
 */
export function optimizerOf(
  name: string,
  options: { readonly learningRate?: number | Schedule } & Readonly<Record<string, unknown>> = {},
): Optimizer {
  const make = Object.hasOwn(optimizers, name) ? optimizers[name as OptimizerName] : undefined;
  if (!make) throw unknownName("optimizer", name, Object.keys(optimizers));
  return make(options);
}
