/** Small ONNX files for tests, whose weights have elements that depend on their names alone. */
import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { encodeModel, type ModelOptions } from "../../onnx/model.ts";
import * as ops from "../../ops/index.ts";
import { predict } from "../../train/predict.ts";
import type { ImportedModule } from "../imported-module.ts";
import { modelFromOnnx } from "../onnx-model.ts";

const held = new Map<Value, Tensor>();

/** A weight of a graph, with elements in [-1, 1) unless they are given. */
export function weight(name: string, shape: Shape, elements: Tensor = signed(name, shape)): Value {
  const value = input("float32", shape, name);
  held.set(value, elements);
  return value;
}

/** The ONNX file of a graph, with the weights that it reads. */
export function fileOf(inputs: readonly Value[], outputs: readonly Value[], options: ModelOptions = {}): Uint8Array {
  const read = new Set(graphOf([], outputs).nodes.flatMap((node) => node.inputs));
  const initializers = new Map([...held].filter(([value]) => read.has(value)));
  return encodeModel(graphOf([...inputs, ...initializers.keys()], outputs), { initializers, ...options });
}

/** A model of a file for one image [1, 1, 6, 6], with its batch in a target shape; scores of three classes. */
export function classifier(): ImportedModule {
  const x = input("float32", [1, 1, 6, 6], "image");
  const features = ops.relu(ops.conv(x, weight("conv.weight", [4, 1, 3, 3]), { bias: weight("conv.bias", [4]) }));
  const scores = ops.linear(ops.reshape(features, [1, 64]), weight("head.weight", [3, 64]), weight("head.bias", [3]));
  return modelFromOnnx(fileOf([x], [scores], { outputNames: ["scores"] }));
}

/** The only output of a model. */
export const runImported = (
  model: ImportedModule,
  inputs: Tensor | Readonly<Record<string, Tensor>>,
): Promise<Tensor> => predict(model, inputs) as Promise<Tensor>;
