/** Cases of softmax and the normalizations. */
import { apply, makeNode } from "../../graph/op.ts";
import { given, normal, opCase, positive } from "../define.cases.ts";
import { Sqrt } from "../functions.ts";
import * as n from "./normalization.ts";

const softmaxCases = [
  opCase(n.Softmax, "last axis", {
    inputs: { x: normal([2, 4]) },
    build: ({ x }) => n.softmax(x),
    torch: "x.softmax(-1)",
  }),
  opCase(n.Softmax, "middle axis", {
    inputs: { x: normal([2, 3, 2]) },
    build: ({ x }) => n.softmax(x, 1),
    torch: "x.softmax(1)",
  }),
  opCase(n.Softmax, "large scores", {
    inputs: { x: given([1000, 1001, 999.5], [3]) },
    build: ({ x }) => n.softmax(x, 0),
    torch: "x.softmax(0)",
  }),
  opCase(n.Hardmax, "middle axis", {
    inputs: { x: normal([2, 3, 2]) },
    build: ({ x }) => apply(n.Hardmax, [x], { axis: 1 }),
    torch: "F.one_hot(x.argmax(1), 3).transpose(1, 2)",
  }),
  opCase(n.Hardmax, "ties, the first of them", {
    inputs: { x: given([1, 3, 3, 2], [1, 4]) },
    build: ({ x }) => apply(n.Hardmax, [x]),
    torch: "torch.tensor([[0, 1, 0, 0]])",
  }),
  opCase(n.LogSoftmax, "last axis", {
    inputs: { x: normal([2, 4]) },
    build: ({ x }) => n.logSoftmax(x),
    torch: "x.log_softmax(-1)",
  }),
  opCase(n.LogSoftmax, "first axis", {
    inputs: { x: normal([3, 2, 2]) },
    build: ({ x }) => n.logSoftmax(x, -3),
    torch: "x.log_softmax(0)",
  }),
];

const layerCases = [
  opCase(n.LayerNormalization, "last axis", {
    inputs: { x: normal([2, 2, 5]), w: positive([5]), b: normal([5]) },
    build: ({ x, w, b }) => n.layerNorm(x, w, b),
    torch: "F.layer_norm(x, (5,), w, b)",
  }),
  opCase(n.LayerNormalization, "two axes, large epsilon", {
    inputs: { x: normal([2, 3, 2]), w: positive([3, 2]), b: normal([3, 2]) },
    build: ({ x, w, b }) => n.layerNorm(x, w, b, { epsilon: 0.1 }),
    torch: "F.layer_norm(x, (3, 2), w, b, 0.1)",
  }),
  opCase(n.LayerNormalization, "all axes, without bias", {
    inputs: { x: normal([3, 2]), w: positive([3, 2]) },
    build: ({ x, w }) => apply(n.LayerNormalization, [x, w], { axis: 0 }),
    torch: "F.layer_norm(x, (3, 2), w)",
  }),
  opCase(n.LayerNormalization, "moments used too", {
    inputs: { x: normal([2, 4]), w: positive([4]), b: normal([4]) },
    build: ({ x, w, b }) => makeNode(n.LayerNormalization, [x, w, b], { axis: -1, epsilon: 1e-5 }).outputs,
    torch:
      "(F.layer_norm(x, (4,), w, b), x.mean(1, keepdim=True), (x.var(1, unbiased=False, keepdim=True) + 1e-5).rsqrt())",
  }),
  opCase(n.LayerNormalization, "moments alone", {
    inputs: { x: normal([2, 4]), w: positive([4]) },
    build: ({ x, w }) => makeNode(n.LayerNormalization, [x, w], { axis: -1, epsilon: 1e-5 }).outputs.slice(1),
    torch: "(x.mean(1, keepdim=True), (x.var(1, unbiased=False, keepdim=True) + 1e-5).rsqrt())",
  }),
];

const rms = (x: string, axes: string, epsilon = "1e-6") =>
  `((${x} * ${x}).mean(${axes}, keepdim=True) + ${epsilon}).rsqrt()`;
const rmsCases = [
  opCase(n.RMSNormalization, "last axis", {
    inputs: { x: normal([2, 2, 5]), w: normal([5]) },
    build: ({ x, w }) => n.rmsNorm(x, w),
    torch: `x * ${rms("x", "-1")} * w`,
  }),
  opCase(n.RMSNormalization, "two axes, large epsilon", {
    inputs: { x: normal([2, 3, 2]), w: normal([3, 2]) },
    build: ({ x, w }) => n.rmsNorm(x, w, { epsilon: 0.1 }),
    torch: `x * ${rms("x", "(1, 2)", "0.1")} * w`,
  }),
  opCase(n.SimplifiedLayerNormalization, "root used too", {
    inputs: { x: normal([2, 4]), w: normal([4]) },
    build: ({ x, w }) => makeNode(n.SimplifiedLayerNormalization, [x, w], { axis: -1, epsilon: 1e-5 }).outputs,
    torch: `(x * ${rms("x", "1", "1e-5")} * w, ${rms("x", "1", "1e-5")})`,
  }),
  opCase(n.SimplifiedLayerNormalization, "root alone", {
    inputs: { x: normal([2, 4]), w: normal([4]) },
    build: ({ x, w }) => makeNode(n.SimplifiedLayerNormalization, [x, w], { axis: 1, epsilon: 1e-5 }).outputs.slice(1),
    torch: rms("x", "1", "1e-5"),
  }),
];

const channels = { w: positive([3]), b: normal([3]), m: normal([3]), v: positive([3]) };
const batchCases = [
  // F.batch_norm has no gradient for given moments, so it is written out.
  opCase(n.BatchNormalization, "images", {
    inputs: { x: normal([2, 3, 2, 2]), ...channels },
    build: ({ x, w, b, m, v }) => n.batchNormInference(x, [w, b, m, v]),
    torch: "(x - per_channel(m)) / per_channel(v + 1e-5).sqrt() * per_channel(w) + per_channel(b)",
  }),
  opCase(n.BatchNormalization, "vectors, large epsilon", {
    inputs: { x: normal([4, 3]), ...channels },
    build: ({ x, w, b, m, v }) => n.batchNormInference(x, [w, b, m, v], { epsilon: 0.1 }),
    torch: "(x - m) / (v + 0.1).sqrt() * w + b",
  }),
  opCase(n.Variance, "of channels", {
    inputs: { x: normal([4, 3, 5, 2]) },
    build: ({ x }) => apply(n.Variance, [x], { axes: [0, 2, 3] }),
    torch: "x.var((0, 2, 3), unbiased=False, keepdim=True)",
  }),
  opCase(Sqrt, "batchNormTrain with its moments", {
    inputs: { x: normal([3, 2, 2, 2]), w: positive([2]), b: normal([2]) },
    build: ({ x, w, b }) => {
      const { y, mean, variance } = n.batchNormTrain(x, w, b);
      return [y, mean, variance];
    },
    torch: "(F.batch_norm(x, None, None, w, b, training=True), x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False))",
  }),
  opCase(Sqrt, "batchNormTrain of vectors", {
    inputs: { x: normal([4, 2]), w: positive([2]), b: normal([2]) },
    build: ({ x, w, b }) => n.batchNormTrain(x, w, b, { epsilon: 0.01 }).y,
    torch: "F.batch_norm(x, None, None, w, b, training=True, eps=0.01)",
  }),
];

export const normalizationCases = [...softmaxCases, ...layerCases, ...rmsCases, ...batchCases];
