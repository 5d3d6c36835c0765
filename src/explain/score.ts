/** What an explanation explains, by itself: the score of a sample. */
import { optionsOf } from "../core/options.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import type { Module } from "../nn/index.ts";
import { type Attribution, type ExplainOptions, explainTypes } from "./attribution.ts";
import { explainedOf } from "./explained.ts";

const checkOptions = optionsOf<ExplainOptions<never>>("scoreOf", explainTypes);

/**
 * The score of a sample [1, …] and the class that it is of, as explanations find them: in inference, with the buffers as they are. Throws
 * ShapeError for more than one sample and for outputs that are no scores, OptionError for a class that there is not.
 * @example const { target, score } = await explain.scoreOf(model, image); // the class of the largest score
 */
export async function scoreOf<O>(
  model: Module<Value, O>,
  x: Tensor,
  options: ExplainOptions<O> = {},
): Promise<Pick<Attribution, "target" | "score">> {
  checkOptions(options as ExplainOptions<never>);
  const { target, score } = await explainedOf(model, x, options);
  return { target, score };
}
