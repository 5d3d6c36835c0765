/** Every class of Keras's layers: its output, its weights, and that it can be trained; those too that TensorFlow.js lacks. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../../core/random.ts";
import { type Shape, size } from "../../../core/shape.ts";
import { Tensor } from "../../../core/tensor.ts";
import { gru, valuesOf } from "../../../nn/index.ts";
import { expectClose, randomTensor } from "../../../nn/testing/check-layer.ts";
import { constant, keyTensor } from "../../../ops/index.ts";
import { run } from "../../testing/run.ts";
import { Builder } from "./builder.ts";
import { layerClasses } from "./classes.ts";
import { augmentationClasses } from "./layers/basic.ts";
import { readTopology } from "./topology.ts";
import { weightsByName } from "./weights.ts";

/** A model of one layer on as many inputs as there are shapes. */
function modelOf(className: string, config: object, inputs: readonly Shape[]) {
  const names = inputs.map((_, i) => `x${i}`);
  const references = names.map((name) => [name, 0, 0, {}]);
  const layers = [
    ...names.map((name) => ({ name, class_name: "InputLayer", config: {}, inbound_nodes: [] })),
    { name: "layer", class_name: className, config, inbound_nodes: [references] },
  ];
  const builder = new Builder(weightsByName(new Map()), 2);
  const topology = readTopology("Functional", { layers, input_layers: references, output_layers: [["layer", 0, 0]] });
  return { module: builder.model(topology), builder };
}

function traced(className: string, config: object, shapes: readonly Shape[], training = false) {
  const { module, builder } = modelOf(className, config, shapes);
  const types = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { dtype: "float32", shape } as const]));
  const { output } = module.trace(types, { training, ...(training && { key: constant(keyTensor(keyOf(1))) }) });
  return { outputs: valuesOf(output).map(({ shape }) => shape), module, builder };
}

const image = [2, 5, 6, 4];
const sequence = [2, 7, 3];
const volume = [2, 3, 4, 5, 2];
const inner = (class_name: string, config: object = {}) => ({ layer: { class_name, config } });

