/** The mean of models, weighted or not (Wortsman et al. 2022, "Model soups", section 3: the uniform soup). */
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type MergeMethod, normalized, requireCount, requireWeights, weightedSum, weightsType } from "./method.ts";

/** Options of `average`. */
export interface AverageModelsOptions {
  /** How much each model counts; default all alike. */
  readonly weights?: readonly number[];
  /** Divide the weights by their sum; default true. */
  readonly normalize?: boolean;
}

const checkOptions = optionsOf<AverageModelsOptions>("average", { weights: weightsType, normalize: flag });

/**
 * Σ w_i θ_i / Σ w_i. Throws OptionError for weights that are not one for each model or that sum to 0.
 * @example mergeModules([first, second], average({ weights: [2, 1] }))
 */
export function average(options: AverageModelsOptions = {}): MergeMethod {
  const { weights, normalize = true } = checkOptions(options);
  const name = "average";
  return {
    name,
    settings: { weights, normalize },
    needsBase: false,
    requireModels(count) {
      requireCount(name, count, 1);
      requireWeights(name, weights, count);
    },
    combine({ values }) {
      const own = weights ?? values.map(() => 1);
      return weightedSum(values, normalize ? normalized(name, own) : own);
    },
  };
}
