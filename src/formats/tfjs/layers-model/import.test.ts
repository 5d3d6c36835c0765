/** Keras models against TensorFlow.js: the same outputs of the same weights, whatever is padded, flattened or shared. */
import { expect, test } from "vitest";
import type { Shape } from "../../../core/shape.ts";
import { tensor } from "../../../core/tensor.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { run } from "../../testing/run.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { fillRecorded, inputTensor, type Plain, recordedCases } from "../testing/recorded.node.ts";
import { importLayersModel, type TracedModel } from "./import.ts";

interface Recorded {
  readonly model: object;
  /** Inputs of whole numbers below these; null for others. */
  readonly limits?: readonly (number | null)[];
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Plain[];
}

test.each(recordedCases<Recorded>("layers.json"))("%s", async (_, { model, limits = [], inputs: shapes, outputs }) => {
  const document = readDocument(model) as LayersDocument;
  const given = shapes[Symbol.iterator]();
  const { traced, unknown } = importLayersModel(document, () => given.next().value as Shape);
  expect(unknown).toEqual([]);
  const { module, stored } = traced as TracedModel;
  expect(stored.size).toBe(document.weights.size);
  fillRecorded(traced as TracedModel);
  const inputs = shapes.map(
    (shape, i) => [module.inputNames[i], inputTensor(i, shape, limits[i] ?? undefined)] as const,
  );
  const results = await run(module, Object.fromEntries(inputs));
  expect(results.length).toBe(outputs.length);
  for (const [i, { shape, data }] of outputs.entries()) expectClose(results[i], tensor(data, { shape }), `output ${i}`);
});
