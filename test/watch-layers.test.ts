/** A run whose layers are watched: its log, its report, and what is left of both when it goes on. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runRecipe } from "../src/node.ts";
import { runReportSchema } from "../src/runs/report/report.ts";

const folder = mkdtempSync(join(tmpdir(), "watch-layers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const out = join(folder, "iris");
const settings = { epochs: 3, seed: 5, watchLayers: 2 };
const textOf = (name: string) => readFileSync(join(out, name), "utf8");
const reported = () => runReportSchema.parse(JSON.parse(textOf("report.json"))).layers ?? [];
const logged = () =>
  textOf("log.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; epoch: number; layers: readonly { path: string }[] })
    .filter(({ type }) => type === "layers");

// The recipe has two stages, of which the second trains its last layer for one epoch.
test("layers are measured before the first epoch, after every second and the last of a stage, for the log and the report", async () => {
  await runRecipe("iris", settings, { out, threads: 1 });
  expect(logged().map(({ epoch }) => epoch)).toEqual([0, 2, 3, 4]);
  expect(reported().map(({ epoch }) => epoch)).toEqual([0, 2, 3, 4]);
  const paths = reported()[0]?.layers.map(({ path }) => path) ?? [];
  expect(logged()[0]?.layers.map(({ path }) => path)).toEqual(paths);
  expect(paths.length).toBeGreaterThan(1);
  const gradients = reported().map(({ layers }) => layers.flatMap(({ weights }) => weights?.gradient ?? []).length);
  expect(gradients.slice(0, 3).every((count) => count > (gradients[3] ?? 0))).toBe(true);
  expect(gradients[3]).toBeGreaterThan(0);
  for (const name of ["report.html", "report.md"]) {
    const text = textOf(name);
    expect(text, name).toContain("Layers");
    expect(text, name).toContain(paths[0]);
  }
  expect(textOf("report.html")).toContain("Gradients of the weights, by layer");
});

test("a run that goes on has all of them", async () => {
  const before = reported();
  await runRecipe("iris", { ...settings, epochs: 5 }, { out, resume: true, threads: 1 });
  expect(reported().map(({ epoch }) => epoch)).toEqual([0, 2, 3, 4, 5]);
  expect(reported().slice(0, 4)).toEqual(before);
  expect(logged().map(({ epoch }) => epoch)).toEqual([0, 2, 3, 4, 5]);
});

test("without it nothing is measured; what is no number of epochs, and an experiment, refuse it", async () => {
  const plain = join(folder, "plain");
  await runRecipe("iris", { epochs: 1 }, { out: plain, threads: 1 });
  expect(readFileSync(join(plain, "log.jsonl"), "utf8")).not.toContain('"layers"');
  expect(readFileSync(join(plain, "report.html"), "utf8")).not.toContain("<h2>Layers");
  await expect(runRecipe("iris", { watchLayers: 0 }, { out: join(folder, "none") })).rejects.toThrow("watchLayers");
});
