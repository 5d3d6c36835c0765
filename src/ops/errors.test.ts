/** What operators say of operands that do not fit: where, what was got, what was expected, how to mend it. */
import { expect, test } from "vitest";
import { grad } from "../autodiff/transform.ts";
import { DTypeError, ShapeError, UnsupportedError } from "../core/errors.ts";
import { input, type Value } from "../graph/ir.ts";
import { type Attributes, apply, makeNode } from "../graph/op.ts";
import { foldConstants } from "../graph/passes.ts";
import { Constant, int64s } from "./constant.ts";
import * as ops from "./index.ts";
import { Gemm } from "./matmul.ts";
import { Reshape } from "./movement.ts";
import { ScatterND } from "./selection/scatter.ts";
import { STFT } from "./signal/fourier.ts";
import { Pad } from "./slicing.ts";
import { ConstantOfShape } from "./static-values.ts";

const float = (...shape: number[]) => input("float32", shape);
const int = (...shape: number[]) => input("int64", shape);
const image = float(2, 3, 8, 8);

const shapeMistakes: readonly (readonly [string, () => unknown, string])[] = [
  [
    "broadcast",
    () => ops.add(float(2, 3), float(4)),
    "Add: shapes [2, 3] and [4] do not broadcast: axis -1 has 3 and 4; make them equal, or one of them 1",
  ],
  [
    "windows that do not move on",
    () => apply(STFT, [float(1, 16, 1), int64s([0]), float(4)]),
    "STFT: frame_step is 0, expected a whole number from 1",
  ],
  [
    "zeros of no shape",
    () => ops.zeros([2, -3]),
    "a constant of one value would have the extents [2, -3]; pass whole numbers from 0",
  ],
  [
    "matmul, inner extents",
    () => ops.matmul(float(2, 3), float(4, 5)),
    "matmul: inner extents differ, 3 in [2, 3] and 4 in [4, 5]; make them equal",
  ],
  [
    "matmul, transposed",
    () => ops.matmul(float(2, 3), float(5, 4), { transB: true }),
    "matmul: inner extents differ, 3 in [2, 3] and 4 in [5, 4]ᵀ; make them equal",
  ],
  [
    "matmul of vectors",
    () => ops.matmul(float(3), float(3, 4)),
    "matmul takes matrices, got [3] and [3, 4]; reshape vectors to [1, n] or [n, 1]",
  ],
  [
    "non-maximum suppression, boxes and scores",
    () => ops.nonMaxSuppression(float(2, 5, 4), float(2, 3, 4), { limit: 1, overlap: 0.5, threshold: 0 }),
    "nonMaxSuppression: boxes are [2, 5, 4] and scores [2, 3, 4], expected [batch, boxes, 4] and [batch, classes, boxes]",
  ],
  [
    "linear, bias",
    () => ops.linear(float(2, 3), float(4, 3), float(5)),
    "do not broadcast: axis -1 has 5 and 4; make them equal, or one of them 1",
  ],
  [
    "gemm of batches",
    () => apply(Gemm, [float(2, 3, 4), float(4, 5)]),
    "gemm takes two matrices, got [2, 3, 4] and [4, 5]; use matmul",
  ],
  [
    "scales of blocks",
    () => apply(ops.QuantizeLinear, [float(4, 6), float(4, 2)], { block_size: 2 }),
    "QuantizeLinear: scales are [4, 2], blocks of 2 along axis 1 of [4, 6] need [4, 3]",
  ],
  [
    "conv, channels",
    () => ops.conv(float(2, 1, 8, 8), float(4, 3, 3, 3)),
    "conv: input has 1 channel, weight expects 3; pass inChannels: 1",
  ],
  [
    "conv, rank",
    () => ops.conv(float(2, 3, 8), float(4, 3, 3, 3)),
    "conv: input [2, 3, 8] and weight [4, 3, 3, 3] need one rank of at least 3",
  ],
  [
    "conv, groups",
    () => ops.conv(float(1, 4, 5), float(3, 2, 2), { groups: 2 }),
    "conv: 3 filters do not divide into 2 groups; make filters a multiple of groups",
  ],
  [
    "conv, bias",
    () => ops.conv(image, float(4, 3, 3, 3), { bias: float(3) }),
    "conv: bias has 3 elements, weight has 4 filters; make them equal",
  ],
  [
    "conv, kernel too large",
    () => ops.conv(image, float(4, 3, 9, 3)),
    "conv: kernel [9, 3] reaches over 9 elements, input axis 2 has 8 with its padding; use a smaller kernel or more padding",
  ],
  [
    "conv, strides of another rank",
    () => ops.conv(image, float(4, 3, 3, 3), { strides: [2] }),
    "conv: 2 spatial axes need as many kernel extents, strides and dilations, and twice as many pads; got kernel [3, 3], strides [2]",
  ],
  [
    "convTranspose, channels",
    () => ops.convTranspose(image, float(4, 2, 3, 3)),
    "convTranspose: input [2, 3, 8, 8] has 3 channels, weight [4, 2, 3, 3] expects 4; pass inChannels: 3",
  ],
  [
    "pool, kernel of another rank",
    () => ops.maxPool(image, [2]),
    "pool: kernel [2] needs one extent for each spatial axis of [2, 3, 8, 8]",
  ],
  [
    "reshape",
    () => ops.reshape(float(2, 3), [4, 2]),
    "reshape: [2, 3] has 6 elements, [4, 2] does not; pass a shape with as many",
  ],
  [
    "transpose",
    () => ops.transpose(image, [0, 1, 1, 2]),
    "transpose: [0, 1, 1, 2] does not name each axis of [2, 3, 8, 8] once; pass a permutation of 0 to 3",
  ],
  ["reduce, axis", () => ops.reduceSum(float(2, 3), 2), "axis 2 is outside a tensor of rank 2; pass -2 to 1"],
  [
    "reduce, an axis twice",
    () => ops.reduceSum(float(2, 3), [1, -1]),
    "axes [1, -1] name the same axis twice; name each once",
  ],
  ["softmax, axis", () => ops.softmax(float(2, 3), 5), "axis 5 is outside a tensor of rank 2; pass -2 to 1"],
  [
    "concat",
    () => ops.concat([float(2, 3), float(2, 4)]),
    "concat along axis 0: [2, 3], [2, 4] differ on another axis; make those equal",
  ],
  [
    "split",
    () => ops.split(float(5), [2, 2]),
    "split: lengths [2, 2] do not sum to the 5 of axis 0; make them sum to it, none below 0",
  ],
  ["squeeze", () => ops.squeeze(float(2, 3), [0]), "Squeeze: axis 0 of [2, 3] is not 1; name an axis of extent 1"],
  ["pad", () => ops.pad(float(3), [[-2, -2]]), "pad: [-2, -2] cuts more than [3] has; cut less"],
  ["topK", () => ops.topK(float(2, 3), 4), "TopK: k is 4, axis -1 of [2, 3] has 3; pass 1 to 3"],
  [
    "gatherElements",
    () => ops.gatherElements(float(2, 3), int(3, 1), 1),
    "gatherElements: indices [3, 1] do not fit [2, 3] off axis 1; make those extents equal or smaller",
  ],
  [
    "scatterND",
    () => apply(ScatterND, [float(4, 2), int(3, 1), float(3, 3)]),
    "scatterND: updates are [3, 3], indices [3, 1] into [4, 2] need [3, 2]; reshape the updates",
  ],
  [
    "layerNorm, scale",
    () => ops.layerNorm(float(2, 3), float(4), float(3)),
    "layerNorm: scale is [4], the normalized axes are [3]; make them equal",
  ],
  [
    "layerNorm, bias",
    () => ops.layerNorm(float(2, 3), float(3), float(1)),
    "layerNorm: bias is [1], the normalized axes are [3]; make them equal",
  ],
  [
    "rmsNorm",
    () => ops.rmsNorm(float(2, 3), float(4)),
    "rmsNorm: scale is [4], the normalized axes are [3]; make them equal",
  ],
  [
    "batchNorm",
    () => ops.batchNormInference(image, [float(3), float(3), float(2), float(3)]),
    "batchNorm: mean is [2], input [2, 3, 8, 8] has 3 channels; pass [3]",
  ],
  [
    "lstm, w",
    () => makeNode(ops.LSTM, [float(5, 2, 3), float(1, 16, 2), float(1, 16, 4)]),
    "LSTM: w is [1, 16, 2], input [5, 2, 3] and 4 hidden units need [1, 16, 3]; make it that",
  ],
  [
    "gru of vectors",
    () => makeNode(ops.GRU, [float(2, 3), float(1, 12, 3), float(1, 12, 4)]),
    "GRU: input is [2, 3]; pass [steps, batch, features]",
  ],
  [
    "einsum, extents",
    () => ops.einsum("ij,jk->ik", float(2, 3), float(4, 5)),
    'einsum: j of "ij,jk->ik" has extents 3 and 4; make them equal',
  ],
  [
    "einsum, rank",
    () => ops.einsum("ij->i", float(2, 3, 4)),
    'einsum: "ij" of "ij->i" names 2 axes, its operand is [2, 3, 4]; name each axis once',
  ],
  [
    "einsum, number of operands",
    () => ops.einsum("i,i->", float(2)),
    'einsum: "i,i->" is of 2 operands, got 1; pass one for each term',
  ],
  [
    "einsum, a letter from nowhere",
    () => ops.einsum("ij->ik", float(2, 3)),
    'einsum: the result of "ij->ik" has k, which no operand has; take it out',
  ],
  ["prelu, slope", () => ops.prelu(float(2, 3), float(2)), "axis -1 has 3 and 2; make them equal, or one of them 1"],
  [
    "depthToSpace",
    () => apply(ops.DepthToSpace, [image], { blocksize: 2 }),
    "DepthToSpace: [2, 3, 8, 8] is no [batch, channels, height, width] that 4, 1, 1 divide; use another block size",
  ],
  [
    "groupNorm, groups",
    () => ops.groupNorm(image, float(3), float(3), { groups: 2 }),
    "GroupNormalization: [2, 3, 8, 8] has no channels that 2 groups divide; pass [batch, channels, …]",
  ],
  [
    "dequantizing, scale",
    () => apply(ops.DequantizeLinear, [input("int8", [2, 3]), float(2)]),
    "DequantizeLinear: scale and zero point are [2], axis 1 of [2, 3] has 3; pass one number or 3",
  ],
];

