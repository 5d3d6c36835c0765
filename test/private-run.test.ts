/** Private runs: what they tell and report, that they go on to the bit, and what is refused. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Run } from "../src/index.ts";
import { runRecipe } from "../src/node.ts";
import { evaluationSchema } from "../src/runs/training/evaluation.ts";
import { decodeSafetensors } from "../src/storage/safetensors.ts";

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

test("a run that was stopped goes on with its secret, to the bit, and forgets it in the end", async () => {
  const [once, twice] = [join(folder, "once"), join(folder, "twice")];
  const stopAt = async (out: string, batch: number, given: object, resume: boolean) => {
    const stopping = new AbortController();
    const stop = { name: "stop", onBatch: ({ trainer }: Run) => void (trainer.batches === batch && stopping.abort()) };
    const observer = { callbacks: () => [stop] };
    await expect(
      runRecipe("iris", given, { out, threads: 1, observer, signal: stopping.signal, resume }),
    ).rejects.toThrow(`after batch ${batch}`);
  };
  await stopAt(once, 9, settings, false);
  expect(statSync(join(once, "privacy.key")).mode & 0o077).toBe(0);
  cpSync(once, twice, { recursive: true });
  rmSync(join(twice, "lock"), { force: true });
  await stopAt(twice, 14, {}, true);
  for (const out of [once, twice]) await runRecipe("iris", {}, { out, threads: 1, resume: true });
  expect(evaluated(twice).results).toEqual(evaluated(once).results);
  const tensors = (out: string) =>
    decodeSafetensors(new Uint8Array(readFileSync(join(out, "checkpoint.safetensors")))).tensors;
  expect(tensors(twice)).toEqual(tensors(once));
  expect(existsSync(join(once, "privacy.key"))).toBe(false);
  // Nor does one that is opened again leave a key behind.
  await runRecipe("iris", {}, { out: once, threads: 1, resume: true });
  expect(existsSync(join(once, "privacy.key"))).toBe(false);
  // Other runs have other secrets.
  const other = join(folder, "other");
  await stopAt(other, 9, settings, false);
  rmSync(join(other, "privacy.key"));
  await expect(runRecipe("iris", {}, { out: other, threads: 1, resume: true })).rejects.toThrow(
    /privacy\.key cannot be read, without which a private run cannot go on/,
  );
});

test("what cannot be private is refused before training, in words", async () => {
  const run = (recipe: string, given: object) =>
    runRecipe(recipe, given as never, { out: join(folder, `${recipe}-refused`), threads: 1 });
  await expect(run("iris", { clip: 1 })).rejects.toThrow(/clip is of private training; pass private too/);
  await expect(run("iris", { private: 3, delta: 0.05 })).rejects.toThrow(/delta.*120 samples/);
});
