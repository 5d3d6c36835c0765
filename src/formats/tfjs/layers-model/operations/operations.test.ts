/** Functions that stand in a model as layers: what they compute, by hand, as Keras 3 and Keras 2 write them. */
import { describe, expect, test } from "vitest";
import { tensor } from "../../../../core/tensor.ts";
import { expectClose } from "../../../../nn/testing/check-layer.ts";
import { run } from "../../../testing/run.ts";
import { type LayersDocument, readDocument } from "../../document.ts";
import { importLayersModel } from "../import.ts";
import { arithmetic } from "./arithmetic.ts";
import { movement } from "./movement.ts";

const keras3Tensor = (layer: string) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null], dtype: "float32", keras_history: [layer, 0, 0] },
});
const x = keras3Tensor("x");
const y = keras3Tensor("y");

/** A model of one layer over x = [[1, -2, 3], [4, 5, -6]] and y = [[2, 2, 2], [1, 0.5, 3]], whose batch is the rows. */
function modelOf(layer: object, node: unknown, keras = "3.9.2") {
  const input = (name: string) => ({ class_name: "InputLayer", name, config: { name, batch_shape: [null, 3] } });
  const config = {
    layers: [input("x"), input("y"), { name: "op", ...layer, inbound_nodes: [node] }],
    input_layers: [
      ["x", 0, 0],
      ["y", 0, 0],
    ],
    output_layers: [["op", 0, 0]],
  };
  const document = { modelTopology: { keras_version: keras, class_name: "Functional", config }, weightsManifest: [] };
  return importLayersModel(readDocument(document) as LayersDocument, () => [2, 3]);
}

const given = {
  x: tensor([
    [1, -2, 3],
    [4, 5, -6],
  ]),
  y: tensor([
    [2, 2, 2],
    [1, 0.5, 3],
  ]),
};

async function outputOf(...model: Parameters<typeof modelOf>) {
  const { traced, unknown } = modelOf(...model);
  expect(unknown).toEqual([]);
  if (!traced) throw new Error("no model");
  return (await run(traced.module, given))[0];
}

const call = (args: readonly unknown[], kwargs: object = {}) => ({ args, kwargs });
const slice = (start: number | null, stop: number | null, step: number | null = null) => ({
  class_name: "__slice__",
  config: { start, stop, step },
});
const operation = (class_name: string, config: object = {}, module = "keras.src.ops.numpy") => ({
  class_name,
  module,
  config: { name: "op", ...config },
});

const rows = (...values: readonly (readonly number[])[]) => tensor(values as number[][]);

describe("operations of Keras 3", () => {
  test.each([
    ["two tensors", operation("Add"), call([x, y]), rows([3, 0, 5], [5, 5.5, -3])],
    ["a number before a tensor", operation("Subtract"), call([1, x]), rows([0, 3, -2], [-3, -4, 7])],
    ["numbers beside a tensor", operation("Multiply"), call([x, [1, 10, 100]]), rows([1, -20, 300], [4, 50, -600])],
    ["by keywords", operation("Divide"), call([], { x1: x, x2: y }), rows([0.5, -1, 1.5], [4, 10, -2])],
    ["a choice", operation("Where"), call([keras3Tensor("x"), x, 0]), rows([1, -2, 3], [4, 5, -6])],
    ["bounds", operation("Clip", { x_min: -1, x_max: 3 }), call([x]), rows([1, -1, 3], [3, 3, -1])],
    ["a sum over an axis", operation("Sum", { axis: [-1], keepdims: true }), call([x]), rows([2], [3])],
    ["a deviation", operation("Std", { axis: 1 }), call([y]), tensor([0, 1.0801234497])],
    ["the place of the largest", operation("Argmax", { axis: -1 }), call([x]), tensor([2, 1], { dtype: "int32" })],
    ["an axis moved", operation("Transpose", { axes: [1, 0] }), call([x]), rows([1, 4], [-2, 5], [3, -6])],
    ["parts", operation("GetItem"), call([x, [slice(null, null), slice(-2, null)]]), rows([-2, 3], [5, -6])],
    ["one column", operation("GetItem"), call([x, [{ class_name: "__ellipsis__", config: {} }, 0]]), tensor([1, 4])],
    [
      "every second, backwards",
      operation("GetItem"),
      call([x, [slice(null, null), slice(null, null, -2)]]),
      rows([3, 1], [-6, 4]),
    ],
    [
      "tensors joined",
      operation("Concatenate", { axis: -1 }),
      call([[x, y]]),
      rows([1, -2, 3, 2, 2, 2], [4, 5, -6, 1, 0.5, 3]),
    ],
    [
      "each element twice",
      operation("Repeat", { repeats: 2, axis: 1 }),
      call([y]),
      rows([2, 2, 2, 2, 2, 2], [1, 1, 0.5, 0.5, 3, 3]),
    ],
    ["a product", operation("Einsum", { subscripts: "ij,ij->i" }), call([x, y]), tensor([4, -11.5])],
    [
      "the unit of rows",
      operation("Normalize", { axis: -1 }, "keras.src.ops.nn"),
      call([y]),
      rows([0.5773502692, 0.5773502692, 0.5773502692], [0.3123475238, 0.1561737619, 0.9370425713]),
    ],
    // x max(0, min(1, x/6 + 1/2))
    ["an activation", operation("HardSilu", {}, "keras.src.ops.nn"), call([x]), rows([2 / 3, -1 / 3, 3], [4, 5, 0])],
  ])("%s", async (_, layer, node, expected) => {
    expectClose(await outputOf(layer, node), expected, "output");
  });
});

