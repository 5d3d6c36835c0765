/** Cases of cross-entropy in pieces. */
import type { DType } from "../../core/dtype.ts";
import { tensor } from "../../core/tensor.ts";
import { makeNode } from "../../graph/op.ts";
import { constant } from "../constant.ts";
import { given, normal, opCase } from "../define.cases.ts";
import { LabelLogSoftmax } from "./label-scores.ts";

const labels = given([2, 0, 6, 2], [4, 1], "int64");
/** Classes that are not learned. */
const frozen = (dtype: DType) =>
  constant(
    tensor(
      Array.from({ length: 21 }, (_, i) => ((i % 5) - 2) / 2),
      { shape: [7, 3], dtype },
    ),
  );
/** The scores by these in PyTorch. */
const scores = "(x @ ((torch.arange(21) % 5 - 2) / 2).reshape(7, 3).T.to(x.dtype))";

export const labelScoreCases = [
  ...[1, 3].map((pieces) =>
    opCase(LabelLogSoftmax, `of rows and classes, in ${pieces === 1 ? "one piece" : "pieces, the last one shorter"}`, {
      inputs: { x: normal([4, 3]), w: normal([7, 3]), t: labels },
      build: ({ x, w, t }) => makeNode(LabelLogSoftmax, [x, w, t], { pieces }).outputs,
      torch: "(x @ w.T).log_softmax(1).gather(1, t), (x @ w.T).logsumexp(1, keepdim=True)",
      flops: 2 * 4 * 7 * 3,
    }),
  ),
  opCase(LabelLogSoftmax, "of rows alone, in pieces", {
    inputs: { x: normal([4, 3]), t: labels },
    build: ({ x, t }) => makeNode(LabelLogSoftmax, [x, frozen(x.dtype), t], { pieces: 2 }).outputs,
    torch: `${scores}.log_softmax(1).gather(1, t), ${scores}.logsumexp(1, keepdim=True)`,
  }),
];
