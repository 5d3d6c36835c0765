/** Keras's own files against TensorFlow.js: the same outputs of the same weights, whichever file holds them. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { run } from "../testing/run.ts";
import type { KerasModel } from "../tfjs/layers-model/keras-model.ts";
import { inputTensor, type Plain, recordedCases } from "../tfjs/testing/recorded.node.ts";
import { modelFromKeras } from "./model.ts";

interface Recorded {
  readonly model: { readonly weightsManifest: readonly { readonly weights: readonly { readonly shape: Shape }[] }[] };
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Plain[];
}

/** Written by scripts/make-keras-fixtures.py of cases that TensorFlow.js computed. */
const cases = {
  "both-directions": "recurrent layers in both directions",
  nested: "models within a model, and layers that are shared",
  "batch-normalization": "batchNormalization",
  "every-step": "layers at every step",
  separable: "separableConv2d",
  cells: "recurrent layers around cells",
};
const recorded = new Map(recordedCases<Recorded>("layers.json"));
const fixture = (name: string) => readFileSync(new URL(`../../../test/fixtures/keras/${name}`, import.meta.url));

describe.each(["h5", "keras"])(".%s", (ending) => {
  test.each(Object.entries(cases))("%s", async (stem, name) => {
    const { model, inputs: shapes, outputs } = recorded.get(name) as Recorded;
    const loaded = modelFromKeras(fixture(`${stem}.${ending}`)) as KerasModel;
    const stored = model.weightsManifest.flatMap(({ weights }) => weights.map(({ shape }) => size(shape)));
    const parameters = [...loaded.parameters().values()].map(({ shape }) => size(shape));
    expect(parameters.toSorted()).toEqual(stored.toSorted());
    const given = shapes.map((shape, i) => [loaded.inputNames[i], inputTensor(i, shape)] as const);
    const results = await run(loaded, Object.fromEntries(given));
    expect(results.length).toBe(outputs.length);
    for (const [i, { shape, data }] of outputs.entries())
      expectClose(results[i], tensor(data, { shape }), `output ${i}`);
  });
});

test("weights alone are refused in a sentence", () => {
  const read = () => modelFromKeras(fixture("weights-alone.h5"));
  expect(read).toThrow(FileError);
  expect(read).toThrow(
    'keras: the file holds weights alone, without the model that they are of; save the whole model: model.save("model.keras")',
  );
});