test.each(shapeMistakes)("shape: %s", (_, build, message) => {
  expect(build).toThrow(ShapeError);
  expect(build).toThrow(message);
});

const dtypeMistakes: readonly (readonly [string, () => unknown, string])[] = [
  [
    "two dtypes",
    () => ops.mul(float(2), int(2)),
    'Mul: operands have dtypes float32 and int64; cast them to one, e.g. cast(x, "float32")',
  ],
  [
    "matmul",
    () => ops.matmul(float(2, 2), input("float64", [2, 2])),
    "matmul: operands have dtypes float32 and float64; cast them to one",
  ],
  ["conv", () => ops.conv(image, int(4, 3, 3, 3)), "conv: operands have dtypes float32 and int64; cast them to one"],
  ["exp of integers", () => ops.exp(int(2)), 'Exp takes floats, got int64; cast(x, "float32") first'],
  ["softmax of integers", () => ops.softmax(int(2)), 'Softmax takes floats, got int64; cast(x, "float32") first'],
  ["a fraction beside integers", () => ops.add(int(2), 0.5), "0.5 is not a whole number but meets a int64 tensor"],
  [
    "where",
    () => ops.where(float(2), 1, 0),
    "Where, of its condition, takes bools, got float32; compare first, e.g. greater(x, 0)",
  ],
  ["and", () => ops.and(float(2), float(2)), "And takes bools, got float32; compare first"],
  [
    "gather",
    () => ops.gather(float(2), float(1)),
    'gather: indices must be int32 or int64, got float32; cast(indices, "int64")',
  ],
  ["concat", () => ops.concat([float(2), int(2)]), "concat: operands have dtypes float32 and int64; cast them to one"],
  [
    "a shape that is computed",
    () => apply(Reshape, [float(4), int(2)]),
    "Reshape: shape must be known while tracing, got a computed value; pass plain numbers",
  ],
];

