/** Counts of n-grams in sequences of numbers. */
import { DTypeError, ShapeError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { showShape, size } from "../../core/shape.ts";
import { defineOp, type OpDef } from "../../graph/op.ts";
import { samplesFirst } from "../samples.ts";

/** How often each n-gram of a pool occurs in x [T] or [N, T], whether it does, and weighted: [n-grams] or [N, n-grams]. */
export const TfIdfVectorizer: OpDef = defineOp("TfIdfVectorizer", {
  arity: "1",
  attributes: {
    max_gram_length: "int",
    min_gram_length: "int",
    max_skip_count: "int",
    mode: "string",
    ngram_counts: "ints",
    ngram_indexes: "ints",
    pool_int64s: "ints",
    weights: "floats",
  },
  infer: ([x], { ngram_indexes = [] }) => {
    if (x.dtype !== "int32" && x.dtype !== "int64")
      throw new DTypeError(`TfIdfVectorizer: x is ${x.dtype}; pass whole numbers, int32 or int64`);
    if (x.rank < 1 || x.rank > 2)
      throw new ShapeError(`TfIdfVectorizer: x is ${showShape(x.shape)}; pass a sequence [T] or a batch [N, T]`);
    return { dtype: "float32", shape: [...x.shape.slice(0, -1), greatest(ngram_indexes, -1) + 1] };
  },
  grad: "none",
  flops: ({ outputs: [y] }) => size(y.shape),
  samples: (view) => (view.inputs[0].rank === 2 ? samplesFirst(view) : undefined),
});
