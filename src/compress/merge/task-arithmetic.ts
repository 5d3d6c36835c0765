/** Task vectors added to a base (Ilharco et al. 2023, "Editing models with task arithmetic", section 2). */
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import {
  baseOf,
  type MergeMethod,
  normalized,
  requireCount,
  requireWeights,
  taskVectors,
  weightedSum,
  weightsType,
} from "./method.ts";

/** Options of `taskArithmetic`. */
export interface TaskArithmeticOptions {
  /** λ of each model; below 0 its task is forgotten. Default 1 each. */
  readonly weights?: readonly number[];
  /** Divide the weights by their sum; default false. */
  readonly normalize?: boolean;
}

const checkOptions = optionsOf<TaskArithmeticOptions>("taskArithmetic", { weights: weightsType, normalize: flag });

/**
 * base + Σ λ_i (θ_i − base). Throws OptionError without a base, and for weights that are not one for each model.
 * @example mergeModules([digits, letters], taskArithmetic({ weights: [0.5, 0.5] }), { base })
 */
export function taskArithmetic(options: TaskArithmeticOptions = {}): MergeMethod {
  const { weights, normalize = false } = checkOptions(options);
  const name = "task-arithmetic";
  return {
    name,
    settings: { weights, normalize },
    needsBase: true,
    requireModels(count) {
      requireCount(name, count, 1);
      requireWeights(name, weights, count);
    },
    combine(tensor) {
      const base = baseOf(name, tensor);
      const own = weights ?? tensor.values.map(() => 1);
      return weightedSum(taskVectors(tensor.values, base), normalize ? normalized(name, own) : own, base);
    },
  };
}
