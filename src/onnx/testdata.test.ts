/**
 * ONNX's own models of single operators (Debian's package libonnx-testdata): each is read, optimized, run, and compared with
 * the outputs that come with it. Skipped where the package is not installed; `.ci/run` installs it.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { SardonyxError } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { compile } from "../jit/compile.ts";
import { decodeMessage } from "./decode.ts";
import { importModel } from "./import.ts";
import { TensorProto } from "./schema.ts";
import { storedTensor } from "./tensor.ts";

const folder = "/usr/share/libonnx-testdata/data/node";

const numbersOf = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);

function readTensor(path: string): Tensor {
  const refuse = () => {
    throw new Error("test tensors lie in their own file");
  };
  return storedTensor(decodeMessage(TensorProto, memorySource(readFileSync(path))), refuse).read();
}

/** Sums of some hundred float32 terms, with functions that ONNX computed in another library. */
const tolerance = 1e-4;

function agrees(actual: Tensor, expected: Tensor): boolean {
  const [got, wanted] = [numbersOf(actual), numbersOf(expected)];
  const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
  return (
    sameShape(actual.shape, expected.shape) &&
    wanted.every(
      (value, i) => Object.is(value, got[i]) || Math.abs(value - (got[i] ?? Number.NaN)) <= tolerance * scale,
    )
  );
}

/** `ok`, `wrong`, or why the model cannot be run here. */
async function outcomeOf(name: string): Promise<string> {
  const model = importModel(memorySource(readFileSync(`${folder}/${name}/model.onnx`)));
  const [reason] = model.unknown.values();
  if (reason) return reason.why;
  const data = (kind: string, i: number) => readTensor(`${folder}/${name}/test_data_set_0/${kind}_${i}.pb`);
  const inputs = model.inputs.map((_, i) => data("input", i));
  const expected = model.graph.outputs.map((_, i) => data("output", i));
  const executable = await compile(model.graph.inputs, model.graph.outputs, { threads: 1 });
  const results = await executable.run([...inputs, ...[...model.weights.values()].map((weight) => weight.read())]);
  await executable.session.release();
  return results.every((result, i) => agrees(result, expected[i] as Tensor)) ? "ok" : "wrong";
}

test.skipIf(!existsSync(folder))("what is understood of ONNX's operators computes what ONNX says", async () => {
  const outcomes = new Map<string, string[]>();
  for (const name of readdirSync(folder).filter((own) => existsSync(`${folder}/${own}/model.onnx`))) {
    const outcome = await outcomeOf(name).catch((error: unknown) => {
      if (error instanceof SardonyxError) return `refused: ${error.message}`;
      throw error;
    });
    outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), name]);
  }
  expect(outcomes.get("wrong") ?? []).toEqual([]);
  // The others use text, randomness, losses, or shapes that depend on data, which the tests feed in place of constants.
  expect((outcomes.get("ok") ?? []).length).toBeGreaterThanOrEqual(600);
});
