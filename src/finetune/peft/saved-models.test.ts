/** Models with adapters in use, saved by saveModel and loaded again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fromTensors } from "../../data/index.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { saveModel } from "../../formats/files/save-model.node.ts";
import { crossEntropy, type Module } from "../../nn/index.ts";
import { adam, fit } from "../../train/index.ts";
import { addIa3, addLora, addPrefix, addPrompt } from "../index.ts";
import { apart, ids, numbersOf, smallLlama, stir } from "../testing/models.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const trainableOf = (model: Module) =>
  [...model.parameters()].flatMap(([path, { trainable }]) => (trainable ? [path] : []));

test.each([
  ["LoRA", (model: Module) => addLora(model, { rank: 2, alpha: 4 })],
  ["DoRA", (model: Module) => addLora(model, { rank: 2, dora: true, targets: "all-linear" })],
  [
    "LoRA with dropout and an embedding",
    (model: Module) => addLora(model, { rank: 2, dropout: 0.1, targets: ["*embed_tokens", "q_proj"] }),
  ],
  ["(IA)3", (model: Module) => addIa3(model)],
  ["prompt", (model: Module) => addPrompt(model, { tokens: 3 })],
  ["prefix", (model: Module) => addPrefix(model, { tokens: 3 })],
] as const)("%s: tensors come back as parameters, and the base stays frozen", async (kind, add) => {
  const model = smallLlama();
  await add(model);
  stir(model);
  const path = join(folder, kind);
  await saveModel(model, path);
  const loaded = (await loadModel(path)) as unknown as Module;
  expect(apart(await numbersOf(model, ids), await numbersOf(loaded, ids))).toBeLessThan(1e-6);
  expect(trainableOf(loaded)).toEqual(trainableOf(model));
  const before = new Map([...loaded.parameters()].map(([own, { value }]) => [own, value?.toNumbers()]));
  const data = fromTensors({ x: ids, y: ids }).batch(2);
  await fit(loaded, data, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.02 }), epochs: 3 });
  const changed = [...loaded.parameters()].flatMap(([own, { value }]) =>
    JSON.stringify(value?.toNumbers()) === JSON.stringify(before.get(own)) ? [] : [own],
  );
  expect(changed).toEqual(kind === "prompt" ? [] : trainableOf(model));
});
