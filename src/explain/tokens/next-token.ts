/** What a language model says of the token that comes next, as a target. */

import { isFloat } from "../../core/dtype.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { Value } from "../../graph/ir.ts";
import { reshape, slice } from "../../ops/index.ts";
import type { ScoreFunction } from "../target.ts";

/** The scores at a place of a text, [N, tokens], of scores [N, T, tokens]. Throws ShapeError for other outputs, OptionError for a place that there is not. */
export function scoresAt(outputs: unknown, position: number | undefined): Value {
  if (!(outputs instanceof Value) || outputs.rank !== 3 || !isFloat(outputs.dtype))
    throw new ShapeError(
      `the output ${outputs instanceof Value ? String(outputs) : "of several tensors"} is no scores of next tokens, float32[samples, T, tokens]; pass a language model`,
    );
  const [samples = 1, length = 1, tokens = 1] = outputs.shape;
  const at = position ?? length - 1;
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new OptionError(`position: there is no place ${at} in ${length}; pass 0 to ${length - 1}`);
  return reshape(slice(outputs, { axis: 1, start: at, end: at + 1 }), [samples, tokens]);
}

/**
 * The target of a language model of scores [samples, T, tokens]: the score of a token at a place of the text.
 * @param position default the last place, whose scores are of the token that comes next
 * @example await explain.tokenAttributions(gpt, ids, { target: explain.nextTokenScore(42) });
 */
export const nextTokenScore =
  (token: number, position?: number): ScoreFunction =>
  (outputs) => {
    const scores = scoresAt(outputs, position);
    const [, tokens = 1] = scores.shape;
    if (!Number.isInteger(token) || token < 0 || token >= tokens)
      throw new OptionError(`nextTokenScore: there is no token ${token} among ${tokens}; pass 0 to ${tokens - 1}`);
    return slice(scores, { axis: 1, start: token, end: token + 1 });
  };
