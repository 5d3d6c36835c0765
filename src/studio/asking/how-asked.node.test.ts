/** How runs say that they are asked: dialogues of built-in recipes, runs of your own, and what is not asked here. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { howAsked } from "./how-asked.node.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sardonyx-asked-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes what a run's folder says of its deployment. */
function write(recipe: object, deployment: object): void {
  const settings = {
    epochs: 1,
    batchSize: 1,
    learningRate: 0.1,
    optimizer: "adam",
    seed: 0,
    device: "cpu",
    threads: 1,
    options: {},
  };
  const versions = { sardonyx: "1.0.0", node: "20.0.0", "onnxruntime-node": "1.0.0" };
  const record = { format: "sardonyx-run-2", recipe, settings, versions, created: "2026-01-01T00:00:00.000Z" };
  writeFileSync(join(folder, "run.json"), JSON.stringify(record));
  const inputs = { dtype: "float32", shape: [1, 1, 32, 48] };
  const own = { format: "sardonyx-deployment-1", inputs, prepared: false, weights: {}, ...deployment };
  writeFileSync(join(folder, "deployment.json"), JSON.stringify(own));
}

const dialogue = { what: "something", example: "such as this" };

test("dialogues of built-in recipes are asked by texts, or by files that are sent, and by nothing else", async () => {
  const inputOf = async (name: string) => {
    write({ name }, { dialogue });
    const { input, explains, byDialogue } = await howAsked(folder);
    return { input, explains, byDialogue };
  };
  const text = { kind: "text", what: "something", example: "such as this" };
  expect(await inputOf("lstm-sentiment")).toEqual({ input: text, explains: true, byDialogue: true });
  expect(await inputOf("bert-mlm")).toEqual({ input: text, explains: false, byDialogue: true });
  expect(await inputOf("keywords")).toEqual({ input: { kind: "sound" }, explains: false, byDialogue: true });
  expect((await inputOf("boxes")).input).toEqual({ kind: "image", height: 32, width: 48, channels: 1, turns: false });
  // Its questions may name files.
  expect((await inputOf("clip-digits")).input.kind).toBe("none");
  expect((await inputOf("toString")).input.kind).toBe("none");
});

test("a recipe of your own is not asked by its code, and what takes several inputs not at all", async () => {
  write({ name: "lstm-sentiment", path: "./mine.ts" }, { dialogue });
  expect(await howAsked(folder)).toMatchObject({ input: { kind: "none" }, explains: false, byDialogue: false });
  const inputs = { a: { dtype: "float32", shape: [1, 2] }, b: { dtype: "float32", shape: [1, 3] } };
  write({ name: "mine", path: "./mine.ts" }, { inputs });
  expect((await howAsked(folder)).input).toMatchObject({
    kind: "none",
    why: expect.stringContaining("it takes a, b at once"),
  });
  write({ name: "mine", path: "./mine.ts" }, {});
  expect((await howAsked(folder)).input).toEqual({ kind: "numbers", shape: [1, 32, 48] });
});

test("a folder that was not trained so far says so", async () => {
  rmSync(join(folder, "deployment.json"));
  await expect(howAsked(folder)).rejects.toThrow("has no deployment.json yet");
  rmSync(join(folder, "run.json"));
  await expect(howAsked(folder)).rejects.toThrow("cannot be asked; choose a run");
});
