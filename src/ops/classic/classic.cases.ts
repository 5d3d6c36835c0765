/** Cases of classical machine learning: ONNX Runtime's own kernels against PyTorch, and against what the operators are read as. */
import { apply, makeNode } from "../../graph/op.ts";
import { given, normal, opCase } from "../define.cases.ts";
import * as l from "./linear-models.ts";
import { TreeEnsembleClassifier, TreeEnsembleRegressor } from "./trees.ts";

const none = { derivative: "none" } as const;

/** A tree of one question: whether feature 1 is at most 0.25. */
const stump = {
  nodes_treeids: [0, 0, 0],
  nodes_nodeids: [0, 1, 2],
  nodes_featureids: [1, 0, 0],
  nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF"],
  nodes_values: [0.25, 0, 0],
  nodes_truenodeids: [1, 0, 0],
  nodes_falsenodeids: [2, 0, 0],
  nodes_missing_value_tracks_true: [0, 0, 0],
  post_transform: "NONE",
};

export const classicCases = [
  opCase(l.LinearRegressor, "two targets", {
    inputs: { x: normal([3, 4]), w: normal([2, 4]), b: normal([2]) },
    build: ({ x, w, b }) => apply(l.LinearRegressor, [x, w, b], { targets: 2 }),
    torch: "F.linear(x, w, b)",
    ...none,
  }),
  opCase(l.LinearClassifier, "softmax of three classes", {
    inputs: { x: normal([3, 4]), w: normal([3, 4]), b: normal([3]) },
    build: ({ x, w, b }) =>
      makeNode(l.LinearClassifier, [x, w, b], { classlabels_ints: [5, 7, 9], post_transform: "SOFTMAX" }).outputs,
    torch: "(2 * F.linear(x, w, b).argmax(1) + 5, F.linear(x, w, b).softmax(1))",
    ...none,
  }),
  opCase(l.Scaler, "of each feature", {
    inputs: { x: normal([3, 2]), mean: normal([2]), factor: normal([2]) },
    build: ({ x, mean, factor }) => apply(l.Scaler, [x, mean, factor]),
    torch: "(x - mean) * factor",
    ...none,
  }),
  opCase(l.ZipMap, "scores", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(l.ZipMap, [x], { classlabels_int64s: [0, 1, 2] }),
    torch: "x",
    ...none,
  }),
  ...(["MAX", "L1", "L2"] as const).map((norm) =>
    opCase(l.Normalizer, norm, {
      inputs: { x: normal([2, 3]) },
      build: ({ x }) => apply(l.Normalizer, [x], { norm }),
      torch: { MAX: "x / x.amax(1, keepdim=True)", L1: "F.normalize(x, 1)", L2: "F.normalize(x, 2)" }[norm],
      ...none,
    }),
  ),
  opCase(l.Binarizer, "above a threshold", {
    inputs: { x: normal([5]) },
    build: ({ x }) => apply(l.Binarizer, [x], { threshold: 0.1 }),
    torch: "(x > 0.1).double()",
    ...none,
  }),
  opCase(l.Imputer, "for each feature", {
    inputs: { x: given([1, -1, 2, 3, 4, -1], [2, 3]) },
    build: ({ x }) => apply(l.Imputer, [x], { imputed_value_floats: [7, 8, 9], replaced_value_float: -1 }),
    torch: "torch.where(x == -1, torch.tensor([7.0, 8.0, 9.0]).double(), x)",
    ...none,
  }),
  opCase(l.ArrayFeatureExtractor, "two features", {
    inputs: { x: normal([2, 4]), at: given([3, 1], [2], "int64") },
    build: ({ x, at }) => apply(l.ArrayFeatureExtractor, [x, at]),
    torch: "x[:, [3, 1]]",
    ...none,
  }),
  opCase(l.FeatureVectorizer, "two matrices", {
    inputs: { x: normal([2, 3]), y: normal([2, 1]) },
    build: ({ x, y }) => apply(l.FeatureVectorizer, [x, y], { inputdimensions: [3, 1] }),
    torch: "torch.cat([x, y], 1)",
    ...none,
  }),
  opCase(TreeEnsembleClassifier, "one question", {
    inputs: { x: given([0, 0.2, 0, 0.3, 0, 0.25], [3, 2]) },
    build: ({ x }) =>
      makeNode(TreeEnsembleClassifier, [x], {
        ...stump,
        class_treeids: [0, 0, 0, 0],
        class_nodeids: [1, 1, 2, 2],
        class_ids: [0, 1, 0, 1],
        class_weights: [0.75, 0.25, 0.125, 0.875],
        classlabels_int64s: [5, 7, 9],
      }).outputs,
    torch: "(torch.tensor([5, 7, 5]), torch.tensor([[0.75, 0.25, 0], [0.125, 0.875, 0], [0.75, 0.25, 0]]))",
    ...none,
  }),
  opCase(TreeEnsembleRegressor, "one question", {
    inputs: { x: given([0, 0.2, 0, 0.3, 0, 0.25], [3, 2]) },
    build: ({ x }) =>
      apply(TreeEnsembleRegressor, [x], {
        ...stump,
        ...{ target_treeids: [0, 0], target_nodeids: [1, 2], target_ids: [0, 0], target_weights: [1.5, -2] },
        ...{ n_targets: 1, aggregate_function: "SUM" },
      }),
    torch: "torch.tensor([[1.5], [-2.0], [1.5]])",
    ...none,
  }),
];
