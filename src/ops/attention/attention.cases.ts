/** Cases of attention and turned positions: ONNX Runtime's own kernels against PyTorch, and against what the operators are read as. */
import { makeNode } from "../../graph/op.ts";
import { int64s, scalar } from "../constant.ts";
import { given, integers, normal, opCase } from "../define.cases.ts";
import { reshape } from "../movement.ts";
import { Attention } from "./attention.ts";
import { ContribAttention, MultiHeadAttention } from "./contrib-attention.ts";
import { GroupQueryAttention } from "./grouped-attention.ts";
import { ContribRotaryEmbedding, RotaryEmbedding } from "./rotary.ts";

const none = { derivative: "none" } as const;

/** Cosines and sines for four positions and four pairs of features. */
const tables = {
  cos: given(
    Array.from({ length: 16 }, (_, i) => Math.cos(Math.floor(i / 4) / 10 ** (i % 4))),
    [4, 4],
  ),
  sin: given(
    Array.from({ length: 16 }, (_, i) => Math.sin(Math.floor(i / 4) / 10 ** (i % 4))),
    [4, 4],
  ),
};

export const attentionCases = [
  opCase(Attention, "causal, heads that share keys", {
    inputs: { q: normal([2, 3, 8]), k: normal([2, 3, 4]), v: normal([2, 3, 4]) },
    build: ({ q, k, v }) =>
      makeNode(Attention, [q, k, v], { is_causal: 1, q_num_heads: 4, kv_num_heads: 2 }).outputs.slice(0, 1),
    torch: "attention(q, k, v, 4, 2, causal=True)",
    ...none,
  }),
  opCase(ContribAttention, "with projections", {
    inputs: { x: normal([2, 3, 5]), w: normal([5, 24]), b: normal([24]) },
    build: ({ x, w, b }) => makeNode(ContribAttention, [x, w, b], { num_heads: 2 }).outputs.slice(0, 1),
    torch: "attention(*(x @ w + b).chunk(3, -1), 2, 2)",
    ...none,
  }),
  opCase(MultiHeadAttention, "of another sequence", {
    inputs: { q: normal([1, 2, 8]), k: normal([1, 3, 8]), v: normal([1, 3, 8]) },
    build: ({ q, k, v }) => makeNode(MultiHeadAttention, [q, k, v], { num_heads: 2 }).outputs.slice(0, 1),
    torch: "attention(q, k, v, 2, 2)",
    ...none,
  }),
  opCase(GroupQueryAttention, "a prompt", {
    inputs: {
      q: normal([1, 3, 64]),
      k: normal([1, 3, 32]),
      v: normal([1, 3, 32]),
      lasts: given([2], [1], "int32"),
    },
    build: ({ q, k, v, lasts }) =>
      makeNode(GroupQueryAttention, [q, k, v, undefined, undefined, lasts, scalar(3, "int32")], {
        num_heads: 4,
        kv_num_heads: 2,
      }).outputs.slice(0, 1),
    torch: "attention(q, k, v, 4, 2, causal=True)",
    ...none,
  }),
  opCase(RotaryEmbedding, "halves", {
    inputs: { x: normal([1, 2, 3, 8]), at: integers([1, 3], 0, 4), ...tables },
    build: ({ x, at, cos, sin }) => makeNode(RotaryEmbedding, [x, cos, sin, at]).outputs,
    torch: "turned(x, cos[at][:, None], sin[at][:, None])",
    ...none,
  }),
  opCase(ContribRotaryEmbedding, "of rows, from a position on", {
    inputs: { x: normal([1, 3, 16]), ...tables },
    build: ({ x, cos, sin }) => makeNode(ContribRotaryEmbedding, [x, reshape(int64s([1]), [1]), cos, sin]).outputs,
    torch: "turned(x.reshape(1, 3, 2, 8).transpose(1, 2), cos[1:4], sin[1:4]).transpose(1, 2).reshape(1, 3, 16)",
    ...none,
  }),
];