test.each(dtypeMistakes)("dtype: %s", (_, build, message) => {
  expect(build).toThrow(DTypeError);
  expect(build).toThrow(message);
});

const resizing = (attributes: Attributes) => () =>
  apply(ops.Resize, [image, undefined, undefined, ops.int64s([2, 3, 4, 4])], attributes);
const recurrent = (attributes: Attributes) => () =>
  makeNode(ops.LSTM, [float(5, 2, 3), float(1, 16, 3), float(1, 16, 4)], attributes);
const unsupported: readonly (readonly [string, () => unknown, string])[] = [
  ["resize, mode", resizing({ mode: "lanczos" }), 'Resize: mode is "lanczos"; pass nearest, linear or cubic'],
  [
    "resize, coordinates",
    resizing({ coordinate_transformation_mode: "centred" }),
    'Resize: coordinate_transformation_mode is "centred"; pass one of half_pixel,',
  ],
  [
    "resize, a region that is not given",
    resizing({ coordinate_transformation_mode: "tf_crop_and_resize" }),
    "Resize: tf_crop_and_resize needs the operand roi; give it starts and ends",
  ],
  [
    "gridSample, mode",
    () => apply(ops.GridSample, [image, float(2, 4, 4, 2)], { mode: "area" }),
    'GridSample: mode is "area"; pass linear, nearest or cubic',
  ],
  [
    "roiAlign, mode",
    () => apply(ops.RoiAlign, [image, float(1, 4), int(1)], { mode: "sum" }),
    'RoiAlign: mode is "sum"; pass avg or max',
  ],
  [
    "dft, one side of complex numbers",
    () => apply(ops.DFT, [float(4, 2)], { onesided: 1 }),
    "DFT: onesided is for a transform of real numbers",
  ],
  ["resize, antialias", resizing({ antialias: 1 }), "antialias and keep_aspect_ratio_policy are not supported"],
  [
    "lstm, activations",
    recurrent({ activations: ["Sigmoid", "Swish", "Tanh"] }),
    "LSTM: it has an activation Swish; pass one of sigmoid, tanh, relu",
  ],
  ["lstm, clip", recurrent({ clip: 3 }), "LSTM: clip and input_forget are not supported; leave them out"],
  [
    "lstm, peepholes",
    () =>
      makeNode(ops.LSTM, [
        ...[float(5, 2, 3), float(1, 16, 3), float(1, 16, 4)],
        ...[undefined, undefined, undefined, undefined, float(1, 12)],
      ]),
    "LSTM: peephole weights are read from files only; leave the operand p out",
  ],
  ["lrn, size", () => apply(ops.LRN, [image], { size: 2 }), "LRN: size is 2; only an odd number of channels"],
  [
    "a fused activation",
    () => apply(ops.FusedGemm, [float(2, 2), float(2, 2)], { activation: "Elu" }),
    'FusedGemm: activation is "Elu"; only Relu, Sigmoid,',
  ],
];

