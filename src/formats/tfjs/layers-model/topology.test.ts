/** How layers are connected, in the forms in which Keras and TensorFlow.js wrote it. */
import { describe, expect, test } from "vitest";
import { FileError } from "../../../core/errors.ts";
import { readTopology } from "./topology.ts";

const layer = (name: string, class_name: string, inbound_nodes: readonly unknown[], config: object = {}) => ({
  name,
  class_name,
  config: { name, ...config },
  inbound_nodes,
});
const inputLayer = (name: string) => layer(name, "InputLayer", []);
const functional = (layers: readonly object[], input_layers: unknown, output_layers: unknown) =>
  readTopology("Functional", { name: "model", layers, input_layers, output_layers });

/** What each call takes, as text. */
const connections = ({ calls }: ReturnType<typeof readTopology>) =>
  calls.map(({ layer: own, index, inputs }) => {
    const taken = inputs.map((item) => `${item.layer} ${item.call} ${item.output}`);
    return `${own} ${index}: ${taken.join(", ")}`;
  });

describe("a chain", () => {
  const dense = (name: string, config: object = {}) => ({ class_name: "Dense", config: { name, units: 2, ...config } });

  test("begins with an InputLayer, or with a layer that says its input", () => {
    const begin = { class_name: "InputLayer", config: { name: "begin", batch_input_shape: [null, 3] } };
    const { inputs, outputs, ...rest } = readTopology("Sequential", { layers: [begin, dense("a"), dense("b")] });
    expect(inputs.map(({ name }) => name)).toEqual(["begin"]);
    expect(connections({ inputs, outputs, ...rest })).toEqual(["a 0: begin 0 0", "b 0: a 0 0"]);
    expect(outputs).toEqual([{ layer: "b", call: 0, output: 0 }]);
    const own = readTopology("Sequential", { layers: [dense("a", { batch_input_shape: [null, 3] })] });
    expect(own.inputs).toMatchObject([{ name: "a_input", config: { batch_input_shape: [null, 3] } }]);
  });

  test("is a bare list before Keras 2.2, and may begin with a model", () => {
    const inner = { class_name: "Sequential", config: [dense("a", { batch_input_shape: [null, 3] })], name: "inner" };
    const outer = readTopology("Sequential", [inner, dense("b")]);
    expect(outer.inputs[0]?.config).toMatchObject({ batch_input_shape: [null, 3] });
    expect(connections(outer)).toEqual(["inner 0: inner_input 0 0", "b 0: inner 0 0"]);
  });

  test("built later says its input beside the layers", () => {
    const { inputs } = readTopology("Sequential", { layers: [dense("a")], build_input_shape: [null, 4] });
    expect(inputs[0]?.config).toMatchObject({ batch_input_shape: [null, 4] });
  });
});

describe("a graph of layers", () => {
  test("is sorted by what its calls take; a shared layer is called several times", () => {
    const model = functional(
      [
        layer("add", "Add", [
          [
            ["dense", 0, 0, {}],
            ["dense", 1, 0, {}],
          ],
        ]),
        layer("dense", "Dense", [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]),
        inputLayer("a"),
        inputLayer("b"),
      ],
      [
        ["a", 0, 0],
        ["b", 0, 0],
      ],
      [["add", 0, 0]],
    );
    expect(connections(model)).toEqual(["dense 0: a 0 0", "dense 1: b 0 0", "add 0: dense 0 0, dense 1 0"]);
  });

  test("of Keras 3 has its tensors as objects", () => {
    const tensor = (name: string) => ({
      class_name: "__keras_tensor__",
      config: { shape: [null, 2], dtype: "float32", keras_history: [name, 0, 0] },
    });
    const model = functional(
      [
        inputLayer("x"),
        layer("dense", "Dense", [{ args: [tensor("x")], kwargs: {} }]),
        layer("add", "Add", [{ args: [[tensor("dense"), tensor("x")]], kwargs: {} }]),
      ],
      ["x", 0, 0],
      ["add", 0, 0],
    );
    expect(connections(model)).toEqual(["dense 0: x 0 0", "add 0: dense 0 0, x 0 0"]);
    expect(model.outputs).toEqual([{ layer: "add", call: 0, output: 0 }]);
  });

  test("counts the calls of a model within it from one", () => {
    const inner = { layers: [inputLayer("y")], input_layers: [["y", 0, 0]], output_layers: [["y", 0, 0]] };
    const layers = [
      inputLayer("x"),
      layer("inner", "Model", [[["x", 0, 0, {}]], [["inner", 1, 0, {}]]], inner),
      layer("dense", "Dense", [[["inner", 2, 0, {}]]]),
    ];
    const model = functional(layers, [["x", 0, 0]], [["dense", 0, 0]]);
    expect(connections(model)).toEqual(["inner 0: x 0 0", "inner 1: inner 0 0", "dense 0: inner 1 0"]);
  });
});

describe("what is wrong is reported with its place", () => {
  const x = inputLayer("x");
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a layer of no class",
      () => functional([{ config: {} }], [["x", 0, 0]], [["x", 0, 0]]),
      "tfjs: config of model: layers.0.class_name is missing, expected a name; the file is damaged",
    ],
    [
      "a layer of no name",
      () => readTopology("Sequential", { layers: [{ class_name: "Dense", config: {} }] }),
      "a Dense in model has the name missing, expected text",
    ],
    [
      "a config",
      () => readTopology("Sequential", { layers: [{ class_name: "Dense", name: "a", config: 3 }] }),
      'config of layer "a": it is 3, expected an object with the layer\'s settings',
    ],
    [
      "a subclass of Model",
      () => readTopology("MyModel", { layers: [] }),
      "tfjs: model is a MyModel, a subclass of Keras's Model: what it computes is code in Python, which is not in the file",
    ],
    [
      "two of one name",
      () => functional([x, layer("x", "Dense", [[["x", 0, 0]]])], [["x", 0, 0]], [["x", 0, 0]]),
      'two layers of model are called "x", a InputLayer and a Dense; names must differ',
    ],
    [
      "an input that is none",
      () => functional([x, layer("a", "Dense", [[["x", 0, 0]]])], [["a", 0, 0]], [["a", 0, 0]]),
      'input_layers of model names "a", which is a Dense, expected an InputLayer',
    ],
    [
      "a layer that is not there",
      () => functional([x, layer("a", "Dense", [[["y", 0, 0]]])], [["x", 0, 0]], [["a", 0, 0]]),
      'layer "a" reads "y, call 0", which is no input and computed nowhere',
    ],
    [
      "a call that is not there",
      () => functional([x, layer("a", "Dense", [[["x", 0, 0]]])], [["x", 0, 0]], [["a", 1, 0]]),
      'the output of model reads "a, call 1", which is no input and computed nowhere',
    ],
    [
      "a cycle",
      () =>
        functional(
          [x, layer("a", "Dense", [[["b", 0, 0]]]), layer("b", "Dense", [[["a", 0, 0]]])],
          [["x", 0, 0]],
          [["b", 0, 0]],
        ),
      'the graph is cyclic: layer "a" needs its own output "a, call 0"',
    ],
    [
      "what names no layer",
      () => functional([x, layer("a", "Dense", [3])], [["x", 0, 0]], [["a", 0, 0]]),
      'inbound_nodes of layer "a" is 3, expected names of layers with two numbers, such as ["conv1", 0, 0]',
    ],
    ["no layers", () => readTopology("Sequential", {}), "layers of model: it is missing, expected a list of layers"],
  ];
  test.each(cases)("%s", (_, read, message) => {
    expect(read).toThrow(FileError);
    expect(read).toThrow(message);
  });
});
