/** Ratings of your own, and choices, without code: trained, held against simple ways, asked by user. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf, syntheticRatings } from "../../src/index.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-ratings-"));
afterAll(() => rmSync(folder, { recursive: true }));
const table = join(folder, "ratings.csv");
writeFileSync(table, syntheticRatings({ key: keyOf(0), users: 200, movies: 150, perUser: 40 })["ratings.csv"]);

function trainOn(name: string, ...args: string[]) {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", table, "--out", run, "--threads", "1", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const evaluation = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  const baselines: Record<string, number> = Object.fromEntries(
    evaluation.baselines.map(({ name: own, test: reached }: { name: string; test: number }) => [own, reached]),
  );
  return { run, results: evaluation.results, baselines, said: done.stdout.replace(/\s+/g, " ") };
}

describe("ratings", () => {
  test("are predicted better than by the mean, beside biases and nearest items; a user is asked for by name", () => {
    const { run, results, baselines, said } = trainOn("stars", "--epochs", "12");
    expect(Object.keys(baselines)).toEqual(["mean rating", "biases of users and items", "nearest items"]);
    expect(results.rootMeanSquaredError).toBeLessThan((baselines["mean rating"] ?? 0) - 0.05);
    expect(said).toContain("is taken for ratings of items by users");
    expect(said).toContain('200 users ("userId")');
    const { stdout, stderr, status } = sardonyx("predict", run, '{"user": "7"}', "stranger", "--json");
    expect([stderr, status]).toEqual(["", 0]);
    const [known, stranger] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(known).toMatchObject({ user: "7", isKnown: true });
    const own = new Set(
      readFileSync(table, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("7,"))
        .map((line) => line.split(",")[1]),
    );
    // The test's films are those that the user may be shown.
    expect(known.items.filter(({ item }: { item: string }) => !own.has(item)).length).toBeGreaterThan(4);
    const scores = known.items.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(stranger).toMatchObject({
      isKnown: false,
      note: expect.stringContaining('"stranger" is no user that was trained on'),
    });
  }, 60_000);
});

describe("what users choose", () => {
  test("is ranked no worse than by chance, beside most popular and nearest items", () => {
    const { run, results, baselines, said } = trainOn("choices", "--task", "ranking", "--epochs", "6");
    expect(Object.keys(baselines)).toEqual(["most popular", "nearest items"]);
    // Ten of 150 items by chance.
    expect(results.recall_at_10).toBeGreaterThan(0.1);
    expect(results.ndcg_at_10).toBeGreaterThan(0);
    expect(said).toMatch(/simple baseline/);
    expect(sardonyx("predict", run, "7").stdout).toMatch(
      /10 items that are new to "7", by how likely they are chosen next/,
    );
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    expect(sardonyx("eval", run).status).toBe(0);
  }, 60_000);
});
