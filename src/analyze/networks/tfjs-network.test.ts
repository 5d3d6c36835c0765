/** Networks of TensorFlow.js models: counts, depth and cost as of our own architectures, and what is not understood. */
import { describe, expect, test } from "vitest";
import { averagePool2d, batchNorm, conv2d, dense, flatten, maxPool2d, sequential } from "../../nn/index.ts";
import { inspectionOf, networkOf } from "../testing/networks.ts";
import { tfjsNetwork } from "./tfjs-network.ts";

interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
  readonly quantization?: object;
}

/** The declared shape, one sample where the batch is open. */
const shapeOf = ({ extents = [] }: { readonly extents?: readonly (number | string | undefined)[] | undefined }) =>
  extents.map((extent) => (typeof extent === "number" ? extent : 1));
const networkFrom = (document: unknown) => tfjsNetwork("test", document, { shapeOf });
const manifest = (weights: readonly Listed[]) => [
  { paths: ["weights.bin"], weights: weights.map((weight) => ({ dtype: "float32", ...weight })) },
];
const elements = (weights: readonly Listed[]) =>
  weights.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);

type Layer = readonly [className: string, config: Readonly<Record<string, unknown>>];

/** A chain of layers on an input. */
const chain = (input: readonly (number | null)[], layers: readonly Layer[], weights: readonly Listed[] = []) => ({
  format: "layers-model",
  modelTopology: {
    class_name: "Sequential",
    config: {
      name: "model",
      layers: [
        { class_name: "InputLayer", config: { name: "begin", batch_input_shape: input, dtype: "float32" } },
        ...layers.map(([class_name, config]) => ({ class_name, config })),
      ],
    },
  },
  weightsManifest: manifest(weights),
});

const denseWeights = (name: string, into: number, units: number): readonly Listed[] => [
  { name: `${name}/kernel`, shape: [into, units] },
  { name: `${name}/bias`, shape: [units] },
];

