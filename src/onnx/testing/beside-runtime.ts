/** A file run twice, for tests: by ONNX Runtime as it is, and as the graph that we read of it. */
import { expect } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { keyOf, Random } from "../../core/random.ts";
import { type Shape, size } from "../../core/shape.ts";
import { asFloat32, type Tensor, tensor } from "../../core/tensor.ts";
import { compile } from "../../jit/compile.ts";
import { backend } from "../../runtime/node.ts";
import { type ImportedModel, importModel } from "../import.ts";

/** Numbers in [-1, 1), which depend on the seed alone. */
export function uniform(seed: number, ...shape: readonly number[]): Tensor<"float32"> {
  const random = new Random(keyOf(seed));
  return asFloat32(
    tensor(
      Array.from({ length: size(shape) }, () => random.uniform(-1, 1)),
      { shape },
    ),
  );
}

/** Whole numbers from `low` to before `high`, which depend on the seed alone. */
export function whole(seed: number, shape: Shape, low: number, high: number): readonly number[] {
  const random = new Random(keyOf(seed));
  return Array.from({ length: size(shape) }, () => low + random.integer(high - low));
}

/** The graph of a file, with the shapes of what is fed. */
export const readFor = (file: Uint8Array, feeds: Readonly<Record<string, Tensor>>): ImportedModel =>
  importModel(memorySource(file), { shapeOf: ({ name }) => feeds[name]?.shape ?? [] });

/** The outputs of what we read of a file. Throws for a node that is not understood. */
export async function runRead(file: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<readonly Tensor[]> {
  const { graph, inputs, weights, unknown } = readFor(file, feeds);
  for (const { why } of unknown.values()) throw new Error(why);
  const executable = await compile(graph.inputs, graph.outputs, { threads: 1 });
  const given = inputs.map(({ name = "" }) => feeds[name] as Tensor);
  const results = await executable.run([...given, ...Array.from(weights.values(), (weight) => weight.read())]);
  await executable.session.release();
  return results;
}

/** The outputs that ONNX Runtime gives for the file itself. */
export async function runOriginal(
  file: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<readonly Tensor[]> {
  const session = await backend.compile(file, { threads: 1 });
  const { inputs } = readFor(file, feeds);
  const results = await session.run(inputs.map(({ name = "" }) => feeds[name] as Tensor));
  await session.release();
  return results;
}

/** Sums of some hundred float32 terms in another order. */
const tolerance = 1e-4;

/** Expects what we read of a file to give what ONNX Runtime gives for the file itself, to a share of the largest element. */
export async function expectAsRuntime(
  file: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  within = tolerance,
): Promise<void> {
  const [expected, actual] = [await runOriginal(file, feeds), await runRead(file, feeds)];
  expect(actual.map(({ dtype, shape }) => [dtype, shape])).toEqual(expected.map(({ dtype, shape }) => [dtype, shape]));
  for (const [i, output] of expected.entries()) {
    const [wanted, got] = [output.toNumbers(), actual[i]?.toNumbers() ?? []];
    const scale = Math.max(1, ...wanted.map(Math.abs));
    const wrong = wanted.findIndex((element, at) => !(Math.abs(element - (got[at] ?? Number.NaN)) <= within * scale));
    expect(wrong, `output ${i}: ${got.slice(0, 8)} and, by ONNX Runtime, ${wanted.slice(0, 8)}`).toBe(-1);
  }
}
