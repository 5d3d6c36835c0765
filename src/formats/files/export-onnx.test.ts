/** Models as ONNX files: what other programs find in them, and that they run at any batch size, or say why not. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { DataError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { sameTensor, type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { batchNorm, type Context, conv2d, dense, flatten, lambda, Module, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { refuseExternal } from "../../onnx/import.ts";
import { readModelFile } from "../../onnx/model-file.ts";
import * as ops from "../../ops/index.ts";
import { predict } from "../../train/predict.ts";
import { modelFromOnnx } from "../onnx-model.ts";
import { encodeOnnx } from "./export-onnx.ts";

const image = { dtype: "float32", shape: [1, 1, 6, 6] } as const;

/** A convolutional network with its initial weights. */
function network() {
  const model = sequential([conv2d(3, 3), batchNorm(), flatten(), dense(2)]);
  model.trace(image);
  model.initialize(keyOf(1));
  return model;
}

/** What a file holds, without its graph being built. */
const read = (bytes: Uint8Array) => readModelFile(memorySource(bytes), refuseExternal);

async function runFile(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>) {
  const session = await ort.InferenceSession.create(bytes);
  const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
    name,
    new ort.Tensor("float32", data as Float32Array, shape),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  return Object.fromEntries(
    session.outputNames.map((name) => {
      const { data, dims } = results[name] as ort.Tensor;
      return [name, tensor(data as Float32Array, { shape: dims })];
    }),
  );
}

/** Two inputs of which one may be left out, and two outputs. */
class Pair extends Module<
  { readonly left: Value; readonly right?: Value },
  { readonly sum: Value; readonly parts: { readonly double: Value } }
> {
  override readonly inputs = { left: "required", right: "optional" } as const;
  readonly inner = dense(2);
  protected call({ left, right }: { readonly left: Value; readonly right?: Value }, context: Context) {
    const y = this.inner.apply(left, context);
    return { sum: right ? ops.add(y, right) : y, parts: { double: ops.mul(y, 2) } };
  }
}

