/** TensorFlow.js models with their weights, against what TensorFlow.js gave. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FileError, OptionError, SardonyxError, ShapeError, UnsupportedError } from "../../core/errors.ts";
import { float16Bits } from "../../core/half.ts";
import type { Shape } from "../../core/shape.ts";
import { type Nested, sameTensor, Tensor, tensor } from "../../core/tensor.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { predict } from "../../train/predict.ts";
import { encodeSavedModel } from "../files/saved-model.ts";
import { ImportedModule } from "../imported-module.ts";
import type { LoadedModel } from "../loaded-model.ts";
import { modelFromOnnx } from "../onnx-model.ts";
import { run } from "../testing/run.ts";
import { KerasModel } from "./layers-model/keras-model.ts";
import { modelFromTfjs, type TfjsModelOptions } from "./model.ts";
import { inputTensor, type Plain, recordedCases, weightElements } from "./testing/recorded.node.ts";

interface Recorded {
  readonly model: { readonly weightsManifest: readonly [{ readonly weights: readonly Listed[] }] };
  /** Elements of tensors that are no weights, by name. */
  readonly settings?: Readonly<Record<string, readonly number[]>>;
  readonly outputs: readonly Plain[];
}
interface Listed {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "int32" | "bool";
}
interface OfLayers extends Recorded {
  readonly inputs: readonly Shape[];
  /** Inputs of whole numbers below these. */
  readonly limits?: readonly number[];
}
interface OfGraph extends Recorded {
  readonly inputs: readonly { readonly shape: Shape; readonly limit?: number }[];
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** The file of weights that the script gave TensorFlow.js. */
function weightsFile({ model, settings = {} }: Recorded) {
  const parts = model.weightsManifest[0].weights.map(({ name, shape, dtype }) => {
    const elements = arrays[dtype].from(settings[name] ?? weightElements(name, shape));
    return new Uint8Array(elements.buffer);
  });
  return memorySource(Uint8Array.from(parts.flatMap((part) => [...part])));
}

const load = (recorded: Recorded, options: TfjsModelOptions = {}) => {
  const file = weightsFile(recorded);
  return modelFromTfjs(recorded.model, { open: () => file, ...options });
};

async function check(
  model: LoadedModel,
  names: readonly string[],
  inputs: readonly Tensor[],
  outputs: readonly Plain[],
) {
  const given = Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor]));
  const results = await run(model, given);
  expect(results.length).toBe(outputs.length);
  for (const [i, { shape, data }] of outputs.entries()) expectClose(results[i], tensor(data, { shape }), `output ${i}`);
}

describe("Keras models", () => {
  test.each(recordedCases<OfLayers>("layers.json"))("%s", async (_, recorded) => {
    const { inputs: shapes, limits = [], outputs } = recorded;
    const names = (load(recorded, { inputs: {} }) as KerasModel).inputNames;
    const model = load(recorded, { inputs: Object.fromEntries(names.map((name, i) => [name, shapes[i] as Shape])) });
    expect(model).toBeInstanceOf(KerasModel);
    expect([...model.parameters().values()].every(({ value }) => value)).toBe(true);
    const inputs = shapes.map((shape, i) => inputTensor(i, shape, limits[i] ?? undefined));
    await check(model, names, inputs, outputs);
    // Saved, it is a graph that gives the same.
    await check(modelFromOnnx(encodeSavedModel(model).bytes), names, inputs, outputs);
  });
});

describe("TensorFlow graphs", () => {
  test.each(recordedCases<OfGraph>("graphs.json"))("%s", async (_, recorded) => {
    const model = load(recorded);
    expect(model).toBeInstanceOf(ImportedModule);
    const inputs = recorded.inputs.map(({ shape, limit }, i) =>
      inputTensor(i, shape, limit, limit === undefined ? "float32" : "int32"),
    );
    const names = Object.keys(model.inputs);
    await check(model, names, inputs, recorded.outputs);
    await check(modelFromOnnx(encodeSavedModel(model).bytes), names, inputs, recorded.outputs);
  });

  const [, pooling] =
    recordedCases<OfGraph>("graphs.json").find(([name]) => name.startsWith("pooling and batch")) ?? [];

  test("running statistics are buffers, and the batch may be any", async () => {
    if (!pooling) throw new Error("no such case");
    const model = load(pooling);
    const buffers = [...model.parameters()].filter(([, { isBuffer }]) => isBuffer).map(([path]) => path);
    expect(buffers.length).toBeGreaterThan(0);
    expect(buffers.every((path) => /mean|variance/.test(path))).toBe(true);
    const [{ shape }] = pooling.inputs as [{ shape: Shape }];
    const whole = inputTensor(0, shape);
    const all = (await run(model, whole))[0] as Tensor;
    const one = new Tensor(
      "float32",
      [1, ...shape.slice(1)],
      whole.data.slice(0, whole.data.length / 2) as Float32Array,
    );
    const alone = (await run(model, one))[0] as Tensor;
    expectClose(alone, new Tensor("float32", alone.shape, all.data.slice(0, alone.data.length) as Float32Array), "one");
  });
});