type Case = readonly [
  className: string,
  config: object,
  inputs: Shape | readonly Shape[],
  output: Shape,
  weights: number,
];
const cases: readonly Case[] = [
  ["Dense", { units: 3 }, [2, 5], [2, 3], 18],
  ["Dense", { units: 3, use_bias: false }, image, [2, 5, 6, 3], 12],
  ["Embedding", { input_dim: 9, output_dim: 4 }, [2, 5], [2, 5, 4], 36],
  ["Dropout", { rate: 0.5 }, image, image, 0],
  ["SpatialDropout1D", { rate: 0.5 }, sequence, sequence, 0],
  ["SpatialDropout2D", { rate: 0.5 }, image, image, 0],
  ["GaussianNoise", { stddev: 1 }, image, image, 0],
  ["GaussianDropout", { rate: 0.5 }, image, image, 0],
  ["AlphaDropout", { rate: 0.5 }, image, image, 0],
  ["ActivityRegularization", { l1: 0.1 }, image, image, 0],
  ["Activation", { activation: "relu" }, image, image, 0],
  ["ReLU", { max_value: 6, negative_slope: 0.1, threshold: 0.2 }, image, image, 0],
  ["LeakyReLU", { negative_slope: 0.1 }, image, image, 0],
  ["PReLU", { shared_axes: [1, 2] }, image, image, 4],
  ["PReLU", { shared_axes: 1 }, sequence, sequence, 3],
  ["ELU", { alpha: 0.3 }, image, image, 0],
  ["ThresholdedReLU", {}, image, image, 0],
  ["Softmax", { axis: 1 }, image, image, 0],
  ["Rescaling", { scale: 1 / 255, offset: -1 }, image, image, 0],
  ["EinsumDense", { equation: "abc,cd->abd", output_shape: [null, 5], bias_axes: "d" }, sequence, [2, 7, 5], 20],
  ["EinsumDense", { equation: "...c,cde->...de", output_shape: [6, 2, 3] }, image, [2, 5, 6, 2, 3], 24],
  ["ReversibleEmbedding", { input_dim: 9, output_dim: 4, tie_weights: false }, [2, 5], [2, 5, 4], 72],
  ["Masking", {}, sequence, sequence, 0],
  ["Identity", {}, image, image, 0],
  ["SpatialDropout3D", { rate: 0.5 }, volume, volume, 0],
  ["Conv3D", { filters: 3, kernel_size: 2, strides: 2, padding: "same" }, volume, [2, 2, 2, 3, 3], 51],
  ["Conv1DTranspose", { filters: 4, kernel_size: 3, strides: 2 }, sequence, [2, 15, 4], 40],
  ["Conv3DTranspose", { filters: 3, kernel_size: 2, strides: 2, padding: "same" }, volume, [2, 6, 8, 10, 3], 51],
  ["DepthwiseConv1D", { kernel_size: 3, depth_multiplier: 2, strides: 2 }, sequence, [2, 3, 6], 24],
  ["SeparableConv1D", { filters: 4, kernel_size: 3, padding: "causal" }, sequence, [2, 7, 4], 25],
  ["MaxPooling3D", { padding: "same" }, volume, [2, 2, 2, 3, 2], 0],
  ["AveragePooling3D", { pool_size: [1, 2, 2], strides: 1 }, volume, [2, 3, 3, 4, 2], 0],
  ["AdaptiveMaxPooling1D", { output_size: 3 }, sequence, [2, 3, 3], 0],
  ["AdaptiveMaxPooling2D", { output_size: [2, 3] }, image, [2, 2, 3, 4], 0],
  ["AdaptiveMaxPooling3D", { output_size: 2 }, volume, [2, 2, 2, 2, 2], 0],
  ["AdaptiveAveragePooling1D", { output_size: [9] }, sequence, [2, 9, 3], 0],
  ["AdaptiveAveragePooling2D", { output_size: 2, data_format: "channels_first" }, [2, 4, 5, 6], [2, 4, 2, 2], 0],
  ["AdaptiveAveragePooling3D", { output_size: 2 }, volume, [2, 2, 2, 2, 2], 0],
  ["GlobalAveragePooling3D", {}, volume, [2, 2], 0],
  ["GlobalMaxPooling3D", { keepdims: true }, volume, [2, 1, 1, 1, 2], 0],
  ["BatchNormalizationV1", {}, image, image, 16],
  ["BatchNormalizationV2", {}, image, image, 16],
  ["SyncBatchNormalization", {}, image, image, 16],
  ["RMSNormalization", { axis: [-2, -1] }, image, image, 24],
  ["UnitNormalization", { axis: 1 }, image, image, 0],
  ["GroupNormalization", { groups: 2 }, image, image, 8],
  ["GroupNormalization", { groups: -1, axis: 1, scale: false }, [2, 6], [2, 6], 6],
  ["LayerNormalization", { rms_scaling: true }, sequence, sequence, 3],
  ["Normalization", { axis: [-1] }, image, image, 9],
  ["Normalization", { axis: null, mean: 2, variance: [[4]] }, image, image, 0],
  ["CenterCrop", { height: 2, width: 3 }, image, [2, 2, 3, 4], 0],
  ["CenterCrop", { height: 8, width: 3, data_format: "channels_first" }, [2, 4, 5, 6], [2, 4, 8, 3], 0],
  ["Resizing", { height: 3, width: 9 }, image, [2, 3, 9, 4], 0],
  ["Resizing", { height: 4, width: 4, crop_to_aspect_ratio: true, interpolation: "nearest" }, image, [2, 4, 4, 4], 0],
  ["Resizing", { height: 4, width: 9, pad_to_aspect_ratio: true }, [5, 6, 4], [4, 9, 4], 0],
  ["Discretization", { bin_boundaries: [0, 0.5] }, [2, 5], [2, 5], 0],
  ["Discretization", { bin_boundaries: [0, 0.5], output_mode: "count" }, [2, 5], [2, 3], 0],
  ["CategoryEncoding", { num_tokens: 4 }, [2, 5], [2, 4], 0],
  ["CategoryEncoding", { num_tokens: 4, output_mode: "one_hot" }, [2, 1], [2, 4], 0],
  ["IntegerLookup", { vocabulary: [7, 9], mask_token: 0 }, [2, 5], [2, 5], 0],
  ["IntegerLookup", { vocabulary: [-1, 7, 9], output_mode: "binary" }, [2, 5], [2, 3], 0],
  ["Attention", { use_scale: true }, [sequence, [2, 4, 3]], sequence, 1],
  ["Attention", { score_mode: "concat" }, [sequence, [2, 4, 5], [2, 4, 3]], [2, 7, 5], 1],
  ["AdditiveAttention", {}, [sequence, [2, 4, 3]], sequence, 3],
  ["ConvLSTM1D", { filters: 2, kernel_size: 3, padding: "same" }, [2, 4, 7, 3], [2, 7, 2], 128],
  ["ConvLSTM2D", { filters: 2, kernel_size: 2, strides: 2 }, [2, 3, 5, 6, 4], [2, 2, 3, 2], 200],
  ["ConvLSTM3D", { filters: 1, kernel_size: 1, return_sequences: true }, [2, 3, 3, 4, 5, 2], [2, 3, 3, 4, 5, 1], 16],
  ["RNN", { cell: { class_name: "GRUCell", config: { units: 4, reset_after: true } } }, sequence, [2, 4], 108],
  [
    "RNN",
    {
      return_sequences: true,
      cell: {
        class_name: "StackedRNNCells",
        config: {
          cells: [
            { class_name: "LSTMCell", config: { units: 4 } },
            { class_name: "SimpleRNNCell", config: { units: 5 } },
          ],
        },
      },
    },
    sequence,
    [2, 7, 5],
    178,
  ],
  ["Conv1D", { filters: 2, kernel_size: 3, padding: "causal", dilation_rate: 2 }, sequence, [2, 7, 2], 20],
  ["Conv2D", { filters: 4, kernel_size: 3, groups: 2 }, image, [2, 3, 4, 4], 76],
  ["Conv2DTranspose", { filters: 2, kernel_size: 3, strides: 2 }, image, [2, 11, 13, 2], 74],
  [
    "Conv2DTranspose",
    { filters: 2, kernel_size: 3, strides: 2, padding: "same", output_padding: 0 },
    image,
    [2, 9, 11, 2],
    74,
  ],
  ["Conv2DTranspose", { filters: 2, kernel_size: 2, strides: 2, output_padding: 1 }, image, [2, 11, 13, 2], 34],
  ["DepthwiseConv2D", { kernel_size: 3, strides: 2, padding: "same", depth_multiplier: 2 }, image, [2, 3, 3, 8], 80],
  ["SeparableConv2D", { filters: 3, kernel_size: 3, data_format: "channels_first" }, [2, 4, 5, 6], [2, 3, 3, 4], 51],
  ["MaxPooling1D", { pool_size: 2, padding: "same" }, sequence, [2, 4, 3], 0],
  ["MaxPooling2D", {}, image, [2, 2, 3, 4], 0],
  ["AveragePooling1D", { strides: 3 }, sequence, [2, 2, 3], 0],
  ["AveragePooling2D", { pool_size: [2, 3], data_format: "channels_first" }, [2, 4, 5, 6], [2, 4, 2, 2], 0],
  ["GlobalAveragePooling1D", {}, sequence, [2, 3], 0],
  ["GlobalAveragePooling2D", { keepdims: true }, image, [2, 1, 1, 4], 0],
  ["GlobalMaxPooling1D", { keepdims: true }, sequence, [2, 1, 3], 0],
  ["GlobalMaxPooling2D", { data_format: "channels_first" }, [2, 4, 5, 6], [2, 4], 0],
  ["BatchNormalization", { axis: [3] }, image, image, 16],
  ["BatchNormalization", { axis: 1, center: false }, sequence, sequence, 21],
  ["LayerNormalization", { axis: [1, 2] }, sequence, sequence, 42],
  ["LayerNormalization", { axis: 1 }, image, image, 10],
  ["Flatten", {}, image, [2, 120], 0],
  ["Flatten", { data_format: "channels_first" }, image, [2, 120], 0],
  ["Reshape", { target_shape: [4, -1] }, image, [2, 4, 30], 0],
  ["Permute", { dims: [3, 1, 2] }, image, [2, 4, 5, 6], 0],
  ["RepeatVector", { n: 3 }, [2, 5], [2, 3, 5], 0],
  ["ZeroPadding1D", { padding: [1, 2] }, sequence, [2, 10, 3], 0],
  ["ZeroPadding2D", { padding: 2 }, image, [2, 9, 10, 4], 0],
  ["ZeroPadding3D", { padding: [1, 2, 0] }, volume, [2, 5, 8, 5, 2], 0],
  ["Cropping3D", {}, volume, [2, 1, 2, 3, 2], 0],
  ["UpSampling3D", { size: [2, 1, 1] }, volume, [2, 6, 4, 5, 2], 0],
  ["Cropping1D", { cropping: 2 }, sequence, [2, 3, 3], 0],
  ["Cropping2D", { cropping: [1, 2] }, image, [2, 3, 2, 4], 0],
  ["UpSampling1D", { size: 3 }, sequence, [2, 21, 3], 0],
  ["UpSampling2D", { size: 2, interpolation: "bilinear" }, image, [2, 10, 12, 4], 0],
  ["Add", {}, [image, image, [2, 1, 1, 4]], image, 0],
  ["Subtract", {}, [image, image], image, 0],
  ["Multiply", {}, [sequence, [2, 3]], sequence, 0],
  ["Average", {}, [image, image], image, 0],
  ["Maximum", {}, [image, image], image, 0],
  ["Minimum", {}, [image, image], image, 0],
  ["Concatenate", { axis: 2 }, [image, image], [2, 5, 12, 4], 0],
  ["Dot", { axes: [1, 2] }, [sequence, [2, 4, 7]], [2, 3, 4], 0],
  ["SimpleRNN", { units: 4 }, sequence, [2, 4], 32],
  ["GRU", { units: 4, reset_after: true, return_sequences: true }, sequence, [2, 7, 4], 108],
  ["GRU", { units: 4, reset_after: false, use_bias: false }, sequence, [2, 4], 84],
  ["LSTM", { units: 4, go_backwards: true, return_sequences: true }, sequence, [2, 7, 4], 128],
  ["TimeDistributed", inner("Dense", { units: 5 }), sequence, [2, 7, 5], 20],
  ["Bidirectional", { ...inner("LSTM", { units: 4 }), merge_mode: "mul" }, sequence, [2, 4], 256],
  ["Bidirectional", { ...inner("GRU", { units: 4, return_sequences: true }) }, sequence, [2, 7, 8], 192],
];