describe("TensorFlow's functions in models of Keras 2", () => {
  const lambda = (name: string, class_name = "TFOpLambda") => ({ class_name, config: { name: "op", function: name } });
  test.each([
    ["math.add", [["x", 0, 0, { y: ["y", 0, 0], name: null }]], rows([3, 0, 5], [5, 5.5, -3])],
    ["math.multiply", ["x", 0, 0, { y: 0.5 }], rows([0.5, -1, 1.5], [2, 2.5, -3])],
    ["math.subtract", ["_CONSTANT_VALUE", -1, 1, { y: ["x", 0, 0] }], rows([0, 3, -2], [-3, -4, 7])],
    ["math.truediv", ["x", 0, 0, { y: [[1, 2, 4]] }], rows([1, -1, 0.75], [4, 2.5, -1.5])],
    ["math.reduce_mean", ["x", 0, 0, { axis: 1, keepdims: true }], rows([2 / 3], [1])],
    ["clip_by_value", ["x", 0, 0, { clip_value_min: 0, clip_value_max: 4 }], rows([1, 0, 3], [4, 4, 0])],
    [
      "concat",
      [
        ["x", 0, 0, { axis: 1 }],
        ["y", 0, 0, { axis: 1 }],
      ],
      rows([1, -2, 3, 2, 2, 2], [4, 5, -6, 1, 0.5, 3]),
    ],
    ["transpose", ["x", 0, 0, { perm: [1, 0] }], rows([1, 4], [-2, 5], [3, -6])],
    ["linalg.matmul", ["x", 0, 0, { b: ["y", 0, 0], transpose_b: true }], rows([4, 9], [6, -11.5])],
    ["nn.relu", ["x", 0, 0, { name: "r" }], rows([1, 0, 3], [4, 5, 0])],
  ])("%s", async (name, node, expected) => {
    expectClose(await outputOf(lambda(name), node, "2.11.0"), expected, "output");
  });

  test("brackets", async () => {
    const spec = [{ start: null, stop: null, step: null }, 1];
    const node = ["x", 0, 0, { slice_spec: spec }];
    expectClose(
      await outputOf(lambda("__operators__.getitem", "SlicingOpLambda"), node, "2.11.0"),
      tensor([-2, 5]),
      "x",
    );
    const fresh = ["x", 0, 0, { slice_spec: [{ class_name: "__ellipsis__" }, null] }];
    const grown = await outputOf(lambda("__operators__.getitem", "SlicingOpLambda"), fresh, "2.11.0");
    expect(grown?.shape).toEqual([2, 3, 1]);
  });
});

test("a function that is not known, and one whose shape depends on data, are named", () => {
  const why = (...model: Parameters<typeof modelOf>) => modelOf(...model).unknown.map((own) => own.why);
  expect(why(operation("Slogdet"), call([x]))).toEqual(["the function Slogdet is not supported"]);
  expect(why(operation("Reshape"), call([x], { newshape: [y, 1] }))).toEqual([
    "its argument newshape is a tensor, expected numbers",
  ]);
  expect(why(operation("GetItem"), call([x, ["?"]]))).toEqual(['it takes parts by "?"']);
});

test("every function computes", () => {
  const settings = {
    axis: 0,
    axes: [1, 0],
    axis1: 0,
    axis2: 1,
    source: 0,
    destination: 1,
    newshape: [3, 2],
    shape: [2, 3],
    repeats: [1, 1],
    dtype: "int32",
    x_min: 0,
    x_max: 1,
    pad_width: [
      [0, 1],
      [2, 0],
    ],
    indices_or_sections: 2,
    sizes: [1, 1],
    num: 2,
    num_classes: 3,
    subscripts: "ij->ji",
    indices: [0],
    x1: y,
    x2: y,
    key: 0,
  };
  const special: Readonly<Record<string, object>> = {
    squeeze: { axis: null },
    repeat: { repeats: 2 },
    resize: { size: [2, 2] },
    matmul: { x2: y, transpose_b: true },
    glu: {},
    tile: { repeats: [2, 1] },
  };
  const booleans = ["logical_and", "logical_or", "logical_not"];
  for (const [name, { parameters }] of Object.entries({ ...arithmetic, ...movement })) {
    if (booleans.includes(name) || name === "resize" || name === "glu") continue;
    const own = { ...settings, ...special[name] } as Readonly<Record<string, unknown>>;
    const [first, ...rest] = parameters;
    const isList = name === "concatenate" || name === "stack";
    const args = [
      isList ? [x, y] : x,
      ...rest.filter((key) => key === "x1" || (key === "x2" && name !== "einsum")).map((key) => own[key]),
    ];
    const config = Object.fromEntries(
      Object.entries(own).filter(([key]) => key !== first && !key.startsWith("x1") && key !== "x2"),
    );
    const className = name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
    const { unknown, traced } = modelOf(operation(className, config), call(args));
    expect(unknown, name).toEqual([]);
    expect(traced, name).toBeDefined();
  }
});
