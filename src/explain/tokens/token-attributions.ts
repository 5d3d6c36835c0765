/** What each token adds to a score. */
import { count, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Module } from "../../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes } from "../attribution.ts";
import { integratedGradients } from "../gradients/integrated-gradients.ts";
import { inputTimesGradient } from "../gradients/saliency.ts";
import { occlusion } from "../perturbation/occlusion.ts";
import type { SampleInputs } from "./token-inputs.ts";
import { type PresenceOptions, presenceTypes, tokenPresence } from "./token-presence.ts";

const methods = ["integratedGradients", "inputTimesGradient", "occlusion"] as const;

/** Options of `tokenAttributions`. */
export interface TokenAttributionOptions<O> extends ExplainOptions<O>, PresenceOptions {
  /** How; default `"integratedGradients"`. */
  readonly method?: (typeof methods)[number];
  /** Of integrated gradients: points on the way; default 64. */
  readonly steps?: number | undefined;
}

const checkOptions = optionsOf<TokenAttributionOptions<never>>("tokenAttributions", {
  ...explainTypes,
  ...presenceTypes,
  method: oneOf(...methods),
  steps: count(),
});

/**
 * What each token of a sample adds to a score, of the shape of the tokens: gradients are those with regard to the vectors that tokens are
 * looked up as, summed over each token's vector. `integratedGradients` goes from the baseline's vectors to the tokens' (Sundararajan et al.
 * 2017, section 6.3), and its values sum to f(x) - f(baseline), which `completeness` holds against the scores; `inputTimesGradient` is its first
 * order; `occlusion` is how far the score falls without each token's vector. For other methods pass the model of `tokenPresence` to them.
 * Throws as these methods and `tokenPresence` do.
 * @example const { values } = await explain.tokenAttributions(bert, { x: ids, mask }, { target: 1 }); // [1, T]
 */
export async function tokenAttributions<O>(
  model: Module<never, O>,
  inputs: SampleInputs,
  options: TokenAttributionOptions<O> = {},
): Promise<Attribution> {
  const { method = "integratedGradients", steps } = checkOptions(options as TokenAttributionOptions<never>);
  const { target, chunk, tokens, baseline } = options;
  const { model: presence, x } = tokenPresence(model, inputs, { tokens, baseline });
  const shared = { target, chunk };
  if (method === "inputTimesGradient") return inputTimesGradient(presence, x, shared);
  if (method === "occlusion") return occlusion(presence, x, { ...shared, window: [1] });
  return integratedGradients(presence, x, { ...shared, ...(steps !== undefined && { steps }) });
}