/** Layers that leave everything as it is outside of training. */
const augmented = Object.keys(augmentationClasses).map((name): Case => [name, { factor: 0.2 }, image, image, 0]);

const shapesOf = (inputs: Shape | readonly Shape[]): readonly Shape[] =>
  (typeof inputs[0] === "number" ? [inputs] : inputs) as readonly Shape[];

test.each([...cases, ...augmented])("%s %j", (className, config, given, output, weights) => {
  const { outputs, module, builder } = traced(className, config, shapesOf(given));
  expect(builder.unknown).toEqual([]);
  expect(outputs).toEqual([output]);
  const parameters = [...module.parameters().values()];
  expect(parameters.reduce((sum, { shape }) => sum + size(shape), 0)).toBe(weights);
  expect(traced(className, config, shapesOf(given), true).outputs).toEqual([output]);
});

/** Those whose calls or weights the table does not have, which stand below. */
const apart = ["SpectralNormalization", "MultiHeadAttention", "GroupQueryAttention"];

test("no class is left out", () => {
  const tested = new Set([...[...cases, ...augmented].map(([className]) => className), ...apart]);
  expect([...layerClasses.keys()].filter((name) => !tested.has(name))).toEqual([]);
});

describe("what fits no layer is reported with its name", () => {
  const refused: readonly (readonly [string, object, Shape, string])[] = [
    ["RepeatVector", { n: 2 }, image, 'repeatVector "layer": input [2, 5, 6, 4] is no batch of vectors'],
    [
      "Cropping1D",
      { cropping: 4 },
      sequence,
      'cropping "layer": cropping [4, 4] leaves nothing of 7 elements; crop less',
    ],
    ["ZeroPadding2D", {}, sequence, 'zeroPadding "layer": input [2, 7, 3] has rank 3, expected 4'],
    ["LSTM", { units: 2 }, [2, 3], 'lstm "layer": input [2, 3] needs three axes; pass [batch, steps, features]'],
    [
      "TimeDistributed",
      inner("Dense", { units: 2 }),
      [2, 3],
      "input [2, 3] has no steps; pass [batch, steps, …features]",
    ],
    ["Dot", { axes: 1 }, sequence, 'dot "layer": dot takes two operands, got 1; connect two layers'],
  ];
  test.each(refused)("%s", (className, config, shape, message) => {
    expect(() => traced(className, config, [shape])).toThrow(message);
  });
});

