/** Keras models against TensorFlow.js: the same outputs of the same weights, whatever is padded, flattened or shared. */
import { expect, test } from "vitest";
import { type Shape, size, stridesOf } from "../../../core/shape.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { forEachPosition, offsetOf } from "../../../graph/elements.ts";
import { compile } from "../../../jit/compile.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { inputTensor, type Plain, recordedCases, weightElements } from "../testing/recorded.node.ts";
import { importLayersModel, type StoredParameter, type TracedModel } from "./import.ts";

interface Recorded {
  readonly model: object;
  /** Inputs of whole numbers below these. */
  readonly limits?: readonly number[];
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Plain[];
}

/** A weight as the script makes it, in the order of the parameter's axes. */
function weightOf({ stored: { name, shape }, axes = [...shape.keys()] }: StoredParameter): Tensor<"float32"> {
  const stored = weightElements(name, shape);
  const own = axes.map((axis) => shape[axis] ?? 1);
  const strides = axes.map((axis) => stridesOf(shape)[axis] ?? 0);
  const data = new Float32Array(size(own));
  forEachPosition(own, (position, offset) => {
    data[offset] = stored[offsetOf(position, strides)] ?? 0;
  });
  return new Tensor("float32", own, data);
}

/** Outputs of a model whose weights are those of the script. */
async function outputsOf({ module, input, extra, stored }: TracedModel, inputs: readonly Tensor[]): Promise<Tensor[]> {
  for (const [path, parameter] of module.parameters()) {
    const kept = stored.get(path);
    if (!kept) throw new Error(`${path} is no weight of the file`);
    parameter.value = weightOf(kept);
  }
  const trace = module.trace(input, { extra });
  const { values } = trace.context;
  const executable = await compile(
    [trace.x, ...Object.values(trace.extra), ...values.values()],
    module.outputs(trace.y),
  );
  const outputs = await executable.run([...inputs, ...Array.from(values.keys(), ({ value }) => value as Tensor)]);
  await executable.session.release();
  return outputs;
}

test.each(recordedCases<Recorded>("layers.json"))("%s", async (_, { model, limits = [], inputs: shapes, outputs }) => {
  const document = readDocument(model) as LayersDocument;
  const given = shapes[Symbol.iterator]();
  const { traced, unknown } = importLayersModel(document, () => given.next().value as Shape);
  expect(unknown).toEqual([]);
  expect(traced?.stored.size).toBe(document.weights.size);
  const inputs = shapes.map((shape, i) => inputTensor(i, shape, limits[i]));
  const results = await outputsOf(traced as TracedModel, inputs);
  expect(results.length).toBe(outputs.length);
  for (const [i, { shape, data }] of outputs.entries()) expectClose(results[i], tensor(data, { shape }), `output ${i}`);
});
