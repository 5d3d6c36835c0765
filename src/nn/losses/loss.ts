/** What a loss is: how far a model's output is from its target, as a scalar to minimize. */
import type { Value } from "../../graph/ir.ts";
import { type LossTerms, meanOf } from "./terms.ts";

/**
 * A scalar from a model's output and its target: the mean over the batch unless stated. A function of your own may give
 * the mean or one term a sample, [N]; only terms can be weighted by sample. Losses of this package have their terms
 * apart, in `terms`.
 */
export interface Loss<O = Value> {
  (output: O, target: Value): Value;
  /** The terms that are averaged. */
  readonly terms?: (output: O, target: Value) => LossTerms;
  /** A label that stands for none, such as padding: metrics leave it out too. */
  readonly ignoreIndex?: number | undefined;
  /** What of the output metrics read; default all of it. */
  readonly predictions?: (output: O) => Value;
  /** The tensor of a batch that it compares with; default `y`, or of several outputs the one of the output's name. */
  readonly target?: string | undefined;
}

/** A loss whose terms are known, so that samples can be weighted. */
export interface LossOfTerms<O = Value> extends Loss<O> {
  readonly terms: (output: O, target: Value) => LossTerms;
}

/**
 * A loss from its terms, which are averaged over the batch. Terms can be weighted by sample; `facts` say which labels
 * to leave out and what metrics read.
 * @example
 * const logCosh = defineLoss((output, target) => ({ terms: ops.log(ops.cosh(ops.sub(output, target))) }));
 */
export const defineLoss = <O = Value>(
  terms: (output: O, target: Value) => LossTerms,
  facts: Pick<Loss<O>, "ignoreIndex" | "predictions" | "target"> = {},
): LossOfTerms<O> => Object.assign((output: O, target: Value) => meanOf(terms(output, target)), { terms, ...facts });

/**
 * The loss with another tensor of the batch as its target, such as the input itself.
 * @example await fit(autoencoder, data, { loss: against("x", meanSquaredError()), optimizer: adam(), epochs: 10 });
 */
export const against = <L extends Loss<never>>(target: string, loss: L): L =>
  Object.assign((output: never, own: Value) => loss(output, own), loss, { target });

/**
 * The loss of what `select` makes of a model's output: of one of several outputs, or of an output changed.
 * @example onOutput((scores: Value) => ops.logSoftmax(scores), ctc())
 */
export const onOutput = <O>(select: (output: O) => Value, loss: Loss): Loss<O> => {
  const { terms, ignoreIndex, target: compared, predictions = (output: Value) => output } = loss;
  return Object.assign((output: O, target: Value) => loss(select(output), target), {
    ...(terms && { terms: (output: O, target: Value) => terms(select(output), target) }),
    ignoreIndex,
    target: compared,
    predictions: (output: O) => predictions(select(output)),
  });
};
