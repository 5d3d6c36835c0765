/** Cases of fused operators: ONNX Runtime's own kernels against PyTorch, and against what the operators are read as. */
import type { Value } from "../graph/ir.ts";
import { apply, makeNode } from "../graph/op.ts";
import { given, integers, normal, opCase, positive } from "./define.cases.ts";
import * as f from "./fusions.ts";

const shape = [2, 5];
const none = { derivative: "none" } as const;

const activationCases = [
  opCase(f.QuickGelu, "alpha by default", {
    inputs: { x: normal(shape) },
    build: ({ x }) => apply(f.QuickGelu, [x]),
    torch: "x * (1.702 * x).sigmoid()",
    ...none,
  }),
  opCase(f.FastGelu, "with a bias", {
    inputs: { x: normal(shape), b: normal([5]) },
    build: ({ x, b }) => apply(f.FastGelu, [x, b]),
    torch: "F.gelu(x + b, approximate='tanh')",
    ...none,
  }),
  opCase(f.BiasGelu, "vector", {
    inputs: { x: normal(shape), b: normal([5]) },
    build: ({ x, b }) => apply(f.BiasGelu, [x, b]),
    torch: "F.gelu(x + b)",
    ...none,
  }),
  opCase(f.ContribGelu, "plain", {
    inputs: { x: normal(shape) },
    build: ({ x }) => apply(f.ContribGelu, [x]),
    torch: "F.gelu(x)",
    ...none,
  }),
];

const productCases = [
  opCase(f.FusedGemm, "leaky, right transposed, scaled", {
    inputs: { a: normal([2, 3]), b: normal([4, 3]), c: normal([4]) },
    build: ({ a, b, c }) =>
      apply(f.FusedGemm, [a, b, c], { transB: 1, alpha: 0.5, activation: "LeakyRelu", activation_alpha: 0.2 }),
    torch: "F.leaky_relu(0.5 * a @ b.T + c, 0.2)",
    ...none,
  }),
  opCase(f.FusedConv, "clipped", {
    inputs: { x: normal([1, 2, 3, 3]), w: normal([2, 2, 2, 2]), b: normal([2]) },
    build: ({ x, w, b }) => apply(f.FusedConv, [x, w, b], { activation: "Clip", activation_params: [-0.5, 1.5] }),
    torch: "F.conv2d(x, w, b).clamp(-0.5, 1.5)",
    ...none,
  }),
  opCase(f.FusedConv, "rectified, padded, another tensor added", {
    inputs: { x: normal([1, 1, 3, 3]), w: normal([2, 1, 3, 3]), b: normal([2]), z: normal([1, 2, 3, 3]) },
    build: ({ x, w, b, z }) => apply(f.FusedConv, [x, w, b, z], { pads: [1, 1, 1, 1], activation: "Relu" }),
    torch: "(F.conv2d(x, w, b, padding=1) + z).relu()",
    ...none,
  }),
];

const normalizationCases = [
  opCase(f.SkipLayerNormalization, "with both biases", {
    inputs: { x: normal([2, 2, 4]), skip: normal([2, 2, 4]), w: positive([4]), b: normal([4]), bias: normal([4]) },
    build: ({ x, skip, w, b, bias }) =>
      makeNode(f.SkipLayerNormalization, [x, skip, w, b, bias], { epsilon: 0.01 }).outputs.slice(0, 1),
    torch: "F.layer_norm(x + skip + bias, (4,), w, b, 0.01)",
    ...none,
  }),
  opCase(f.SkipSimplifiedLayerNormalization, "normalized and the sum", {
    inputs: { x: normal([2, 2, 4]), skip: normal([2, 2, 4]), w: positive([4]) },
    build: ({ x, skip, w }) => {
      const { outputs } = makeNode(f.SkipSimplifiedLayerNormalization, [x, skip, w], { epsilon: 0.01 });
      return [outputs[0], outputs[3] as Value];
    },
    torch: "((x + skip) * ((x + skip).square().mean(-1, keepdim=True) + 0.01).rsqrt() * w, x + skip)",
    ...none,
  }),
];

const embeddingCases = [
  opCase(f.EmbedLayerNormalization, "words, places and segments", {
    inputs: {
      ids: integers([2, 3], 0, 6, "int32"),
      segments: integers([2, 3], 0, 2, "int32"),
      words: normal([6, 4]),
      places: normal([5, 4]),
      kinds: normal([2, 4]),
      ...{ w: positive([4]), b: normal([4]), mask: given([1, 1, 0, 1, 0, 0], [2, 3], "int32") },
    },
    build: ({ ids, segments, words, places, kinds, w, b, mask }) =>
      makeNode(f.EmbedLayerNormalization, [ids, segments, words, places, kinds, w, b, mask], { epsilon: 0.01 }).outputs,
    torch:
      "(F.layer_norm(words[ids.long()] + places[:3] + kinds[segments.long()], (4,), w, b, 0.01), mask.sum(1), words[ids.long()] + places[:3] + kinds[segments.long()])",
    ...none,
  }),
];

export const fusionCases = [...activationCases, ...productCases, ...normalizationCases, ...embeddingCases];
