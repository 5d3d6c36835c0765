/** Each family is trained: the loss of its classifier falls, also where a parameter takes no part in it. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { signed } from "../../models/testing/fill.ts";
import { crossEntropy, type Module } from "../../nn/index.ts";
import { fit } from "../../train/fit.ts";
import { adam } from "../../train/optimizers/index.ts";
import { modelFromConfig } from "../huggingface.ts";
import { type Plain, readRecorded, recordedIds } from "../testing/recorded-models.ts";

interface Recorded {
  readonly config: Readonly<Record<string, unknown>>;
  readonly runs: Readonly<Record<string, readonly Plain[]>>;
}

const folder = new URL("../../../test/fixtures/models/families/", import.meta.url);
const models = readdirSync(folder).flatMap((file) =>
  Object.values(
    readRecorded<{ models: Readonly<Record<string, Recorded>> }>(`families/${file.replace(".json", "")}`).models,
  ),
);
/** One classifier of three labels of each family. */
const classifiers = new Map(
  models
    .filter(({ runs }) => Object.values(runs)[0]?.[0]?.shape.join() === "2,3")
    .map(({ config }) => [String(config["model_type"]), config]),
);
const { x: ids } = recordedIds(13);
const labels = new Tensor("int32", [2], Int32Array.of(0, 2));

test.each([...classifiers])("%s", async (_, config) => {
  const { build, inputs } = modelFromConfig(config);
  const model = build() as Module<{ x: Value }, Value>;
  const type = inputs["x"];
  const x = type?.dtype === "int64" ? ids : signed("input", [2, ...(type?.shape.slice(1) ?? [])]);
  model.initialize(keyOf(1), { x });
  const { history } = await fit(model, fromTensors({ x, y: labels }).batch(2), {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 6,
  });
  const losses = history.map(({ loss }) => loss as number);
  expect(losses.every(Number.isFinite), losses.join()).toBe(true);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
});

test("they are most families that classify", () => expect(classifiers.size).toBeGreaterThan(25));
