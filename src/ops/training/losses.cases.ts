/** Cases of the losses that files have as operators. */
import { type Attributes, apply, makeNode } from "../../graph/op.ts";
import { given, indices, normal, opCase, positive } from "../define.cases.ts";
import * as l from "./losses.ts";

const images = [2, 3, 4];
const none = { derivative: "none" } as const;

const likelihood = (name: string, attributes: Attributes, torch: string) =>
  opCase(l.NegativeLogLikelihoodLoss, name, {
    inputs: { x: normal(images), t: indices([2, 4], 3), w: positive([3]) },
    build: ({ x, t, w }) => apply(l.NegativeLogLikelihoodLoss, [x, t, w], attributes),
    torch: `F.nll_loss(x, t, w.detach()${torch})`,
    ...none,
  });

export const lossCases = [
  likelihood("mean, weighted", {}, ""),
  likelihood("sum, a label ignored", { reduction: "sum", ignore_index: 1 }, ", reduction='sum', ignore_index=1"),
  likelihood("each, weighted", { reduction: "none" }, ", reduction='none'"),
  opCase(l.NegativeLogLikelihoodLoss, "mean without weights, a label that is no class ignored", {
    inputs: { x: normal([3, 4]), t: given([2, -1, 0], [3], "int64") },
    build: ({ x, t }) => apply(l.NegativeLogLikelihoodLoss, [x, t], { ignore_index: -1 }),
    torch: "F.nll_loss(x, t, ignore_index=-1)",
    ...none,
  }),
  opCase(l.SoftmaxCrossEntropyLoss, "mean, with the logarithms", {
    inputs: { x: normal([3, 5]), t: indices([3], 5) },
    build: ({ x, t }) => makeNode(l.SoftmaxCrossEntropyLoss, [x, t]).outputs,
    torch: "F.cross_entropy(x, t), x.log_softmax(1)",
    ...none,
  }),
];
