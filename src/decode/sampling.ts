/** Drawing tokens from what a language model expects. */
import { NonFiniteError } from "../core/errors.ts";
import { count, nonNegative, positiveShare } from "../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../core/options.ts";
import type { Random } from "../core/random.ts";

/** How a token is drawn of what a model expects. */
export interface SamplingOptions {
  /** Logits are divided by it: below 1 surer, above 1 bolder; 0 takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Draw from this many of the likeliest tokens (Fan et al. 2018); default all. */
  readonly topK?: number;
  /** Draw from the likeliest tokens that have this share of the probability together (Holtzman et al. 2020); default 1. */
  readonly topP?: number;
}

export const samplingTypes: OptionTypes<SamplingOptions> = {
  temperature: nonNegative,
  topK: count(),
  topP: positiveShare,
};
const checkSampling = optionsOf("sampling", samplingTypes);

/**
 * Draws a token from logits [vocabulary], and gives its id. Throws OptionError for options that leave nothing to draw,
 * NonFiniteError for logits that are no numbers.
 */
export function sampleToken(logits: Float32Array, options: SamplingOptions, random: Random): number {
  checkSampling(options);
  // An infinite logit below is a token that is ruled out.
  const broken = logits.findIndex((logit) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY);
  if (broken >= 0)
    throw new NonFiniteError(
      `the logit of token ${broken} is ${logits[broken]}; the model's parameters are no numbers any more, go back to an earlier checkpoint`,
    );
  const { temperature = 1, topK = logits.length, topP = 1 } = options;
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  if (temperature === 0) return logits.indexOf(highest);
  const order = Uint32Array.from(logits, (_, token) => token);
  // Sorting a large vocabulary takes longer than many a step: only where the likeliest are asked for.
  if (topK < logits.length || topP < 1) order.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const weights = Array.from(order.subarray(0, topK), (token) =>
    Math.exp(((logits[token] ?? 0) - highest) / temperature),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [kept, mass] = [0, 0];
  while (kept < weights.length && mass < topP * total) mass += weights[kept++] ?? 0;
  let left = random.uniform() * mass;
  for (let i = 0; i < kept; i++) {
    left -= weights[i] ?? 0;
    if (left < 0) return order[i] ?? 0;
  }
  return order[kept - 1] ?? 0;
}
