/** Inputs of a file on which shapes depend, given as constants when the model is loaded. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { encodeMessage } from "../onnx/codec.ts";
import { ModelProto } from "../onnx/schema.ts";
import { predict } from "../train/predict.ts";
import type { ImportedModule } from "./imported-module.ts";
import { modelFromOnnx } from "./onnx-model.ts";
import { runImported } from "./testing/onnx-files.ts";

const declared = (name: string, elem_type: number, dims: readonly number[]) => ({
  name,
  type: { tensor_type: { elem_type, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
});

/** Reshapes x [2, 3] to the shape that its other input lists. */
const file = encodeMessage(ModelProto, {
  ir_version: 8,
  opset_import: [{ domain: "", version: 17 }],
  graph: {
    input: [declared("x", 1, [2, 3]), declared("shape", 7, [2])],
    output: [{ name: "y" }],
    node: [{ op_type: "Reshape", input: ["x", "shape"], output: ["y"] }],
  },
});
const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

test("an input on which a shape depends is a constant", async () => {
  const model = modelFromOnnx(file, { constants: { shape: tensor([3n, -1n]) } });
  const y = await runImported(model, x);
  expect([y.shape, y.toNumbers()]).toEqual([
    [3, 2],
    [1, 2, 3, 4, 5, 6],
  ]);
});

test("without it, the message says what to give", async () => {
  const model: ImportedModule = modelFromOnnx(file);
  await expect(predict(model, { x, shape: tensor([3n, 2n]) })).rejects.toThrow(
    "Reshape: shape must be known while tracing, got a computed value; pass plain numbers. Its weights are loaded, but it cannot run; " +
      "give the inputs on which shapes depend as the file is loaded: { constants: { shape } }",
  );
});

test("constants that the file contradicts", () => {
  const load = (constants: Parameters<typeof modelFromOnnx>[1]) => () => modelFromOnnx(file, constants);
  expect(load({ constants: { shapes: tensor([3n]) } })).toThrow('unknown input "shapes"; did you mean "shape"?');
  expect(load({ constants: { shape: tensor([3, 2]) } })).toThrow("constants.shape is float32, the file has int64");
  expect(load({ constants: { shape: tensor([6n]) } })).toThrow("constants.shape is [1], the file has [2]");
});
