/** Layers of Keras that TensorFlow.js lacks, against their equations in PyTorch: the same outputs of the same weights. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Shape } from "../../../core/shape.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { run } from "../../testing/run.ts";
import { type LayersDocument, readDocument } from "../document.ts";
import { fillRecorded, inputTensor, type Plain } from "../testing/recorded.node.ts";
import { importLayersModel } from "./import.ts";

interface Recorded {
  readonly keras: string;
  readonly class_name: string;
  readonly config: object;
  readonly inputs: readonly Shape[];
  readonly limits?: readonly (number | null)[];
  /** Arguments of the call behind the first: numbers of inputs, or settings. */
  readonly keywords?: Readonly<Record<string, number | boolean>>;
  readonly weights: readonly { readonly name: string; readonly shape: Shape }[];
  readonly outputs: readonly Plain[];
}

const url = new URL("../../../../test/fixtures/keras/layers.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: Readonly<Record<string, Recorded>> };

function documentOf({ keras, class_name, config, inputs, keywords = {}, weights, outputs }: Recorded): LayersDocument {
  const tensors = inputs.map((_, i) => ({
    class_name: "__keras_tensor__",
    config: { shape: [null], dtype: "float32", keras_history: [`x${i}`, 0, 0] },
  }));
  const taken = new Set(Object.values(keywords).filter((own) => typeof own === "number"));
  const kwargs = Object.fromEntries(
    Object.entries(keywords).map(([name, own]) => [name, typeof own === "number" ? tensors[own] : own]),
  );
  const [first, ...others] = tensors.filter((_, i) => i === 0 || !taken.has(i));
  const args = others.length > 0 ? [[first, ...others]] : [first];
  const layers = [
    ...inputs.map((shape, i) => ({
      class_name: "InputLayer",
      config: { name: `x${i}`, batch_shape: [null, ...shape.slice(1)] },
    })),
    { class_name, config: { name: "layer", ...config }, inbound_nodes: [{ args, kwargs }] },
  ];
  const model = {
    keras_version: keras,
    class_name: "Functional",
    config: {
      layers,
      input_layers: inputs.map((_, i) => [`x${i}`, 0, 0]),
      output_layers: outputs.map((_, i) => ["layer", 0, i]),
    },
  };
  const listed = weights.map((weight) => ({ ...weight, dtype: "float32" }));
  return readDocument({ modelTopology: model, weightsManifest: [{ paths: [], weights: listed }] }) as LayersDocument;
}

test.each(Object.entries(cases))("%s", async (_, recorded) => {
  const { inputs: shapes, limits = [], weights, outputs } = recorded;
  const given = shapes[Symbol.iterator]();
  const { traced, unknown } = importLayersModel(documentOf(recorded), () => given.next().value as Shape);
  expect(unknown).toEqual([]);
  if (!traced) throw new Error("no model");
  const { module, stored } = traced;
  expect(stored.size).toBe(weights.length);
  fillRecorded(traced);
  const inputs = shapes.map((shape, i) => [`x${i}`, inputTensor(i, shape, limits[i] ?? undefined)] as const);
  const results = await run(module, Object.fromEntries(inputs));
  expect(results.length).toBe(outputs.length);
  for (const [i, { shape, data }] of outputs.entries()) {
    const result = results[i] as Tensor;
    const floats = new Tensor("float32", result.shape, Float32Array.from(result.toNumbers()));
    expectClose(floats, tensor(data, { shape }), `output ${i}`);
  }
});
