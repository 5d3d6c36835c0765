/** Models in the cache of Hugging Face's tools, by their names. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { cachedModel, isHubName } from "./hub-cache.node.ts";
import { loadModel } from "./load-model.node.ts";

const folder = mkdtempSync(join(tmpdir(), "hub-"));
const model = join(folder, "models--someone--tiny");
const put = (path: string, text: string) => {
  mkdirSync(join(model, path, ".."), { recursive: true });
  writeFileSync(join(model, path), text);
};

beforeAll(() => {
  vi.stubEnv("HF_HUB_CACHE", folder);
  put("refs/main", "abc123");
  put("refs/old", "def456\n");
  put("snapshots/abc123/config.json", "{}");
  put("snapshots/def456/config.json", "{}");
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test.each([
  "someone/tiny",
  "hf:someone/tiny",
  "hf://someone/tiny",
  "https://huggingface.co/someone/tiny",
  "someone/tiny@main",
])("%s is main", (name) => {
  expect(isHubName(name)).toBe(true);
  expect(cachedModel(name)).toBe(join(model, "snapshots", "abc123"));
});

test("a revision is a name or a commit", () => {
  expect(cachedModel("someone/tiny@old")).toBe(join(model, "snapshots", "def456"));
  expect(cachedModel("someone/tiny@def456")).toBe(join(model, "snapshots", "def456"));
});

test.each(["./someone/tiny", "/someone/tiny", "tiny", "a/b/c", "resnet50", "someone\\tiny", "none/model.onnx"])(
  "%s is no such name",
  (name) => expect(isHubName(name)).toBe(false),
);

test("what is not there is named, with the command that fetches it", async () => {
  const missing = `there is no file or folder someone/else, and no model of that name in ${folder}; check the path, or fetch it: sardonyx download someone/else`;
  expect(() => cachedModel("someone/else")).toThrow(missing);
  expect(() => cachedModel("someone/tiny@..")).toThrow(`no revision .. of it in ${folder}`);
  expect(() => cachedModel("someone/tiny@../refs/main")).toThrow("no revision ../refs/main of it");
  await expect(loadModel("someone/else")).rejects.toThrow(missing);
});
