/** Texts with gaps, to learn a language by filling them. */
import { count, positiveShare } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Labelled } from "../pipeline/dataset.ts";

/** Options of `maskTokens`. */
export interface MaskingOptions {
  /** The token that stands in a gap. */
  readonly mask: number;
  /** How many tokens there are, the special ones included. */
  readonly vocabulary: number;
  /** The first id that is no special token: those below are neither masked nor drawn. */
  readonly first: number;
  /** Share of the tokens to predict; default 0.15. */
  readonly rate?: number;
}

const checkOptions = optionsOf<MaskingOptions>("maskTokens", {
  mask: required(count(0)),
  vocabulary: required(count()),
  first: required(count(0)),
  rate: positiveShare,
});

/** The target of a token that is not to be predicted, -1: pass it to `crossEntropy` as `ignoreIndex`. */
export const ignoredLabel = -1;

/**
 * Chooses tokens that a model is to predict (Devlin et al. 2019, sec. 3.1): of 100 chosen, 80 give way to the mask, 10 to
 * another token, and 10 stay. For `Dataset.map`: x, int32 [N, T] → x with gaps; y, the tokens chosen, and -1 (`ignoredLabel`)
 * elsewhere. Throws OptionError for a rate outside (0, 1].
 * @example windows.batch(32).map(maskTokens({ mask: 1, vocabulary: 2048, first: 2 }), key)
 */
export function maskTokens(options: MaskingOptions) {
  const { mask, vocabulary, first, rate = 0.15 } = checkOptions(options);
  return <B extends { readonly x: Tensor }>(batch: B, random: Random): B & Labelled => {
    const { x } = batch;
    const tokens = Int32Array.from(x.data as Int32Array);
    const targets = new Int32Array(tokens.length).fill(ignoredLabel);
    for (const [i, token] of tokens.entries()) {
      if (token < first || random.uniform() >= rate) continue;
      targets[i] = token;
      const fate = random.uniform();
      if (fate < 0.8) tokens[i] = mask;
      else if (fate < 0.9) tokens[i] = first + random.integer(vocabulary - first);
    }
    return { ...batch, x: new Tensor("int32", x.shape, tokens), y: new Tensor("int32", x.shape, targets) };
  };
}