test.each(unsupported)("left out: %s", (_, build, message) => {
  expect(build).toThrow(UnsupportedError);
  expect(build).toThrow(message);
});

const index = int(2, 1);
const missing: readonly (readonly [string, (x: Value) => Value, string])[] = [
  [
    "pad of another mode",
    (x) => apply(Pad, [x, ops.int64s([1, 1, 0, 0])], { mode: "noise" }),
    'pad: mode is "noise"; pass constant, reflect, edge or wrap',
  ],
  [
    "scatterND by another reduction",
    (x) => apply(ScatterND, [x, index, float(2, 3)], { reduction: "mean" }),
    'scatterND: reduction is "mean"; pass none, add, mul, max or min',
  ],
  [
    "regions with as many samples as they ask for",
    (x) => apply(ops.RoiAlign, [ops.reshape(x, [1, 1, 2, 3]), float(1, 4), int(1)]),
    "RoiAlign: the number of samples depends on the regions; set sampling_ratio for a gradient",
  ],
];

test.each(missing)("no gradient: %s", (_, build, message) => {
  expect(() => grad((x: Value) => ops.reduceSum(build(x)))(float(2, 3))).toThrow(message);
});

test("an index that is known to be outside", () => {
  const [table, at] = [ops.iota(3), ops.int64s([3])];
  expect(() => foldConstants(Constant)([ops.gather(table, at)])).toThrow(
    "index 3 is outside an axis of 3; pass -3 to 2",
  );
});

test("extents that are no whole numbers", () => {
  expect(() => apply(ConstantOfShape, [ops.int64s([2, -1])])).toThrow(
    "ConstantOfShape: its result would be [2, -1]; pass operands and attributes that give whole extents",
  );
  expect(() => apply(ops.Split, [float(3)], { num_outputs: 4 })).toThrow(
    "split: axis 0 of [3] has no 4 parts; ask for 1 to 3",
  );
});

test("an operand that may not be left out", () => {
  expect(() => apply(ops.ReduceSum, [undefined, ops.int64s([0])])).toThrow(
    "ReduceSum: operand 0 is left out; only those from 1 on may be",
  );
});

test("a wrong number of operands", () => {
  expect(() => apply(Gemm, [float(2, 2)])).toThrow("Gemm takes 2 to 3 operands, got 1");
});
