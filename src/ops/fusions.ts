/** Operators that ONNX Runtime's optimizer writes into files in place of several: read as those. */
import { ShapeError, UnsupportedError } from "../core/errors.ts";
import type { Value } from "../graph/ir.ts";
import { type Attributes, apply, makeNode, type OpDef } from "../graph/op.ts";
import { gelu, hardSigmoid, leakyRelu, relu, sigmoid } from "./activations.ts";
import { cast } from "./cast.ts";
import { zeros } from "./constant.ts";
import { add, clip, mul } from "./elementwise.ts";
import { tanh } from "./functions.ts";
import { gather } from "./indexing.ts";
import { Gemm } from "./matmul.ts";
import { LayerNormalization, SimplifiedLayerNormalization } from "./normalization/normalization.ts";
import { defineComposition, without } from "./reading.ts";
import { reduceMean, reduceSum } from "./reduce.ts";
import { slice } from "./slicing.ts";
import { Conv } from "./windows/convolution.ts";
import { windowSchema } from "./windows/geometry.ts";

const domain = "com.microsoft";

/** The activations that products are fused with, by ONNX's names and in the order of their parameters. */
const activations: Readonly<Record<string, (x: Value, parameters: readonly number[]) => Value>> = {
  Relu: (x) => relu(x),
  Sigmoid: (x) => sigmoid(x),
  Tanh: (x) => tanh(x),
  LeakyRelu: (x, [alpha]) => leakyRelu(x, alpha),
  HardSigmoid: (x, [alpha, beta]) => hardSigmoid(x, alpha, beta),
  Clip: (x, [low, high]) => clip(x, low, high),
};

function activated(op: string, x: Value, name: string | undefined, parameters: readonly number[]): Value {
  const activation = name === undefined ? undefined : activations[name];
  if (!activation)
    throw new UnsupportedError(`${op}: activation is "${name}"; only ${Object.keys(activations).join(", ")} are known`);
  return activation(x, parameters);
}

/** An activation of a Gemm. */
export const FusedGemm: OpDef = defineComposition("FusedGemm", {
  domain,
  arity: "2-3",
  kind: "dense",
  attributes: {
    transA: "int",
    transB: "int",
    alpha: "float",
    beta: "float",
    activation: "string",
    activation_alpha: "float",
    activation_beta: "float",
  },
  build: ({ inputs, attributes }) => {
    const { activation, activation_alpha: alpha, activation_beta: beta } = attributes;
    const own = without(attributes, ["activation", "activation_alpha", "activation_beta"]);
    const parameters = [alpha, beta].filter((parameter) => parameter !== undefined);
    return [activated("FusedGemm", apply(Gemm, inputs, own), activation, parameters)];
  },
});

/** An activation of a convolution, to which a fourth operand may be added before. */
export const FusedConv: OpDef = defineComposition("FusedConv", {
  domain,
  arity: "2-4",
  kind: "convolution",
  attributes: { ...windowSchema, group: "int", activation: "string", activation_params: "floats" },
  build: ({ inputs: [x, w, bias, other], attributes }) => {
    const { activation, activation_params = [] } = attributes;
    const own: Attributes = without(attributes, ["activation", "activation_params"]);
    const sums = apply(Conv, [x, w, bias], own);
    return [activated("FusedConv", other ? add(sums, other) : sums, activation, activation_params)];
  },
});

/** x σ(α x), with α 1.702 an approximation of Gelu (Hendrycks and Gimpel 2016, sec. 2). */
export const QuickGelu: OpDef = defineComposition("QuickGelu", {
  domain,
  arity: "1",
  kind: "activation",
  attributes: { alpha: "float" },
  build: ({ inputs: [x], attributes: { alpha = 1.702 } }) => [mul(x, sigmoid(mul(x, alpha)))],
});

/** Gelu by its approximation with tanh, of x and a bias. */
export const FastGelu: OpDef = defineComposition("FastGelu", {
  domain,
  arity: "1-2",
  kind: "activation",
  build: ({ inputs: [x, bias] }) => [gelu(bias ? add(x, bias) : x, "tanh")],
});

/** Gelu of x and a bias. */
export const BiasGelu: OpDef = defineComposition("BiasGelu", {
  domain,
  arity: "2",
  kind: "activation",
  build: ({ inputs: [x, bias] }) => [gelu(add(x, bias))],
});

/** Gelu, before ONNX had it. */
export const ContribGelu: OpDef = defineComposition("Gelu", {
  domain,
  arity: "1",
  kind: "activation",
  build: ({ inputs: [x] }) => [gelu(x)],
});

/** Layer normalization of input + skip + bias: also its moments, and that sum. */
export const SkipLayerNormalization: OpDef = defineComposition("SkipLayerNormalization", {
  domain,
  arity: "3-5",
  kind: "normalization",
  attributes: { epsilon: "float" },
  requiredOutputs: 1,
  build: ({ inputs: [x, skip, scale, shift, bias], attributes: { epsilon = 1e-12 } }) => {
    const sum = bias ? add(add(x, skip), bias) : add(x, skip);
    return [...makeNode(LayerNormalization, [sum, scale, shift], { axis: -1, epsilon }).outputs, sum];
  },
});

/** Root-mean-square normalization of input + skip + bias: also the sum's mean, the inverse of its root, and the sum. */
export const SkipSimplifiedLayerNormalization: OpDef = defineComposition("SkipSimplifiedLayerNormalization", {
  domain,
  arity: "3-4",
  kind: "normalization",
  attributes: { epsilon: "float" },
  requiredOutputs: 1,
  build: ({ inputs: [x, skip, scale, bias], attributes: { epsilon = 1e-12 } }) => {
    const sum = bias ? add(add(x, skip), bias) : add(x, skip);
    const [y, r] = makeNode(SimplifiedLayerNormalization, [sum, scale], { axis: -1, epsilon }).outputs;
    return [y, reduceMean(sum, -1, { keepDims: true }), r as Value, sum];
  },
});

/**
 * Layer normalization of the sum of embeddings: ids and segments [N, T], tables of words, positions and segments, scale and shift, a
 * mask [N, T], positions [N, T]. It gives y [N, T, width], the length of each sample by the mask, and the sum.
 */
export const EmbedLayerNormalization: OpDef = defineComposition("EmbedLayerNormalization", {
  domain,
  arity: "1-9",
  kind: "embedding",
  attributes: { epsilon: "float", mask_index_type: "int" },
  requiredOutputs: 1,
  build: ({ inputs: [ids, segments, words, places, kinds, scale, shift, mask, positions], attributes }) => {
    const { epsilon = 1e-12 } = attributes;
    if (!words || !places || !scale || !shift)
      throw new ShapeError("EmbedLayerNormalization: a table of embeddings, the scale or the shift is left out");
    const [batch = 1, time = 1] = ids.shape;
    const ofPlaces = positions ? gather(places, positions) : slice(places, { axis: 0, end: time });
    const both = add(gather(words, ids), ofPlaces);
    const sum = segments && kinds ? add(both, gather(kinds, segments)) : both;
    const lengths = mask ? reduceSum(cast(mask, "int32"), 1) : zeros([batch], "int32");
    const [y] = makeNode(LayerNormalization, [sum, scale, shift], { axis: -1, epsilon }).outputs;
    return [y, lengths, sum];
  },
});
