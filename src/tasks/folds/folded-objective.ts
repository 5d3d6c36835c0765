/** What candidates are trained on: each member on the samples of other folds, by which it is then measured. */
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { CandidateNetwork, CandidateTarget } from "../../models/shared/candidate-network.ts";
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
  softplus,
  square,
  sub,
  where,
} from "../../ops/index.ts";
import type { Objective } from "../../train/engine/objective.ts";

/** A batch of rows: `fold` [N] is the part of the training rows that a row is in, -1 of a row that is in none. */
export type FoldedBatch = { readonly x: Tensor; readonly y: Tensor; readonly fold: Tensor };

/** The name of a choice's loss in results. */
export const choiceLoss = (choice: string): string => `loss.${choice}`;

/**
 * Member k of each kind learns from the rows that are not in fold k (bagging by folds; Breiman 1996, "Heuristics of Instability and
 * Stabilization in Model Selection"); what is predicted of a row of fold k is what the members k say, who have not seen it. So the figures
 * of training rows are honest, and all of them are learned from.
 */
export function foldedObjective(network: CandidateNetwork): Objective<FoldedBatch> {
  const { members, target, choices } = network;
  const names = Object.keys(network.candidates);
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
    const figures = Object.entries(choices).map(([choice, own]) => {
      const chosen = predictions.filter((_, i) => own.includes(names[i] ?? ""));
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

/** What is predicted, as predictions are: classes int64 [N, 1], labels [N, labels], a number in deviations from its mean [N, 1]. */
function wantedOf(y: Value, target: CandidateTarget): Value {
  if (target === "labels") return y;
  const wanted = target === "classes" ? cast(y, "int64") : div(sub(y, target.mean), target.deviation);
  return reshape(wanted, [y.shape[0] ?? 1, 1]);
}

/** Losses of members' scores [members, N, outputs], [members, N]. */
function errorsOf(scores: Value, y: Value, target: CandidateTarget): Value {
  const [members = 1, rows = 1] = scores.shape;
  const wanted = wantedOf(y, target);
  const each = reshape(wanted, [1, ...wanted.shape]);
  if (target === "labels") return reduceMean(sub(softplus(scores), mul(each, scores)), 2);
  const errors =
    target === "classes"
      ? neg(gatherElements(logSoftmax(scores), expand(each, [members, rows, 1]), 2))
      : square(sub(scores, each));
  return reshape(errors, [members, rows]);
}

/** The mean loss of predictions: probabilities [N, classes] or [N, labels], or numbers [N, 1] in deviations from the mean. */
function lossOf(prediction: Value, y: Value, target: CandidateTarget): Value {
  const wanted = wantedOf(y, target);
  const logOf = (probability: Value) => log(clip(probability, 1e-12, 1));
  if (target === "classes") return neg(reduceMean(logOf(gatherElements(prediction, wanted, 1))));
  if (target !== "labels") return reduceMean(square(sub(prediction, wanted)));
  const missed = sub(1, wanted);
  return neg(reduceMean(add(mul(wanted, logOf(prediction)), mul(missed, logOf(sub(1, prediction))))));
}
