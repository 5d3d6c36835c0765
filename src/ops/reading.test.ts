/** Nodes of files in the forms of older operator sets are read as what they compute. */
import { expect, test } from "vitest";
import { UnsupportedError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { type Attributes, apply, makeNode, type OpDef } from "../graph/op.ts";
import { printGraph } from "../graph/print.ts";
import { Constant } from "./constant.ts";
import * as ops from "./index.ts";
import { findOp } from "./registry.ts";
import { Shape } from "./static-values.ts";

const cube = input("float32", [2, 3, 4]);
const matrix = input("float32", [3, 4]);
const column = input("float32", [2, 3, 1]);
const image = input("float32", [1, 3, 4, 4]);
const vector = input("float32", [3]);
const four = input("float32", [4]);
const update = input("float32", [1]);
const positions = input("int64", image.shape);
const kernel = input("float32", [1, 5, 4]);
const recurrence = input("float32", [1, 5, 5]);
const scales = ops.constant(tensor([1, 1, 2, 2]));
const grid = input("float32", [1, 2, 2, 2]);
const regions = input("float32", [1, 4]);
const ofRegions = input("int64", [1]);
const labels = input("int64", [3]);
const inputs = [
  cube,
  matrix,
  column,
  image,
  vector,
  four,
  update,
  positions,
  kernel,
  recurrence,
  grid,
  regions,
  ofRegions,
  labels,
];

interface Form {
  readonly version: number;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}
const read = (op: OpDef, { version, inputs, attributes = {}, outputs = 1 }: Form) =>
  op.read({ version, inputs, attributes, outputs });

const textOf = (outputs: readonly Value[] | undefined) => printGraph(graphOf(inputs, outputs ?? []));

const axis = (indices: readonly number[]) => ops.int64s(indices);
const forms: readonly (readonly [string, OpDef, Form, () => Value | readonly Value[]])[] = [
  [
    "Add 6, a vector along the first axis",
    ops.Add,
    { version: 6, inputs: [matrix, vector], attributes: { broadcast: 1, axis: 0 } },
    () => ops.add(matrix, ops.reshape(vector, [3, 1])),
  ],
  [
    "Mul 6, a vector along the last axis",
    ops.Mul,
    { version: 6, inputs: [matrix, four], attributes: { broadcast: 1 } },
    () => ops.mul(matrix, four),
  ],
  [
    "PRelu 6, a slope for each channel",
    ops.PRelu,
    { version: 6, inputs: [image, vector] },
    () => ops.prelu(image, ops.reshape(vector, [3, 1, 1])),
  ],
  [
    "Clip 6, bounds as attributes",
    ops.Clip,
    { version: 6, inputs: [cube], attributes: { max: 6, min: 0 } },
    () => ops.clip(cube, 0, 6),
  ],
  [
    "Clip 6, the upper bound alone",
    ops.Clip,
    { version: 6, inputs: [cube], attributes: { max: 6 } },
    () => ops.clip(cube, undefined, 6),
  ],
  [
    "Squeeze 11",
    ops.Squeeze,
    { version: 11, inputs: [column], attributes: { axes: [2] } },
    () => ops.squeeze(column, [2]),
  ],
  [
    "Unsqueeze 11",
    ops.Unsqueeze,
    { version: 11, inputs: [cube], attributes: { axes: [0] } },
    () => ops.unsqueeze(cube, [0]),
  ],
  [
    "ReduceSum 11",
    ops.ReduceSum,
    { version: 11, inputs: [cube], attributes: { axes: [1], keepdims: 0 } },
    () => ops.reduceSum(cube, 1),
  ],
  [
    "ReduceMean 13",
    ops.ReduceMean,
    { version: 13, inputs: [cube], attributes: { axes: [0, 2], keepdims: 0 } },
    () => ops.reduceMean(cube, [0, 2]),
  ],
  [
    "Slice 1",
    ops.Slice,
    { version: 9, inputs: [cube], attributes: { starts: [1], ends: [3], axes: [2] } },
    () => apply(ops.Slice, [cube, axis([1]), axis([3]), axis([2])]),
  ],
  [
    "Pad 2",
    ops.Pad,
    { version: 2, inputs: [matrix], attributes: { pads: [0, 1, 0, 2], value: 5, mode: "constant" } },
    () => apply(ops.Pad, [matrix, axis([0, 1, 0, 2]), ops.scalar(5)], { mode: "constant" }),
  ],
  [
    "Split 11, lengths as an attribute",
    ops.Split,
    { version: 11, inputs: [cube], attributes: { axis: 1, split: [1, 2] }, outputs: 2 },
    () => ops.split(cube, [1, 2], 1),
  ],
  [
    "Split 13, equal parts, as many as outputs",
    ops.Split,
    { version: 13, inputs: [cube], attributes: { axis: 2 }, outputs: 4 },
    () => makeNode(ops.Split, [cube], { axis: 2, num_outputs: 4 }).outputs,
  ],
  [
    "TopK 1",
    ops.TopK,
    { version: 1, inputs: [cube], attributes: { k: 2, axis: 1 }, outputs: 2 },
    () => makeNode(ops.TopK, [cube, axis([2])], { axis: 1 }).outputs,
  ],
  [
    "Reshape 1",
    ops.Reshape,
    { version: 1, inputs: [cube], attributes: { shape: [6, 4] } },
    () => ops.reshape(cube, [6, 4]),
  ],
  ["Concat 1, axis 1", ops.Concat, { version: 1, inputs: [matrix, matrix] }, () => ops.concat([matrix, matrix], 1)],
  [
    "Softmax 11 joins axes",
    ops.Softmax,
    { version: 11, inputs: [cube] },
    () => ops.reshape(ops.softmax(ops.reshape(cube, [2, 12]), 1), [2, 3, 4]),
  ],
  ["Softmax 11 of its last axis", ops.Softmax, { version: 11, inputs: [matrix] }, () => ops.softmax(matrix, 1)],
  [
    "LogSoftmax 11 of an axis from the end",
    ops.LogSoftmax,
    { version: 11, inputs: [cube], attributes: { axis: -1 } },
    () => ops.logSoftmax(cube, 2),
  ],
  [
    "Hardmax 11 of every axis",
    ops.Hardmax,
    { version: 11, inputs: [matrix], attributes: { axis: 0 } },
    () => ops.reshape(apply(ops.Hardmax, [ops.reshape(matrix, [1, 12])], { axis: 1 }), [3, 4]),
  ],
  [
    "BatchNormalization 7",
    ops.BatchNormalization,
    { version: 7, inputs: [image, vector, vector, vector, vector], attributes: { spatial: 1, momentum: 0.5 } },
    () => apply(ops.BatchNormalization, [image, vector, vector, vector, vector], { momentum: 0.5 }),
  ],
  [
    "Gemm 6",
    ops.Gemm,
    { version: 6, inputs: [matrix, matrix, vector], attributes: { broadcast: 1, transB: 1 } },
    () => apply(ops.Gemm, [matrix, matrix, vector], { transB: 1 }),
  ],
  [
    "MatMul of a vector to the left",
    ops.MatMul,
    { version: 13, inputs: [vector, matrix] },
    () => ops.reshape(ops.matmul(ops.unsqueeze(vector, [0]), matrix), [4]),
  ],
  [
    "MatMul of a vector to the right",
    ops.MatMul,
    { version: 13, inputs: [cube, four] },
    () => ops.reshape(ops.matmul(cube, ops.unsqueeze(four, [1])), [2, 3]),
  ],
  ["Max of one", ops.Max, { version: 13, inputs: [cube] }, () => cube],
  [
    "Min of three",
    ops.Min,
    { version: 13, inputs: [cube, matrix, four] },
    () => ops.minimum(ops.minimum(cube, matrix), four),
  ],
  ["Sum of three", ops.Sum, { version: 13, inputs: [cube, matrix, four] }, () => ops.add(ops.add(cube, matrix), four)],
  ["Mean of two", ops.Mean, { version: 13, inputs: [cube, matrix] }, () => ops.div(ops.add(cube, matrix), 2)],
  [
    "Dropout 12 that drops nothing, in training",
    ops.Dropout,
    { version: 12, inputs: [cube, ops.scalar(0), ops.scalar(1, "bool")] },
    () => makeNode(ops.Dropout, [cube, ops.scalar(0), ops.scalar(1, "bool")]).outputs,
  ],
  [
    "Dropout 10",
    ops.Dropout,
    { version: 10, inputs: [cube], attributes: { ratio: 0.5 } },
    () => makeNode(ops.Dropout, [cube]).outputs,
  ],
  [
    "Constant 13, a float",
    Constant,
    { version: 13, inputs: [], attributes: { value_float: 0.5 } },
    () => ops.scalar(0.5),
  ],
  [
    "Constant 13, whole numbers",
    Constant,
    { version: 13, inputs: [], attributes: { value_ints: [1, -2] } },
    () => axis([1, -2]),
  ],
  ["Shape 15", Shape, { version: 15, inputs: [cube], attributes: { start: 1 } }, () => axis([3, 4])],
  [
    "Scatter 9",
    ops.Scatter,
    { version: 9, inputs: [four, axis([1]), update], attributes: { axis: 0 } },
    () => apply(ops.ScatterElements, [four, axis([1]), update], { axis: 0 }),
  ],
  [
    "Resize 10, to more",
    ops.Resize,
    { version: 10, inputs: [image, scales], attributes: { mode: "nearest" } },
    () =>
      apply(ops.Resize, [image, undefined, scales], {
        mode: "nearest",
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      }),
  ],
  [
    "Upsample 7",
    ops.Upsample,
    { version: 7, inputs: [image], attributes: { mode: "linear", scales: [1, 1, 2, 2] } },
    () =>
      apply(ops.Resize, [image, undefined, scales], {
        mode: "linear",
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      }),
  ],
  [
    "GroupNormalization 18, a scale for each group",
    ops.GroupNormalization,
    { version: 18, inputs: [image, update, update], attributes: { num_groups: 1 } },
    () => {
      const spread = () => ops.reshape(ops.expand(ops.reshape(update, [1, 1]), [1, 3]), [3]);
      return apply(ops.GroupNormalization, [image, spread(), spread()], { num_groups: 1 });
    },
  ],
  [
    "MaxUnpool without a shape",
    ops.MaxUnpool,
    { version: 11, inputs: [image, positions], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    () => apply(ops.MaxUnpool, [image, positions, axis([1, 3, 8, 8])], { kernel_shape: [2, 2], strides: [2, 2] }),
  ],
  [
    "MaxUnpool into another shape",
    ops.MaxUnpool,
    { version: 11, inputs: [image, positions, axis([1, 3, 9, 9])], attributes: { kernel_shape: [2, 2] } },
    () => apply(ops.MaxUnpool, [image, positions, axis([1, 3, 9, 9])], { kernel_shape: [2, 2] }),
  ],
  [
    "RNN 14, batch first",
    ops.RNN,
    { version: 14, inputs: [cube, kernel, recurrence], attributes: { layout: 1 }, outputs: 2 },
    () => {
      const steps = ops.transpose(cube, [1, 0, 2]);
      const [y, last] = makeNode(ops.RNN, [steps, kernel, recurrence], { hidden_size: 5 }).outputs as [Value, Value];
      return [ops.transpose(y, [2, 0, 1, 3]), ops.transpose(last, [1, 0, 2])];
    },
  ],
  [
    "Cast to bfloat16",
    ops.Cast,
    { version: 13, inputs: [positions], attributes: { to: 16 } },
    () => ops.cast(positions, "float32"),
  ],
  [
    "GridSample 16, a mode by its old name",
    ops.GridSample,
    { version: 16, inputs: [image, grid], attributes: { mode: "bicubic" } },
    () => apply(ops.GridSample, [image, grid], { mode: "cubic" }),
  ],
  [
    "RoiAlign 10",
    ops.RoiAlign,
    { version: 10, inputs: [image, regions, ofRegions], attributes: { sampling_ratio: 2 } },
    () =>
      apply(ops.RoiAlign, [image, regions, ofRegions], {
        sampling_ratio: 2,
        coordinate_transformation_mode: "output_half_pixel",
      }),
  ],
  [
    "DFT 17, the axis as an attribute",
    ops.DFT,
    { version: 17, inputs: [column], attributes: { axis: 0 } },
    () => apply(ops.DFT, [column, undefined, ops.scalar(0, "int64")]),
  ],
  [
    "BatchNormalization 15, as in training",
    ops.BatchNormalization,
    {
      version: 15,
      inputs: [image, vector, vector, vector, vector],
      attributes: { training_mode: 1, momentum: 0.75 },
      outputs: 3,
    },
    () => {
      const { y, mean, variance } = ops.batchNormTrain(image, vector, vector);
      const running = (observed: Value) => ops.add(ops.mul(vector, 0.75), ops.mul(observed, 0.25));
      return [y, running(mean), running(variance)];
    },
  ],
  [
    "SoftmaxCrossEntropyLoss of labels",
    findOp("SoftmaxCrossEntropyLoss") as OpDef,
    { version: 13, inputs: [matrix, labels], attributes: { reduction: "sum" } },
    () => {
      const logarithms = ops.logSoftmax(matrix, 1);
      const taken = ops.squeeze(ops.gatherElements(logarithms, ops.unsqueeze(labels, [1]), 1), [1]);
      return [ops.reduceSum(ops.neg(taken)), logarithms];
    },
  ],
  [
    "com.microsoft's QuickGelu",
    ops.QuickGelu,
    { version: 1, inputs: [four], attributes: { alpha: 1 } },
    () => ops.mul(four, ops.sigmoid(ops.mul(four, 1))),
  ],
];

test.each(forms)("%s", (_, op, form, expected) => {
  const outputs = read(op, form);
  expect(textOf(outputs)).toBe(textOf([expected()].flat()));
});

test("the newest forms are left to the operator itself", () => {
  const newest: readonly (readonly [OpDef, readonly Value[]])[] = [
    [ops.Clip, [cube, ops.scalar(0)]],
    [ops.Squeeze, [column, axis([2])]],
    [ops.ReduceMax, [cube, axis([1])]],
    [ops.Softmax, [cube]],
    [ops.Max, [cube, matrix]],
    [ops.MatMul, [cube, input("float32", [4, 2])]],
    [ops.Split, [cube, axis([1, 2])]],
  ];
  for (const [op, inputs] of newest) expect(read(op, { version: 21, inputs }), op.type).toBeUndefined();
});

test("what would change the result is refused, not ignored", () => {
  const norm = [image, vector, vector, vector, vector];
  const refused: readonly (readonly [OpDef, Form, string])[] = [
    [ops.BatchNormalization, { version: 9, inputs: norm, outputs: 5 }, "as in training"],
    [ops.BatchNormalization, { version: 7, inputs: norm, attributes: { spatial: 0 } }, "spatial is 0"],
    [ops.BatchNormalization, { version: 6, inputs: norm }, "as in training"],
    [ops.Dropout, { version: 12, inputs: [cube, ops.scalar(0.5), ops.scalar(1, "bool")] }, "randomness without a key"],
    [ops.Resize, { version: 10, inputs: [image, ops.constant(tensor([1, 1, 2, 0.5]))] }, "another shrinks"],
    [Constant, { version: 13, inputs: [], attributes: { value_string: "a" } }, "value_string is not supported"],
    [
      ops.Squeeze,
      { version: 11, inputs: [column], attributes: { axes: [2], odd: 1 } },
      "its attribute odd is not supported",
    ],
  ];
  for (const [op, form, message] of refused) {
    expect(() => read(op, form)).toThrow(UnsupportedError);
    expect(() => read(op, form)).toThrow(message);
  }
});