/** A graph y = x w of a file whose batch is written as 1, with a Reshape for it. */
const graph = (batch: string, weights: readonly object[]) => ({
  modelTopology: {
    node: [
      {
        name: "x",
        op: "Placeholder",
        attr: {
          dtype: { type: "DT_FLOAT" },
          shape: { shape: { dim: [{ size: batch }, { size: "2" }, { size: "2" }] } },
        },
      },
      { name: "target", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
      { name: "w", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "flat", op: "Reshape", input: ["x", "target"], attr: { T: { type: "DT_FLOAT" } } },
      { name: "y", op: "MatMul", input: ["flat", "w"], attr: { T: { type: "DT_FLOAT" } } },
    ],
  },
  signature: { inputs: { x: { name: "x:0" } }, outputs: { scores: { name: "y:0" } } },
  weightsManifest: [{ paths: ["w.bin"], weights }],
});
const listed = [
  { name: "target", shape: [2], dtype: "int32" },
  { name: "w", shape: [4, 1], dtype: "float32" },
];
const bytes = new Uint8Array([
  ...new Uint8Array(Int32Array.of(1, 4).buffer),
  ...new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
]);

describe("weights", () => {
  test("a graph that is written for one sample runs two, each as alone", async () => {
    const model = modelFromTfjs(graph("1", listed), { open: () => memorySource(bytes) });
    expect(model.inputTypes).toEqual({ x: { dtype: "float32", shape: [1, 2, 2] } });
    const y = (await predict(
      model,
      tensor([
        [
          [1, 0],
          [0, 0],
        ],
        [
          [0, 1],
          [1, 0],
        ],
      ]),
    )) as Tensor;
    expect(y.toArray()).toEqual([[1], [5]]);
  });

  test("half floats are read exactly", () => {
    const weights = [
      { name: "target", shape: [2], dtype: "int32" },
      { name: "w", shape: [4, 1], dtype: "float32", quantization: { dtype: "float16" } },
    ];
    const half = Uint16Array.of(...[1, -2, 0.5, 65504].map(float16Bits));
    const file = new Uint8Array([...new Uint8Array(Int32Array.of(1, 4).buffer), ...new Uint8Array(half.buffer)]);
    const model = modelFromTfjs(graph("-1", weights), { open: () => memorySource(file) });
    const w = model.parameters().get("w")?.value as Tensor;
    expect(sameTensor(w, tensor([[1], [-2], [0.5], [65504]]))).toBe(true);
  });

  test("that are not there, and files that are cut off, are refused", () => {
    const read = (open?: TfjsModelOptions["open"]) => () =>
      modelFromTfjs(graph("1", listed), { ...(open && { open }) });
    expect(read()).toThrow(FileError);
    expect(read()).toThrow(
      'tfjs: the elements of "w" are not there, of type float32; put the files of weights beside model.json',
    );
    expect(read(() => memorySource(bytes.slice(0, 20)))).toThrow(
      'tfjs: "w" in the files of weights lies at bytes 8 to 24, the file has 20',
    );
  });
});

/** A Keras model of one layer on [null, 4]. */
const keras = (
  className: string,
  config: object = {},
  weights: readonly object[] = [],
  shape: readonly (number | null)[] = [null, 4],
) => ({
  modelTopology: {
    class_name: "Sequential",
    config: { layers: [{ class_name: className, config: { name: "only", batch_input_shape: shape, ...config } }] },
  },
  weightsManifest: [{ paths: ["w.bin"], weights }],
});

describe("a graph whose shapes depend on its inputs", () => {
  const type = (name: string) => ({ type: `DT_${name}` });
  const int32 = { dtype: type("INT32"), shape: { shape: { dim: [{ size: "-1" }] } } };
  const places = { ...int32, shape: { shape: { dim: [{ size: "-1" }, { size: "2" }] } } };
  // Values at places of a matrix of fives; y is w where these are above 5, and 0 elsewhere.
  const ragged = {
    modelTopology: {
      node: [
        { name: "indices", op: "Placeholder", attr: places },
        { name: "values", op: "Placeholder", attr: int32 },
        { name: "size", op: "Const", attr: { dtype: type("INT32") } },
        { name: "five", op: "Const", attr: { dtype: type("INT32") } },
        { name: "w", op: "Const", attr: { dtype: type("FLOAT") } },
        { name: "dense", op: "SparseToDense", input: ["indices", "size", "values", "five"] },
        { name: "large", op: "Greater", input: ["dense", "five"] },
        { name: "where", op: "Where", input: ["large"] },
        { name: "found", op: "Cast", input: ["where"], attr: { DstT: type("INT32") } },
        { name: "read", op: "GatherNd", input: ["w", "found"] },
        { name: "y", op: "ScatterNd", input: ["found", "read", "size"] },
      ],
    },
    signature: {
      inputs: { indices: { name: "indices:0" }, values: { name: "values:0" } },
      outputs: { y: { name: "y:0" } },
    },
    weightsManifest: [
      {
        paths: ["w.bin"],
        weights: [
          { name: "size", shape: [2], dtype: "int32" },
          { name: "five", shape: [], dtype: "int32" },
          { name: "w", shape: [2, 3], dtype: "float32" },
        ],
      },
    ],
  };
  const stored = new Uint8Array([
    ...new Uint8Array(Int32Array.of(2, 3, 5).buffer),
    ...new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer),
  ]);
  const open = () => stored; // bytes as they are
  const int = (numbers: Nested) => tensor(numbers, { dtype: "int32" });
  const constants = {
    indices: int([
      [0, 1],
      [1, 0],
      [1, 2],
    ]),
    values: int([7, 2, 9]),
  };

  test("runs where these are given as it is loaded", async () => {
    const model = modelFromTfjs(ragged, { open, constants });
    expect(model.inputs).toEqual({});
    expect(((await predict(model, {})) as Tensor).toArray()).toEqual([
      [0, 2, 0],
      [0, 0, 6],
    ]);
  });

  test("else says which to give", () => {
    const { indices } = constants;
    const trace = () => modelFromTfjs(ragged, { open, constants: { indices } }).trace({ dtype: "int32", shape: [3] });
    expect(trace).toThrow(UnsupportedError);
    expect(trace).toThrow("give the inputs on which shapes depend as the file is loaded: { constants: { values } }");
    const misspelt = { index: indices };
    expect(() => modelFromTfjs(ragged, { open, constants: misspelt })).toThrow('unknown input "index"');
  });

  test("a Keras model has no such inputs", () =>
    expect(() => modelFromTfjs(keras("Activation", { activation: "relu" }), { constants })).toThrow(OptionError));
});

