/** TensorFlow graphs against TensorFlow.js: the same outputs of the same weights, operator by operator. */
import { expect, test } from "vitest";
import { memorySource } from "../../../core/byte-source.ts";
import type { Shape } from "../../../core/shape.ts";
import { type Tensor, tensor } from "../../../core/tensor.ts";
import { verify } from "../../../graph/verify.ts";
import { compile } from "../../../jit/compile.ts";
import { expectClose } from "../../../nn/testing/check-layer.ts";
import { type GraphDocument, readDocument } from "../document.ts";
import { inputTensor, type Plain, recordedCases, weightElements } from "../testing/recorded.node.ts";
import { type GraphModel, importGraphModel } from "./import.ts";

interface Recorded {
  readonly model: { readonly weightsManifest: readonly [{ readonly weights: readonly Listed[] }] };
  /** Elements of tensors that are no weights, by name. */
  readonly settings: Readonly<Record<string, readonly number[]>>;
  readonly inputs: readonly { readonly shape: Shape; readonly limit?: number }[];
  readonly outputs: readonly Plain[];
}
interface Listed {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "int32" | "bool";
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** The file of weights that the script gave TensorFlow.js. */
function weightsFile({ model, settings }: Recorded) {
  const parts = model.weightsManifest[0].weights.map(({ name, shape, dtype }) => {
    const elements = arrays[dtype].from(settings[name] ?? weightElements(name, shape));
    return new Uint8Array(elements.buffer);
  });
  return memorySource(Uint8Array.from(parts.flatMap((part) => [...part])));
}

async function outputsOf({ graph, inputs, weights }: GraphModel, given: readonly Tensor[]): Promise<Tensor[]> {
  const executable = await compile([...inputs, ...weights.keys()], graph.outputs);
  const elements = Array.from(weights.values(), ({ stored }) => stored.read() as Tensor);
  const outputs = await executable.run([...given, ...elements]);
  await executable.session.release();
  return outputs;
}

test.each(recordedCases<Recorded>("graphs.json"))("%s", async (_, recorded) => {
  const file = weightsFile(recorded);
  const document = readDocument(recorded.model, () => file) as GraphDocument;
  const shapes = recorded.inputs.map(({ shape }) => shape)[Symbol.iterator]();
  const model = importGraphModel(document, () => shapes.next().value as Shape);
  verify(model.graph);
  expect([...model.unknown.values()]).toEqual([]);
  const given = recorded.inputs.map(({ shape, limit }, i) =>
    inputTensor(i, shape, limit, limit === undefined ? "float32" : "int32"),
  );
  const results = await outputsOf(model, given);
  expect(results.length).toBe(recorded.outputs.length);
  for (const [i, { shape, data }] of recorded.outputs.entries())
    expectClose(results[i], tensor(data, { shape }), `output ${i}`);
});
