/** Cases of the normalizations of images. */
import { apply } from "../../graph/op.ts";
import { distinct, given, normal, opCase, positive } from "../define.cases.ts";
import * as n from "./channel-normalization.ts";

const image = { x: normal([2, 4, 2, 3]), w: positive([4]), b: normal([4]) };

const groupCases = [
  opCase(n.InstanceNormalization, "images", {
    inputs: image,
    build: ({ x, w, b }) => n.instanceNorm(x, w, b),
    torch: "F.instance_norm(x, weight=w, bias=b)",
  }),
  opCase(n.InstanceNormalization, "sequences, large epsilon", {
    inputs: { x: normal([2, 3, 5]), w: positive([3]), b: normal([3]) },
    build: ({ x, w, b }) => n.instanceNorm(x, w, b, 0.1),
    torch: "F.instance_norm(x, weight=w, bias=b, eps=0.1)",
  }),
  opCase(n.GroupNormalization, "two groups", {
    inputs: image,
    build: ({ x, w, b }) => n.groupNorm(x, w, b, { groups: 2 }),
    torch: "F.group_norm(x, 2, w, b)",
  }),
  opCase(n.GroupNormalization, "one group, sequences, large epsilon", {
    inputs: { x: normal([2, 3, 4]), w: positive([3]), b: normal([3]) },
    build: ({ x, w, b }) => n.groupNorm(x, w, b, { groups: 1, epsilon: 0.1 }),
    torch: "F.group_norm(x, 1, w, b, 0.1)",
  }),
];

const neighbourCases = [
  opCase(n.LRN, "three neighbours", {
    inputs: { x: normal([2, 5, 2, 2]) },
    build: ({ x }) => apply(n.LRN, [x], { size: 3, alpha: 0.5, beta: 0.6, bias: 1.5 }),
    torch: "F.local_response_norm(x, 3, 0.5, 0.6, 1.5)",
  }),
  opCase(n.LRN, "five neighbours more than there are", {
    inputs: { x: normal([1, 4, 1, 2]) },
    build: ({ x }) => apply(n.LRN, [x], { size: 5 }),
    torch: "F.local_response_norm(x, 5)",
  }),
];

const normCases = [
  opCase(n.LpNormalization, "2-norm", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(n.LpNormalization, [x]),
    torch: "F.normalize(x, dim=1)",
  }),
  opCase(n.LpNormalization, "1-norm, first axis", {
    inputs: { x: distinct([3, 2]) },
    build: ({ x }) => apply(n.LpNormalization, [x], { axis: 0, p: 1 }),
    torch: "F.normalize(x, 1, 0)",
  }),
  opCase(n.LpNormalization, "a row of zeros", {
    inputs: { x: given([0, 0, 3, 4], [2, 2]) },
    build: ({ x }) => apply(n.LpNormalization, [x]),
    torch: "F.normalize(x, dim=1)",
    derivative: "none",
  }),
  opCase(n.MeanVarianceNormalization, "images", {
    inputs: { x: normal([2, 2, 2, 3]) },
    build: ({ x }) => apply(n.MeanVarianceNormalization, [x]),
    torch: "F.batch_norm(x, None, None, training=True, eps=1e-14)",
    derivative: "none",
  }),
];

export const channelNormalizationCases = [...groupCases, ...neighbourCases, ...normCases];