test("a GRU that resets after the product is PyTorch's, with its gates in another order", async () => {
  const { module } = modelOf("GRU", { units: 4, reset_after: true, return_sequences: true }, [sequence]);
  const own = gru(4);
  const x = randomTensor(sequence, 3);
  own.trace(x);
  own.initialize(keyOf(2));
  const theirs = (name: string) => own.own.get(name)?.value?.toNumbers() ?? [];
  // Keras has z, r, h in columns; PyTorch r, z, n in rows of [12, columns].
  const columns = (name: string, count: number) => {
    const rows = theirs(name);
    const order = [4, 0, 8].flatMap((begin) => [0, 1, 2, 3].map((unit) => begin + unit));
    return Array.from({ length: count }, (_, column) => order.map((row) => rows[row * count + column] ?? 0)).flat();
  };
  const values: Readonly<Record<string, readonly number[]>> = {
    "layer.kernel": columns("weight_ih_l0", 3),
    "layer.recurrent_kernel": columns("weight_hh_l0", 4),
    "layer.bias": [...columns("bias_ih_l0", 1), ...columns("bias_hh_l0", 1)],
  };
  module.trace(x);
  for (const [path, parameter] of module.parameters())
    parameter.value = new Tensor("float32", parameter.shape, Float32Array.from(values[path] ?? []));
  const [expected] = await run(own, x);
  expectClose((await run(module, x))[0], expected as Tensor, "output");
});
