/**
 * ONNX Runtime's operators of quantized tensors (QLinear…), read as what they mean: dequantized, computed, quantized. Its optimizer
 * finds their kernels again in that form.
 */
import type { Value } from "../../graph/ir.ts";
import { type Attributes, apply, type OpDef } from "../../graph/op.ts";
import { leakyRelu, sigmoid } from "../activations.ts";
import { add, mul, where } from "../elementwise.ts";
import { concat, transpose } from "../movement.ts";
import { Softmax } from "../normalization/normalization.ts";
import { defineComposition } from "../reading.ts";
import { windowSchema } from "../windows/geometry.ts";
import { AveragePool, GlobalAveragePool, MaxPool } from "../windows/pooling.ts";
import { DequantizeLinear, QLinearConv, QuantizeLinear } from "./quantization.ts";

const domain = "com.microsoft";

/** A quantized tensor as its operands stand: the numbers, their scale, their zero point. */
type Quantized = readonly [Value | undefined, Value | undefined, Value | undefined];

const real = ([x, scale, zero]: Quantized, attributes: Attributes = {}): Value =>
  apply(DequantizeLinear, zero ? [x, scale, zero] : [x, scale], attributes);

/** y as numbers of the zero point's dtype; uint8 without one. */
const quantized = (y: Value, scale: Value | undefined, zero: Value | undefined, attributes: Attributes = {}): Value =>
  apply(QuantizeLinear, zero ? [y, scale, zero] : [y, scale], attributes);

/** The part of the operands from a position on that is one quantized tensor. */
const partAt = (inputs: readonly (Value | undefined)[], at: number): Quantized => [
  inputs[at],
  inputs[at + 1],
  inputs[at + 2],
];

/** x with its channels last, as an operator takes them first. */
function channelsFirst(x: Value, channelsLast: number | undefined, compute: (x: Value) => Value): Value {
  if (channelsLast !== 1) return compute(x);
  const axes = x.shape.map((_, i) => i);
  const y = compute(transpose(x, [0, x.rank - 1, ...axes.slice(1, -1)]));
  return transpose(y, [0, ...axes.slice(2), 1]);
}

/** Two quantized tensors to one: a, its scale and zero point, b and its, then the scale and zero point of y. */
const binary = (type: string, compute: (a: Value, b: Value) => Value): OpDef =>
  defineComposition(type, {
    domain,
    arity: "1-9",
    kind: "arithmetic",
    settings: [1, 2, 4, 5, 6, 7],
    build: ({ inputs }) => [quantized(compute(real(partAt(inputs, 0)), real(partAt(inputs, 3))), inputs[6], inputs[7])],
  });

export const QLinearAdd: OpDef = binary("QLinearAdd", add);
export const QLinearMul: OpDef = binary("QLinearMul", mul);

/** One quantized tensor to one: x, its scale and zero point, then those of y. */
const unarySettings = [1, 2, 3, 4];

export const QLinearSigmoid: OpDef = defineComposition("QLinearSigmoid", {
  domain,
  arity: "1-9",
  kind: "activation",
  settings: unarySettings,
  build: ({ inputs }) => [quantized(sigmoid(real(partAt(inputs, 0))), inputs[3], inputs[4])],
});

export const QLinearLeakyRelu: OpDef = defineComposition("QLinearLeakyRelu", {
  domain,
  arity: "1-9",
  kind: "activation",
  settings: unarySettings,
  attributes: { alpha: "float" },
  build: ({ inputs, attributes: { alpha } }) => [
    quantized(leakyRelu(real(partAt(inputs, 0)), alpha), inputs[3], inputs[4]),
  ],
});

/** The softmax of an axis, or before operator set 13 of that axis and all behind it together. */
export const QLinearSoftmax: OpDef = defineComposition("QLinearSoftmax", {
  domain,
  arity: "1-9",
  kind: "activation",
  settings: unarySettings,
  attributes: { axis: "int", opset: "int" },
  build: ({ inputs, attributes: { axis, opset = 13 } }) => {
    const x = real(partAt(inputs, 0));
    const [y] = Softmax.read({
      version: opset,
      inputs: [x],
      attributes: axis === undefined ? {} : { axis },
      outputs: 1,
    }) ?? [apply(Softmax, [x], { axis: axis ?? -1 })];
    return [quantized(y as Value, inputs[3], inputs[4])];
  },
});

