/** Classifiers with auxiliary heads: logits from inside the network that a training loss adds (Szegedy et al. 2015). */

import { OptionError } from "../../core/errors.ts";
import { Value } from "../../graph/ir.ts";
import { type Context, defineLoss, type Loss } from "../../nn/index.ts";
import { add, mul } from "../../ops/index.ts";

/** What a classifier with auxiliary heads gives while training. */
export type AuxiliaryOutputs = {
  /** Of the last layer, [N, classes]. */
  readonly logits: Value;
  /** Of the heads inside the network, [N, classes] each. */
  readonly auxiliary: readonly Value[];
};

/**
 * What a classifier gives: its logits, while training beside those of its heads, if it has some. Heads are traced in every
 * mode, so that their parameters exist; in evaluation nothing asks for what they compute, and it is left out of the graph.
 */
export const withAuxiliary = (
  logits: Value,
  auxiliary: readonly Value[],
  { training }: Context,
): Value | AuxiliaryOutputs => (training && auxiliary.length > 0 ? { logits, auxiliary } : logits);

/**
 * A loss that adds that of every auxiliary head, times `weight`; in evaluation it is the loss alone. The weight 0.3 is
 * GoogLeNet's (Szegedy et al. 2015, sec. 5).
 * @example
 * const model = new GoogLeNet({ classes: 10 });
 * await fit(model, data, { loss: auxiliaryLoss(crossEntropy()), optimizer: sgd(), epochs: 3 });
 */
export function auxiliaryLoss(loss: Loss, weight = 0.3): Loss<Value | AuxiliaryOutputs> {
  const { terms, ignoreIndex, target: compared, predictions = (logits: Value) => logits } = loss;
  if (!terms) throw new OptionError("auxiliaryLoss: the loss gives no terms; make it by defineLoss");
  return defineLoss(
    (output: Value | AuxiliaryOutputs, target) => {
      if (output instanceof Value) return terms(output, target);
      const main = terms(output.logits, target);
      const heads = output.auxiliary.map((logits) => mul(terms(logits, target).terms, weight));
      return { ...main, terms: heads.reduce((sum, head) => add(sum, head), main.terms) };
    },
    {
      ignoreIndex,
      target: compared,
      predictions: (output) => predictions(output instanceof Value ? output : output.logits),
    },
  );
}
