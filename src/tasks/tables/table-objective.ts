/** What the networks of a table are trained on: each member on the rows of other folds, by which it is then measured. */

import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { NumberTarget, TableNetwork } from "../../models/tables/table-network.ts";
import { tableCandidates } from "../../models/tables/table-network.ts";
import {
  add,
  cast,
  clip,
  div,
  equal,
  expand,
  gatherElements,
  greaterOrEqual,
  iota,
  log,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reshape,
  square,
  sub,
  where,
} from "../../ops/index.ts";
import type { Objective } from "../../train/engine/objective.ts";

/** A batch of rows: `fold` [N] is the part of the training rows that a row is in, -1 of a row that is in none. */
export type FoldedBatch = { readonly x: Tensor; readonly y: Tensor; readonly fold: Tensor };

/** What may be chosen of the kinds of networks: one, those with hidden layers, or all; of several the mean counts. */
export const tableChoices: Readonly<Record<string, readonly (typeof tableCandidates)[number][]>> = {
  ...Object.fromEntries(tableCandidates.map((name) => [name, [name]])),
  networks: ["network", "networkOfBins"],
  together: tableCandidates,
};

/** The name of a choice's loss in results. */
export const choiceLoss = (choice: string): string => `loss.${choice}`;

/**
 * Member k of each kind learns from the rows that are not in fold k (bagging by folds; Breiman 1996, "Heuristics of Instability and
 * Stabilization in Model Selection"); what is predicted of a row of fold k is what the members k say, who have not seen it. So the figures
 * of training rows are honest, and all of them are learned from.
 */
export function tableObjective(network: TableNetwork, target: NumberTarget | undefined): Objective<FoldedBatch> {
  const { members } = network;
  return (context, { x, y, fold }) => {
    const rows = x.shape[0] ?? 1;
    const scores = network.scores(x, context);
    const isOwn = equal(reshape(fold, [1, rows]), constantFolds(members)); // [members, N]
    const others = sub(1, cast(isOwn, "float32"));
    const losses = scores.map((own) => mul(reduceMean(mul(errorsOf(own, y, target), others)), members / (members - 1)));
    const isTrained = reshape(greaterOrEqual(fold, 0), [1, rows]);
    const shares = where(isTrained, cast(isOwn, "float32"), 1 / members);
    const predictions = network.predictions(scores, reshape(shares, [members, rows, 1]));
    const mixed = network.mixed(predictions, context);
    const outputs = network.inUnits(mixed);
    if (context.training) return { loss: losses.reduce((a, b) => add(a, b)), outputs };
    const figures = Object.entries(tableChoices).map(([choice, names]) => {
      const chosen = predictions.filter((_, i) => names.some((name) => tableCandidates.indexOf(name) === i));
      const mean = div(
        chosen.reduce((a, b) => add(a, b)),
        chosen.length,
      );
      return [choiceLoss(choice), lossOf(mean, y, target)] as const;
    });
    return { loss: lossOf(mixed, y, target), outputs, figures: Object.fromEntries(figures) };
  };
}

/** The members' numbers, which folds are compared with, [members, 1]. */
const constantFolds = (members: number): Value => reshape(cast(iota(members), "int32"), [members, 1]);

/** A number in deviations from its mean, [N]. */
const standardizedTarget = (y: Value, { mean, deviation }: NumberTarget): Value =>
  reshape(div(sub(y, mean), deviation), [y.shape[0] ?? 1]);

/** Losses of members' scores [members, N, outputs], [members, N]. */
function errorsOf(scores: Value, y: Value, target: NumberTarget | undefined): Value {
  const [members = 1, rows = 1] = scores.shape;
  const flat = (own: Value) => reshape(own, [members, rows]);
  if (target) return square(sub(flat(scores), reshape(standardizedTarget(y, target), [1, rows])));
  const labels = expand(reshape(cast(y, "int64"), [1, rows, 1]), [members, rows, 1]);
  return flat(neg(gatherElements(logSoftmax(scores), labels, 2)));
}

/** The mean loss of predictions: probabilities [N, classes], or numbers [N, 1] in deviations from the mean. */
function lossOf(prediction: Value, y: Value, target: NumberTarget | undefined): Value {
  const rows = prediction.shape[0] ?? 1;
  if (target) return reduceMean(square(sub(reshape(prediction, [rows]), standardizedTarget(y, target))));
  return neg(reduceMean(log(clip(gatherElements(prediction, reshape(cast(y, "int64"), [rows, 1]), 1), 1e-12, 1))));
}
