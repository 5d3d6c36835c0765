/** Private runs: what they tell and report, that they go on to the bit, and what is refused. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Run } from "../src/index.ts";
import { runRecipe } from "../src/node.ts";
import { evaluationSchema } from "../src/runs/training/evaluation.ts";

const folder = mkdtempSync(join(tmpdir(), "private-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = { private: 8, delta: 1e-3, epochs: 4, batchSize: 30 };
const evaluated = (out: string) =>
  evaluationSchema.parse(JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8")));

test("a run of two stages spends one budget, and reports it beside what an audit finds", async () => {
  const out = join(folder, "iris");
  const notes: string[] = [];
  await runRecipe("iris", settings, { out, threads: 1, observer: { onNote: (note) => notes.push(note) } });
  const { results } = evaluated(out);
  expect(results["epsilon"]).toBe(8);
  expect(results["delta"]).toBe(1e-3);
  expect(results["audit_epsilon"]).toBeLessThan(8);
  expect(results["audit_area"]).toBeGreaterThan(0.2);
  expect(notes.join("\n")).toMatch(
    /each of 120 samples with probability 0\.250, some 30, and add noise of [\d.]+ times/,
  );
  expect(notes.join("\n")).toMatch(/not covered: .*losses of training/);
  // More epochs would take more noise from the start.
  await expect(runRecipe("iris", { epochs: 9 }, { out, threads: 1, resume: true })).rejects.toThrow(/epochs/);
});

test("a run that was stopped goes on as if it had not been", async () => {
  const best = (out: string) => readFileSync(join(out, "checkpoint.safetensors"));
  const [whole, parted] = [join(folder, "whole"), join(folder, "parted")];
  await runRecipe("iris", settings, { out: whole, threads: 1 });
  const stopping = new AbortController();
  const stop = { name: "stop", onBatch: ({ trainer }: Run) => void (trainer.batches === 9 && stopping.abort()) };
  const observer = { callbacks: () => [stop] };
  await expect(
    runRecipe("iris", settings, { out: parted, threads: 1, observer, signal: stopping.signal }),
  ).rejects.toThrow(/after batch 9/);
  await runRecipe("iris", {}, { out: parted, threads: 1, resume: true });
  expect(evaluated(parted).results).toEqual(evaluated(whole).results);
  expect(best(parted).length).toBe(best(whole).length);
});

test("what cannot be private is refused before training, in words", async () => {
  const run = (recipe: string, given: object) =>
    runRecipe(recipe, given as never, { out: join(folder, `${recipe}-refused`), threads: 1 });
  await expect(run("iris", { clip: 1 })).rejects.toThrow(/clip is of private training; pass private too/);
  await expect(run("iris", { private: 3, delta: 0.05 })).rejects.toThrow(/delta.*120 samples/);
});
