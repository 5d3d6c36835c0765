/** Cases of cross-entropy in pieces. */
import { makeNode } from "../../graph/op.ts";
import { given, normal, opCase } from "../define.cases.ts";
import { LabelLogSoftmax } from "./label-scores.ts";

const labels = given([2, 0, 6, 2], [4, 1], "int64");

export const labelScoreCases = [1, 3].map((pieces) =>
  opCase(LabelLogSoftmax, `of rows and classes, in ${pieces === 1 ? "one piece" : "pieces, the last one shorter"}`, {
    inputs: { x: normal([4, 3]), w: normal([7, 3]), t: labels },
    build: ({ x, w, t }) => makeNode(LabelLogSoftmax, [x, w, t], { pieces }).outputs,
    torch: "(x @ w.T).log_softmax(1).gather(1, t), (x @ w.T).logsumexp(1, keepdim=True)",
    flops: 2 * 4 * 7 * 3,
  }),
);
