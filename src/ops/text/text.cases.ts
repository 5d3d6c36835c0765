/** Cases of counting n-grams. */
import { apply } from "../../graph/op.ts";
import { given, opCase } from "../define.cases.ts";
import { TfIdfVectorizer } from "./tf-idf.ts";

/** 2 and 3 alone; the pairs 1 2, 2 3, 1 3. */
const pool = { pool_int64s: [2, 3, 1, 2, 2, 3, 1, 3], ngram_counts: [0, 2], ngram_indexes: [0, 1, 2, 3, 4] };

export const textCases = [
  opCase(TfIdfVectorizer, "counts of single numbers and of pairs with one between them at most", {
    inputs: { x: given([1, 2, 3, 2, 3, 5], [6], "int64") },
    build: ({ x }) =>
      apply(TfIdfVectorizer, [x], { ...pool, mode: "TF", min_gram_length: 1, max_gram_length: 2, max_skip_count: 1 }),
    torch: "torch.tensor([2, 2, 1, 2, 1])", // counted by hand
  }),
  opCase(TfIdfVectorizer, "weights of what occurs, in a batch", {
    inputs: { x: given([1, 2, 1, 3, 3, 3], [2, 3], "int32") },
    build: ({ x }) =>
      apply(TfIdfVectorizer, [x], {
        ...pool,
        mode: "IDF",
        weights: [0.5, 2, 3, 4, 5],
        min_gram_length: 1,
        max_gram_length: 1,
        max_skip_count: 0,
      }),
    torch: "torch.tensor([[0.5, 0, 0, 0, 0], [0, 2, 0, 0, 0]])", // counted by hand
  }),
];
