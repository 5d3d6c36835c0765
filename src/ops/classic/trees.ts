/** Ensembles of decision trees (ai.onnx.ml), which ONNX Runtime's own kernels compute; they have no gradient. */
import { ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { defineOp, type OpDef } from "../../graph/op.ts";
import { storedNode, without } from "../reading.ts";

const domain = "ai.onnx.ml";

const nodes = {
  nodes_treeids: "ints",
  nodes_nodeids: "ints",
  nodes_featureids: "ints",
  nodes_modes: "strings",
  nodes_values: "floats",
  nodes_values_as_tensor: "tensor",
  nodes_hitrates: "floats",
  nodes_hitrates_as_tensor: "tensor",
  nodes_truenodeids: "ints",
  nodes_falsenodeids: "ints",
  nodes_missing_value_tracks_true: "ints",
  base_values: "floats",
  base_values_as_tensor: "tensor",
  post_transform: "string",
} as const;

/** How many rows x [N, features] has. */
function rowsOf(op: string, x: Value): number {
  if (x.rank !== 2)
    throw new ShapeError(`${op} takes rows [samples, features], got ${showShape(x.shape)}; reshape them`);
  return x.shape[0] ?? 1;
}

/** A comparison for each level of each tree, were the trees balanced. */
function comparisons(rows: number, treeIds: readonly number[] = []): number {
  const trees = new Set(treeIds).size;
  return trees === 0 ? 0 : rows * trees * Math.ceil(Math.log2(treeIds.length / trees + 1));
}

/** The class of each row [N], by its number where the file names it by a text, and the scores of all [N, classes]. */
export const TreeEnsembleClassifier: OpDef = defineOp("TreeEnsembleClassifier", {
  domain,
  arity: "1",
  attributes: {
    ...nodes,
    class_treeids: "ints",
    class_nodeids: "ints",
    class_ids: "ints",
    class_weights: "floats",
    class_weights_as_tensor: "tensor",
    classlabels_int64s: "ints",
  },
  infer: ([x], { classlabels_int64s = [] }) => {
    const rows = rowsOf("TreeEnsembleClassifier", x);
    return [
      { dtype: "int64", shape: [rows] },
      { dtype: "float32", shape: [rows, classlabels_int64s.length] },
    ];
  },
  grad: "none",
  flops: ({ inputs: [x], attributes: { nodes_treeids } }) => comparisons(x.shape[0] ?? 1, nodes_treeids),
  read: ({ inputs, attributes }, op) => {
    const { classlabels_strings } = attributes;
    if (!Array.isArray(classlabels_strings)) return undefined;
    const classlabels_int64s = classlabels_strings.map((_, i) => i);
    return storedNode(op, inputs, { ...without(attributes, ["classlabels_strings"]), classlabels_int64s }).outputs;
  },
});

/** The sum, mean, least or largest of what the trees say of each row, [N, targets]. */
export const TreeEnsembleRegressor: OpDef = defineOp("TreeEnsembleRegressor", {
  domain,
  arity: "1",
  attributes: {
    ...nodes,
    aggregate_function: "string",
    n_targets: "int",
    target_treeids: "ints",
    target_nodeids: "ints",
    target_ids: "ints",
    target_weights: "floats",
    target_weights_as_tensor: "tensor",
  },
  infer: ([x], { n_targets = 1 }) => ({ dtype: "float32", shape: [rowsOf("TreeEnsembleRegressor", x), n_targets] }),
  grad: "none",
  flops: ({ inputs: [x], attributes: { nodes_treeids } }) => comparisons(x.shape[0] ?? 1, nodes_treeids),
});
