/** The loss that stands in for a network's own, so that what training keeps and computes can be computed without knowing it. */
import { isFloat } from "../../core/dtype.ts";
import { input, type Value } from "../../graph/ir.ts";
import { assignScope } from "../../graph/rewrite.ts";
import { gatherElements, logSoftmax, neg, reduceMean, square, sub, unsqueeze } from "../../ops/index.ts";

/** Scope of the nodes of the loss, whose cost is not the network's. */
export const lossPath = "loss";

/**
 * Cross-entropy over the last axis with one class for each position, [N, …, C] → scalar; the mean square for outputs without a
 * class axis. `undefined` for an output of whole numbers, through which no gradient goes.
 */
export function standInLoss(output: Value): { readonly loss: Value; readonly target: Value } | undefined {
  if (!isFloat(output.dtype)) return undefined;
  const classes = output.rank > 1 && (output.shape.at(-1) ?? 1) > 1;
  const target = classes
    ? input("int64", output.shape.slice(0, -1), "target")
    : input(output.dtype, output.shape, "target");
  const loss = classes
    ? neg(reduceMean(gatherElements(logSoftmax(output), unsqueeze(target, [output.rank - 1]), -1)))
    : reduceMean(square(sub(output, target)));
  assignScope([loss], { path: lossPath });
  return { loss, target };
}
