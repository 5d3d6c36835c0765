/** A predictor of tables as users hold it: scores and predictions of tensors. */
import { Tensor } from "../../core/tensor.ts";
import { type Rows, rowsOf } from "../few-shot/classifier.ts";
import { classOf, type TableRows } from "./baseline.ts";

/** A predictor of the rows of a table. */
export interface TableModel {
  /** Probabilities of classes, [rows, classes], or predicted numbers, [rows, 1], of x [rows, features]. */
  scores(x: Tensor): Tensor<"float32">;
  /** The most probable class of each row as int32, or its number as float32, [rows]. */
  predict(x: Tensor): Tensor<"int32"> | Tensor<"float32">;
}

/** A model of what it says of rows, [rows, classes] or [rows, 1]. */
export function tableModel(
  where: string,
  { width, classes }: TableRows,
  score: (rows: Rows) => Float64Array,
): TableModel {
  const asked = (x: Tensor) => rowsOf(where, x, width);
  return {
    scores(x) {
      const rows = asked(x);
      return new Tensor("float32", [rows.count, Math.max(1, classes)], Float32Array.from(score(rows)));
    },
    predict(x) {
      const rows = asked(x);
      const scores = score(rows);
      if (classes === 0) return new Tensor("float32", [rows.count], Float32Array.from(scores));
      return new Tensor("int32", [rows.count], Int32Array.from(classOf(scores, classes)));
    },
  };
}