describe("a file", () => {
  test("takes input and gives output where there is one, for every batch size", async () => {
    const model = network();
    const { bytes, obstacle } = encodeOnnx(model);
    expect(obstacle).toBeUndefined();
    for (const batch of [1, 2, 5]) {
      const x = signed("x", [batch, 1, 6, 6]);
      const { output } = await runFile(bytes, { input: x });
      expectClose(output, await predict(model, x), `a batch of ${batch}`);
    }
  });

  // ONNX Runtime moves the transpositions of images whose channels lie last past the resizing.
  test.each([
    ["channels first", [0, 1, 2, 3], [1, 3, 4, 2]],
    ["channels last", [0, 3, 1, 2], [1, 3, 2, 3]],
  ])("enlarges a batch of any size, %s", async (_, permutation, [, ...shape]) => {
    const back = [0, 1, 2, 3].map((axis) => permutation.indexOf(axis));
    for (const mode of ["nearest", "linear"] as const) {
      const model = lambda((x: Value) =>
        ops.transpose(ops.relu(ops.resize(ops.transpose(x, permutation), [7, 28], { mode })), back),
      );
      const { bytes, obstacle } = encodeOnnx(model, { inputs: { dtype: "float32", shape: [1, ...shape] } });
      expect(obstacle).toBeUndefined();
      for (const batch of [1, 3]) {
        const x = signed("x", [batch, ...shape]);
        expectClose((await runFile(bytes, { input: x })).output, await predict(model, x), `${mode}, ${batch}`);
      }
    }
  });

  test("has its parameters as initializers under their paths, and its constants apart", () => {
    const { graph } = read(encodeOnnx(network()).bytes);
    expect([...graph.initializers.keys()]).toEqual([
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.weight",
      "layers.1.bias",
      "layers.1.running_mean",
      "layers.1.running_var",
      "layers.3.weight",
      "layers.3.bias",
    ]);
    expect(graph.inputs.map(({ name, extents }) => [name, extents])).toEqual([["input", ["batch", 1, 6, 6]]]);
    expect(graph.outputs.map(({ name, extents }) => [name, extents])).toEqual([["output", ["batch", 2]]]);
  });

  test("has inputs and outputs by their names, those in a record by their places", async () => {
    const model = new Pair();
    const type = { dtype: "float32", shape: [1, 2] } as const;
    model.trace({ left: type, right: type });
    model.initialize(keyOf(2));
    const { bytes } = encodeOnnx(model, { metadata: { classes: '["a","b"]' } });
    const [left, right] = [signed("left", [3, 2]), signed("right", [3, 2])];
    const found = await runFile(bytes, { left, right });
    const { sum, parts } = await predict(model, { left, right });
    expectClose(found["sum"], sum, "sum");
    expectClose(found["parts.double"], parts.double, "double");
    expect(read(bytes).metadata.get("classes")).toBe('["a","b"]');
    // An input that may be left out is in the file where its type is given.
    const alone = read(encodeOnnx(model, { inputs: { left: type } }).bytes).graph;
    expect(alone.inputs.map(({ name }) => name)).toEqual(["left"]);
  });

  test("for one batch size where that is asked for", () => {
    const { graph } = read(
      encodeOnnx(network(), { inputs: { ...image, shape: [4, 1, 6, 6] }, dynamicBatch: false }).bytes,
    );
    expect(graph.inputs[0]?.extents).toEqual([4, 1, 6, 6]);
  });

  test("is read, exported and read again with the same parameters and outputs", async () => {
    const model = network();
    const first = modelFromOnnx(encodeOnnx(model).bytes);
    const second = modelFromOnnx(encodeOnnx(first).bytes);
    for (const [path, { value }] of model.parameters())
      for (const read of [first, second])
        expect(sameTensor(read.parameters().get(path)?.value as Tensor, value as Tensor), path).toBe(true);
    const x = signed("x", [3, 1, 6, 6]);
    expect(sameTensor((await predict(second, x)) as Tensor, (await predict(first, x)) as Tensor)).toBe(true);
  });

  test("leaves the model with the types that it had", () => {
    const model = network();
    encodeOnnx(model);
    expect(model.inputTypes).toEqual(image);
  });
});

describe("a batch that stays closed", () => {
  test("by what the graph computes: the file is for one sample, and says why", async () => {
    const model = sequential([
      lambda((x: Value) => ops.concat([x, ops.expand(ops.ones([1, 2]), [x.shape[0] ?? 1, 2])], 1)),
    ]);
    const { bytes, obstacle } = encodeOnnx(model, { inputs: { dtype: "float32", shape: [4, 2] } });
    expect(obstacle).toMatch(/depends on the batch size/);
    expect(read(bytes).graph.inputs[0]?.extents).toEqual([1, 2]);
    expect((await runFile(bytes, { input: tensor([[5, 6]]) }))["output"]?.toArray()).toEqual([[5, 6, 1, 1]]);
  });

  test("by what the model refuses: the file is for the batch of the types", () => {
    const model = sequential([lambda((x: Value) => ops.reshape(x, [2, 4]))]);
    const { bytes, obstacle } = encodeOnnx(model, { inputs: { dtype: "float32", shape: [4, 2] } });
    expect(obstacle).toContain("[29, 2] has 58 elements");
    expect(read(bytes).graph.inputs[0]?.extents).toEqual([4, 2]);
  });
});

describe("refused", () => {
  test("without types of inputs, values of parameters, or with an option that there is not", () => {
    const model = sequential([dense(2)]);
    expect(() => encodeOnnx(model)).toThrow(OptionError);
    expect(() => encodeOnnx(model)).toThrow(
      "encodeOnnx: the types of the model's inputs are not known; pass them: { inputs:",
    );
    const inputs = { dtype: "float32", shape: [1, 4] } as const;
    expect(() => encodeOnnx(model, { inputs })).toThrow(DataError);
    expect(() => encodeOnnx(model, { inputs })).toThrow('parameter "weight" has no value');
    expect(() => encodeOnnx(model, { batch: true } as never)).toThrow('unknown option of encodeOnnx: "batch"');
  });
});
