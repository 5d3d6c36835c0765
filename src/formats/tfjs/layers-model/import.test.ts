/** Keras models against TensorFlow.js: the same outputs of the same weights, whatever is padded, flattened or shared. */
import { expect, test } from "vitest";
import { type Shape, size, stridesOf } from "../../../core/shape.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { forEachPosition, offsetOf } from "../../../graph/elements.ts";
import type { AnyModule } from "../../../nn/index.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { run } from "../../testing/run.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { inputTensor, type Plain, recordedCases, weightElements } from "../testing/recorded.node.ts";
import { importLayersModel, type StoredParameter, type TracedModel } from "./import.ts";

interface Recorded {
  readonly model: object;
  /** Inputs of whole numbers below these; null for others. */
  readonly limits?: readonly (number | null)[];
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

/** Gives a model the weights of the script. */
function fill(module: AnyModule, stored: TracedModel["stored"]): void {
  for (const [path, parameter] of module.parameters()) {
    const kept = stored.get(path);
    if (!kept) throw new Error(`${path} is no weight of the file`);
    parameter.value = weightOf(kept);
  }
}

test.each(recordedCases<Recorded>("layers.json"))("%s", async (_, { model, limits = [], inputs: shapes, outputs }) => {
  const document = readDocument(model) as LayersDocument;
  const given = shapes[Symbol.iterator]();
  const { traced, unknown } = importLayersModel(document, () => given.next().value as Shape);
  expect(unknown).toEqual([]);
  const { module, stored } = traced as TracedModel;
  expect(stored.size).toBe(document.weights.size);
  fill(module, stored);
  const inputs = shapes.map(
    (shape, i) => [module.inputNames[i], inputTensor(i, shape, limits[i] ?? undefined)] as const,
  );
  const results = await run(module, Object.fromEntries(inputs));
  expect(results.length).toBe(outputs.length);
  for (const [i, { shape, data }] of outputs.entries()) expectClose(results[i], tensor(data, { shape }), `output ${i}`);
});