describe("layers", () => {
  const weights: readonly Listed[] = [
    { name: "conv/kernel", shape: [3, 3, 3, 8] },
    { name: "conv/bias", shape: [8] },
    ...["gamma", "beta", "moving_mean", "moving_variance"].map((name) => ({ name: `bn/${name}`, shape: [8] })),
    ...denseWeights("out", 8 * 8 * 8, 10),
  ];
  const model = chain(
    [null, 32, 32, 3],
    [
      ["Conv2D", { name: "conv", filters: 8, kernel_size: [3, 3], strides: [2, 2], padding: "same", trainable: false }],
      ["BatchNormalization", { name: "bn" }],
      ["MaxPooling2D", { name: "pool" }],
      ["Flatten", { name: "flat" }],
      ["Dense", { name: "out", units: 10, activation: "softmax" }],
    ],
    weights,
  );

  test("are counted, weighed and connected as ours", () => {
    const { parameters, depth, cost, layers, notes, inputs } = inspectionOf(networkFrom(model));
    const own = sequential([
      conv2d(8, 3, { stride: 2, padding: 1 }),
      batchNorm(),
      maxPool2d(2),
      flatten(),
      dense(10, { activation: "softmax" }),
    ]);
    const expected = inspectionOf(networkOf(own, { dtype: "float32", shape: [1, 3, 32, 32] }));
    expect([parameters.total, parameters.buffers]).toEqual([expected.parameters.total, expected.parameters.buffers]);
    expect(parameters.total + parameters.buffers).toBe(elements(weights));
    expect(depth).toEqual(expected.depth);
    expect([cost.macs, cost.forwardFlops]).toEqual([expected.cost.macs, expected.cost.forwardFlops]);
    expect(notes).toEqual([]);
    expect(inputs).toMatchObject([{ shape: [1, 32, 32, 3] }]);
    expect(layers.map(({ name, type, kind, outputShape }) => [name, type, kind, outputShape])).toEqual([
      ["conv", "conv2d", "convolution", [1, 16, 16, 8]],
      ["bn", "batchNorm", "normalization", [1, 16, 16, 8]],
      ["pool", "maxPool2d", "pooling", [1, 8, 8, 8]],
      ["flat", "flatten", "reshape", [1, 512]],
      ["out", "dense", "dense", [1, 10]],
    ]);
  });

  test("that are not trained are frozen, those of a model in it too", () => {
    const { parameters } = networkFrom(model);
    expect(parameters.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual([
      "bn.weight",
      "bn.bias",
      "out.weight",
      "out.bias",
    ]);
    const inner = {
      name: "inner",
      trainable: false,
      layers: [{ class_name: "Dense", config: { name: "a", units: 2 } }],
    };
    const nested = networkFrom(
      chain(
        [null, 3],
        [
          ["Sequential", inner],
          ["Dense", { name: "b", units: 1 }],
        ],
        [...denseWeights("inner/a", 3, 2), ...denseWeights("b", 2, 1)],
      ),
    );
    expect(nested.notes).toEqual([]);
    expect(nested.parameters.map(({ name, trainable }) => [name, trainable])).toEqual([
      ["inner.a.weight", false],
      ["inner.a.bias", false],
      ["b.weight", true],
      ["b.bias", true],
    ]);
  });

  test("are stored as the manifest says", () => {
    const quantization = { dtype: "uint8", scale: 0.1, min: -1 };
    const small = weights.map((weight) => ({ ...weight, quantization }));
    const network = networkFrom({ ...model, weightsManifest: manifest(small) });
    expect(new Set(network.parameters.map(({ type, bits }) => `${type} ${bits}`))).toEqual(new Set(["uint8 8"]));
    expect(inspectionOf(network).parameters.bytes).toBe(inspectionOf(network).parameters.total);
  });

  test("that lack weights or have others are reported; those of another shape refused", () => {
    const [first, second, ...others] = weights;
    const listed = [...others, { name: "more/kernel", shape: [2] }, { name: "conv/kernel", shape: [3, 3, 3, 8] }];
    expect(networkFrom({ ...model, weightsManifest: manifest(listed) }).notes).toEqual([
      "The file lists no weights for one tensor of the model: conv.bias.",
      "The file lists one tensor that no layer has, not counted here: more/kernel.",
    ]);
    const wrong = [{ ...(first as Listed), shape: [3, 3, 8, 3] }, second as Listed, ...others];
    expect(() => networkFrom({ ...model, weightsManifest: manifest(wrong) })).toThrow(
      'weightsManifest lists "conv/kernel" as [3, 3, 8, 3], and modelTopology wants [3, 3, 3, 8]: they belong to different models',
    );
  });

  test("with wrong settings are refused with the field", () => {
    const build = (config: object) => () => networkFrom(chain([null, 8, 8, 3], [["Conv2D", { name: "a", ...config }]]));
    expect(build({ kernel_size: 3 })).toThrow(
      'config of Conv2D "a": filters is missing, expected a whole number from 1; the file is damaged',
    );
    expect(build({ filters: 2, kernel_size: [3, 3, 3] })).toThrow(
      "kernel_size is [3,3,3], expected a whole number from 1, or a list of 2",
    );
    expect(build({ filters: 2, kernel_size: 3, padding: "full" })).toThrow('padding is "full", expected valid or same');
    expect(build({ filters: 2, kernel_size: 9 })).toThrow('conv2d "a": conv: kernel [9, 9] reaches over 9 elements');
  });

  test("normalize any axis", () => {
    const network = networkFrom(chain([null, 4, 5, 3], [["BatchNormalization", { name: "bn", axis: 1 }]]));
    expect(network.parameters.map(({ shape }) => shape)).toEqual([[4], [4], [4], [4]]);
    expect(network.layers[0]?.outputShape).toEqual([1, 4, 5, 3]);
  });

  test("have their channels first where the file says so", () => {
    const config = { data_format: "channels_first" };
    const network = networkFrom(
      chain(
        [null, 3, 9, 9],
        [
          ["Conv2D", { name: "conv", filters: 4, kernel_size: 3, ...config }],
          ["AveragePooling2D", { name: "pool", ...config }],
        ],
        [{ name: "conv/kernel", shape: [3, 3, 3, 4] }],
      ),
    );
    const own = sequential([conv2d(4, 3), averagePool2d(2)]);
    const expected = inspectionOf(networkOf(own, { dtype: "float32", shape: [1, 3, 9, 9] }));
    expect(network.layers.map(({ outputShape }) => outputShape)).toEqual([
      [1, 4, 7, 7],
      [1, 4, 3, 3],
    ]);
    expect(inspectionOf(network).cost.macs).toBe(expected.cost.macs);
  });
});

describe("layers that are not understood", () => {
  test("are named and own what the manifest lists under their names", () => {
    const weights = [
      { name: "own/table", shape: [4, 6] },
      { name: "own/inner/scale", shape: [6] },
    ];
    const network = networkFrom(
      chain(
        [null, 6],
        [
          ["Mystery", { name: "own" }],
          ["Dense", { name: "out", units: 2 }],
        ],
        [...weights, ...denseWeights("out", 6, 2)],
      ),
    );
    const { parameters, depth, layers, notes } = inspectionOf(network);
    expect(parameters.total).toBe(elements(weights) + 14);
    expect(network.parameters.map(({ name }) => name)).toEqual([
      "own.table",
      "own.inner.scale",
      "out.weight",
      "out.bias",
    ]);
    expect(depth.weighted).toBe(2);
    expect(layers[0]).toMatchObject({ name: "own", kind: "other", outputShape: [1, 6], parameters: 30 });
    expect(notes).toContain(
      "Not understood: Mystery: the class is not supported. It is named and its weights are counted; it costs nothing here, and no gradient passes it.",
    );
  });

  test("may be of known classes", () => {
    const { notes } = networkFrom(
      chain([null, 6], [["Dense", { name: "a", units: 2, activation: "sparkle" }]], denseWeights("a", 6, 2)),
    );
    expect(notes[0]).toContain('Not understood: Dense: its activation "sparkle" is not supported.');
  });

  test("leave the weights alone when shapes after them do not fit", () => {
    const weights = [...denseWeights("a", 6, 4), ...denseWeights("b", 12, 2)];
    const network = networkFrom(
      chain(
        [null, 6],
        [
          ["Dense", { name: "a", units: 4 }],
          ["Mystery", { name: "m" }],
          ["Dense", { name: "b", units: 2 }],
        ],
        weights,
      ),
    );
    const { parameters, depth, notes } = inspectionOf(network);
    expect(parameters.total).toBe(elements(weights));
    expect(depth.weighted).toBeNull();
    expect(notes[1]).toContain(
      'What follows it does not fit together: tfjs: weightsManifest lists "b/kernel" as [12, 2]',
    );
  });

  test("are recurrent layers with other gates than ONNX's, whose weights and steps are known", () => {
    const lstm = (recurrent_activation: string) =>
      chain(
        [null, 5, 3],
        [["LSTM", { name: "lstm", units: 4, activation: "tanh", recurrent_activation }]],
        [
          { name: "lstm/lstm_cell/kernel", shape: [3, 16] },
          { name: "lstm/lstm_cell/recurrent_kernel", shape: [4, 16] },
          { name: "lstm/lstm_cell/bias", shape: [16] },
        ],
      );
    const [unheard, known] = ["my_gate", "sigmoid"].map((name) => inspectionOf(networkFrom(lstm(name))));
    expect(unheard?.parameters).toEqual(known?.parameters);
    expect(unheard?.depth).toEqual(known?.depth);
    expect(unheard?.depth.recurrent).toEqual({ perStep: 1, feedforward: 1, steps: 5, unrolled: 5 });
    expect(unheard?.layers[0]).toMatchObject({ kind: "recurrent", outputShape: [1, 4], parameters: 128 });
    expect(unheard?.notes[0]).toContain('its activation "my_gate" is not supported');
    expect(known?.notes).toEqual([]);
  });
});

describe("graphs", () => {
  const float = { T: { type: "DT_FLOAT" } };
  const node = (op: string, name: string, input: readonly string[] = [], attr: object = float) => ({
    op,
    name,
    input,
    attr,
  });
  const x = node("Placeholder", "x", [], {
    dtype: { type: "DT_FLOAT" },
    shape: { shape: { dim: [{ size: "-1" }, { size: "6" }] } },
  });
  const constant = (name: string) => node("Const", name, [], { dtype: { type: "DT_FLOAT" } });
  const graph = (nodes: readonly object[], weights: readonly Listed[], more: object = {}) => ({
    format: "graph-model",
    modelTopology: { node: nodes },
    weightsManifest: manifest(weights),
    ...more,
  });
  const weights = [
    { name: "m/a/kernel", shape: [6, 4] },
    { name: "m/a/bias", shape: [4] },
    { name: "m/b/kernel", shape: [4, 2] },
    { name: "m/b/half", shape: [] },
    { name: "m/b/axes", shape: [1], dtype: "int32" },
  ];
  const nodes = [
    x,
    ...weights.map(({ name }) => constant(name)),
    node("MatMul", "m/a/MatMul", ["x", "m/a/kernel"]),
    node("BiasAdd", "m/a/BiasAdd", ["m/a/MatMul", "m/a/bias"]),
    node("Relu", "m/a/Relu", ["m/a/BiasAdd"]),
    node("MatMul", "m/b/MatMul", ["m/a/Relu", "m/b/kernel"]),
    node("Mul", "m/b/Mul", ["m/b/MatMul", "m/b/half"]),
  ];

  test("have their layers by the names of nodes, and settings beside the weights", () => {
    const network = networkFrom(graph(nodes, weights));
    const { parameters, depth, cost, layers, notes } = inspectionOf(network);
    expect(parameters).toMatchObject({ total: 36, buffers: 2, trainable: 36 });
    expect(depth.weighted).toBe(2);
    expect(cost.macs).toBe(6 * 4 + 4 * 2);
    expect(layers.map(({ name, kind, formula }) => [name, kind, formula])).toEqual([
      ["a", "dense", "6·4 + 4 = 28"],
      ["b", "dense", "4·2 = 8"],
    ]);
    expect(network.parameters.filter(({ isBuffer }) => isBuffer).map(({ name }) => name)).toEqual(["b.half", "b.axes"]);
    expect(notes).toEqual([]);
  });

  test("report operators that are not known, and shapes that depend on files that are not there", () => {
    const more = [
      node("Mystery", "m/c/Mystery", ["m/b/Mul", "m/b/axes"]),
      node("Sum", "m/d/Sum", ["m/b/Mul", "m/b/axes"]),
      node("Relu", "m/d/Relu", ["m/d/Sum"]),
    ];
    expect(networkFrom(graph([...nodes, ...more], weights)).notes).toEqual([
      "Not understood: Mystery: it is not supported. It is named and its weights are counted; it costs nothing here, and no gradient passes it.",
      "The shapes after it are not known: what 2 nodes of known operators cost is not known either.",
      "The files of weights are not beside it: what depends on the numbers in them is not known.",
    ]);
  });

  test("report stored tensors that nothing reads, and those that no output needs", () => {
    expect(networkFrom(graph(nodes, [...weights, { name: "other", shape: [9] }])).notes).toEqual([
      "The file lists one tensor that no output needs, not counted here: other.",
    ]);
    const signature = { outputs: { features: { name: "m/a/Relu:0" } } };
    expect(networkFrom(graph(nodes, weights, { signature })).notes).toEqual([
      "The file lists one tensor that no output needs, not counted here: b.kernel.",
    ]);
  });

  test("begin and end where the signature says", () => {
    const signature = {
      inputs: { image: { name: "x:0", tensorShape: { dim: [{ size: "-1" }, { size: "6" }] } } },
      outputs: { features: { name: "m/a/Relu:0" } },
    };
    const { depth } = inspectionOf(networkFrom(graph(nodes, weights, { signature })));
    expect(depth.weighted).toBe(1);
  });

  test("are refused where they do not hold together", () => {
    const cases: readonly (readonly [readonly object[], RegExp])[] = [
      [[x, node("Relu", "y", ["z"])], /^tfjs: Relu "y" reads "z", which is no input and computed nowhere/],
      [
        [x, node("Add", "y", ["x", "z"]), node("Relu", "z", ["y"]), node("Neg", "end", ["z"])],
        /^tfjs: the graph is cyclic: Add "y" needs its own/,
      ],
      [
        [x, node("Relu", "y", ["x"]), node("Relu", "y", ["x"])],
        /^tfjs: "y" is computed twice, the second time by Relu/,
      ],
      [[x, constant("w"), node("MatMul", "y", ["x", "w"])], /the tensor "w" of the graph is not in weightsManifest/],
      [[node("Relu", "y", [])], /^tfjs: the graph has no Placeholder, through which data would enter/],
      [[x], /^tfjs: the graph has no output/],
      [[{ name: "x" }], /modelTopology: node.0.op is missing, expected a name/],
      [[x, node("MatMul", "y", ["x"])], /^tfjs: MatMul "y" has 1 operands, expected 2 at least/],
      [[x, node("Softmax", "y", ["x"]), node("MatMul", "z", ["x", "y"])], /^MatMul "z": matmul: inner extents differ/],
      [
        [{ ...x, attr: { dtype: { type: "DT_STRING" } } }, node("Relu", "y", ["x"])],
        /^tfjs: input "x" is no tensor of numbers; only such models can be read/,
      ],
    ];
    for (const [own, message] of cases) expect(() => networkFrom(graph(own, []))).toThrow(message);
  });
});