export const QLinearGlobalAveragePool: OpDef = defineComposition("QLinearGlobalAveragePool", {
  domain,
  arity: "1-9",
  kind: "pooling",
  settings: unarySettings,
  attributes: { channels_last: "int" },
  build: ({ inputs, attributes: { channels_last } }) => {
    const y = channelsFirst(real(partAt(inputs, 0)), channels_last, (x) => apply(GlobalAveragePool, [x]));
    return [quantized(y, inputs[3], inputs[4])];
  },
});

export const QLinearAveragePool: OpDef = defineComposition("QLinearAveragePool", {
  domain,
  arity: "1-9",
  kind: "pooling",
  settings: unarySettings,
  attributes: { ...windowSchema, ceil_mode: "int", count_include_pad: "int", channels_last: "int" },
  build: ({ inputs, attributes: { channels_last, ...window } }) => {
    const y = channelsFirst(real(partAt(inputs, 0)), channels_last, (x) => apply(AveragePool, [x], window));
    return [quantized(y, inputs[3], inputs[4])];
  },
});

/** The maximum over windows of images whose channels are last. */
export const NhwcMaxPool: OpDef = defineComposition("NhwcMaxPool", {
  domain,
  arity: "1",
  kind: "pooling",
  attributes: { ...windowSchema, ceil_mode: "int", storage_order: "int" },
  build: ({ inputs: [x], attributes: { storage_order: _, ...window } }) => [
    channelsFirst(x, 1, (images) => apply(MaxPool, [images], window)),
  ],
});

/** The convolution of quantized images whose channels may be last; the filters are ONNX's. */
export const ContribQLinearConv: OpDef = defineComposition("QLinearConv", {
  domain,
  arity: "8-9",
  kind: "convolution",
  settings: [1, 2, 4, 5, 6, 7],
  attributes: { ...windowSchema, group: "int", channels_last: "int" },
  build: ({ inputs: [x, ...others], attributes: { channels_last, ...window } }) => [
    channelsFirst(x, channels_last, (images) => apply(QLinearConv, [images, ...others], window)),
  ],
});

/** Where a condition holds x, else y: the condition, two quantized tensors, then the scale and zero point of the result. */
export const QLinearWhere: OpDef = defineComposition("QLinearWhere", {
  domain,
  arity: "1-9",
  kind: "arithmetic",
  settings: [2, 3, 5, 6, 7, 8],
  build: ({ inputs }) => [
    quantized(where(inputs[0], real(partAt(inputs, 1)), real(partAt(inputs, 4))), inputs[7], inputs[8]),
  ],
});

/** Concatenates any number of quantized tensors; the scale and zero point of y come first. */
export const QLinearConcat: OpDef = defineComposition("QLinearConcat", {
  domain,
  arity: "1-",
  kind: "reshape",
  attributes: { axis: "int" },
  settings: [0, 1, ...Array.from({ length: 256 }, (_, i) => [3 * i + 3, 3 * i + 4]).flat()],
  build: ({ inputs: [scale, zero, ...parts], attributes: { axis = 0 } }) => {
    const joined = Array.from({ length: Math.floor(parts.length / 3) }, (_, i) => real(partAt(parts, 3 * i)));
    return [quantized(concat(joined, axis), scale, zero)];
  },
});

/** ONNX Runtime's, for more dtypes than ONNX had; scales of one number, or along an axis. */
export const ContribQuantizeLinear: OpDef = defineComposition("QuantizeLinear", {
  domain,
  arity: "2-3",
  settings: [1, 2],
  attributes: { axis: "int", block_size: "int" },
  build: ({ inputs: [x, scale, zero], attributes }) => [quantized(x, scale, zero, attributes)],
});

export const ContribDequantizeLinear: OpDef = defineComposition("DequantizeLinear", {
  domain,
  arity: "2-3",
  settings: [1, 2],
  attributes: { axis: "int", block_size: "int" },
  build: ({ inputs: [x, scale, zero], attributes }) => [real([x, scale, zero], attributes)],
});
