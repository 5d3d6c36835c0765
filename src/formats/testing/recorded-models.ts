/** Models that Hugging Face's library recorded: outputs of weights that both sides compute, and a digest of the parameters' names. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Shape, showShape } from "../../core/shape.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fill, integers } from "../../models/testing/fill.ts";
import type { AnyModule } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { run } from "./run.ts";

/** A tensor as it is recorded. */
export interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}

/** A file below test/fixtures/models. */
export const readRecorded = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../test/fixtures/models/${name}.json`, import.meta.url), "utf8")) as T;

/** Names and shapes as the scripts digest them. */
export const digestOf = (model: AnyModule): string => {
  const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
};

/** Token ids of the scripts, and the ids of which the second sequence is two tokens shorter and filled up with token 1. */
export const recordedIds = (vocabulary: number) => {
  const x = integers("ids", [2, 7], vocabulary);
  const isReal = (i: number) => i < 12;
  return {
    x,
    decoder: integers("decoder", [2, 5], vocabulary),
    types: integers("types", [2, 7], 2),
    padded: new Tensor(
      "int64",
      x.shape,
      x.data.map((id, i) => (isReal(i) ? id : 1n)),
    ),
    mask: new Tensor(
      "int64",
      x.shape,
      BigInt64Array.from(x.data, (_, i) => (isReal(i) ? 1n : 0n)),
    ),
  };
};

/** Compares the outputs of a model whose weights are filled with what is recorded of them. */
export async function checkOutputs(
  model: AnyModule,
  inputs: Readonly<Record<string, Tensor>>,
  recorded: readonly Plain[],
): Promise<void> {
  model.trace(inputs);
  fill(model);
  await expectOutputs(model, inputs, recorded);
}

/** Compares the outputs of a model, as it is, with what is recorded of them. */
export async function expectOutputs(
  model: AnyModule,
  inputs: Readonly<Record<string, Tensor>>,
  recorded: readonly Plain[],
): Promise<void> {
  const outputs = await run(model, inputs);
  expect(outputs.length, "outputs").toBe(recorded.length);
  for (const [i, { shape, data }] of recorded.entries())
    expectClose(outputs[i], tensor(data, { shape }), i === 0 ? "output" : `output ${i}`);
}