describe("what a file leaves open, lacks or has beyond", () => {
  test("extents that are open must be given", () => {
    const open = keras("Activation", { activation: "relu" }, [], [null, null, 4]);
    expect(() => modelFromTfjs(open)).toThrow(ShapeError);
    expect(() => modelFromTfjs(open)).toThrow(
      'the shape of input "only_input" is [batch, time, 4]; pass the extents to use: { inputs: { "only_input": [1, …] } }',
    );
    expect(modelFromTfjs(open, { inputs: [2, 3, 4] }).inputTypes).toEqual({
      only_input: { dtype: "float32", shape: [2, 3, 4] },
    });
    expect(() => modelFromTfjs(open, { inputs: { inputs: [2, 3, 4] } })).toThrow(OptionError);
    expect(() => modelFromTfjs(open, { inputs: [2, 3, 5] })).toThrow(
      "inputs.only_input is [2, 3, 5], the file has [batch, time, 4]",
    );
  });

  test("a weight that a layer needs", () => {
    expect(() => modelFromTfjs(keras("Dense", { units: 2 }))).toThrow(FileError);
    expect(() => modelFromTfjs(keras("Dense", { units: 2 }))).toThrow(
      'tfjs: weightsManifest lists no weight for the parameter "only.',
    );
  });

  test("layers that are not known let no trace pass, but their weights are there", () => {
    const weights = [{ name: "only/table", shape: [2], dtype: "float32" }];
    const file = memorySource(new Uint8Array(Float32Array.of(3, 4).buffer));
    const model = modelFromTfjs(keras("Unheard", {}, weights), { open: () => file });
    expect([...model.parameters()].map(([path, { value }]) => [path, value?.toArray()])).toEqual([
      ["only.table", [3, 4]],
    ]);
    const traced = () => model.trace({ dtype: "float32", shape: [1, 4] });
    expect(traced).toThrow(UnsupportedError);
    expect(traced).toThrow(
      'the file has layers that are not supported: Unheard: the class is not supported ("only"). Its weights are loaded',
    );
  });
});

test("files with a character changed are refused with an error of ours, or read", () => {
  const [, recorded] = recordedCases<OfGraph>("graphs.json")[3] ?? [];
  if (!recorded) throw new Error("no case");
  const [text, file] = [JSON.stringify(recorded.model), weightsFile(recorded)];
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
      const changed = `${text.slice(0, at)}${String.fromCharCode(code)}${text.slice(at + 1)}`;
      try {
        const model = modelFromTfjs(JSON.parse(changed), { open: () => file });
        if (model.inputTypes) model.trace(model.inputTypes);
      } catch (error) {
        if (!(error instanceof SardonyxError) && !(error instanceof SyntaxError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
