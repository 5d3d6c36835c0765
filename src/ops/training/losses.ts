/** The losses that files have as operators, read as what they compute: negative log-likelihood and cross-entropy of labels. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { scalar } from "../constant.ts";
import { div, mul, where } from "../elementwise.ts";
import { neg } from "../functions.ts";
import { gather, gatherElements } from "../indexing.ts";
import { equal } from "../logic.ts";
import { expand, squeeze, unsqueeze } from "../movement.ts";
import { logSoftmax } from "../normalization/normalization.ts";
import { defineComposition } from "../reading.ts";
import { reduceMean, reduceSum } from "../reduce.ts";

const schema = { reduction: "string", ignore_index: "int" } as const;

interface LossAttributes {
  readonly reduction?: string;
  readonly ignore_index?: number;
}

/**
 * -w[t] x[n, t] for logarithms x [N, C, …] of probabilities, labels t [N, …] and weights w [C], 0 at ignored labels; their mean divides
 * by the sum of the weights that count.
 */
function labelLoss(
  type: string,
  [x, labels, weights]: readonly [Value, Value, Value?],
  { reduction = "mean", ignore_index }: LossAttributes,
): Value {
  const isIgnored = ignore_index === undefined ? undefined : equal(labels, ignore_index);
  const counted = (value: Value) => (isIgnored ? where(isIgnored, 0, value) : value);
  const present = counted(labels);
  const taken = counted(neg(squeeze(gatherElements(x, unsqueeze(present, [1]), 1), [1])));
  const factors = weights && gather(weights, present);
  const losses = factors ? mul(taken, factors) : taken;
  if (reduction === "none") return losses;
  if (reduction === "sum") return reduceSum(losses);
  if (reduction !== "mean") throw new UnsupportedError(`${type}: reduction is "${reduction}"; pass none, sum or mean`);
  if (!factors && !isIgnored) return reduceMean(losses);
  const ones = expand(scalar(1, x.dtype), labels.shape);
  return div(reduceSum(losses), reduceSum(counted(factors ?? ones)));
}

/** The mean negative logarithm that x [N, C, d…] has for labels [N, d…], weighted by class. */
export const NegativeLogLikelihoodLoss = defineComposition("NegativeLogLikelihoodLoss", {
  arity: "2-3",
  attributes: schema,
  settings: [2],
  build: ({ inputs, attributes }) => [labelLoss("NegativeLogLikelihoodLoss", inputs, attributes)],
});

/** The same of log-softmax(x) along the classes, which is the second output. */
export const SoftmaxCrossEntropyLoss = defineComposition("SoftmaxCrossEntropyLoss", {
  arity: "2-3",
  attributes: schema,
  settings: [2],
  requiredOutputs: 1,
  build: ({ inputs: [x, labels, weights], attributes }) => {
    const logarithms = logSoftmax(x, 1);
    return [labelLoss("SoftmaxCrossEntropyLoss", [logarithms, labels, weights], attributes), logarithms];
  },
});
