/** A recipe from several seeds: each run is there, means have intervals, what is done is not done again. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type SeedResult, summarizeSeeds } from "../src/runs/training/seeds.node.ts";
import { sardonyx } from "./recipes/run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-seeds-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("summarizeSeeds", () => {
  const result = (seed: number, own: number, baseline: number): SeedResult => ({
    seed,
    folder: "",
    seconds: 1,
    evaluation: {
      samples: 10,
      results: { loss: 1, rootMeanSquaredError: own, confusionMatrix: Number.NaN },
      baselines: [{ name: "mean", settings: "", validation: 3, test: baseline, metric: "rmse", seconds: 0 }],
    },
  });
  test("gives means with Student's intervals, and the difference to baselines by pairs", () => {
    const { seeds, figures, baselines } = summarizeSeeds([result(3, 1, 3), result(4, 2, 5), result(5, 3, 4)]);
    expect(seeds).toEqual([3, 4, 5]);
    expect(figures.map(({ name }) => name)).toEqual(["loss", "rootMeanSquaredError"]);
    // 2 ± 4.303 · 1 / √3
    expect(figures[1]).toMatchObject({ mean: 2, values: [1, 2, 3], high: expect.closeTo(4.4844, 3) });
    // Less error is better: 3 - 1, 5 - 2, 4 - 3.
    expect(baselines[0]).toMatchObject({ name: "mean", mean: 4, advantage: { mean: 2 } });
  });
  test("keeps apart what a baseline reaches by one measure and by another", () => {
    const twice = [result(0, 1, 3), result(1, 2, 5)].map((own) => {
      const [first] = own.evaluation.baselines as [NonNullable<typeof own.evaluation.baselines>[number]];
      const second = { ...first, metric: "accuracy", test: 0.5 } as const;
      const results = { ...own.evaluation.results, accuracy: 0.75 };
      return { ...own, evaluation: { ...own.evaluation, results, baselines: [first, second] } };
    });
    expect(
      summarizeSeeds(twice).baselines.map(({ metric, mean, advantage }) => [metric, mean, advantage.mean]),
    ).toEqual([
      ["rmse", 4, 2.5],
      ["accuracy", 0.5, 0.25],
    ]);
  });
  test("leaves out what a seed did not measure", () => {
    expect(summarizeSeeds([result(0, 1, Number.NaN), result(1, 2, 5)]).baselines).toEqual([]);
  });
});

test("train --seeds trains each, goes on with --resume, and keeps what they came to", () => {
  const out = join(folder, "iris");
  const args = ["train", "iris", "--epochs", "2", "--threads", "1", "--out", out];
  const first = sardonyx(...args, "--seed", "7", "--seeds", "2");
  expect([first.stderr, first.status]).toEqual(["", 0]);
  expect(first.stdout).toMatch(/From 2 seeds, 7 to 8/);
  expect(first.stdout).toMatch(/Seed 7: loss \S+ {3}accuracy \S+ %/);
  expect(first.stdout).toMatch(/accuracy +\S+ % +-?\S+ % to \S+ %/);
  const before = readFileSync(join(out, "seed-7", "checkpoint.safetensors"));
  // What it was begun with need not be said again.
  const more = sardonyx("train", "iris", "--out", out, "--seed", "7", "--seeds", "3", "--resume");
  expect([more.stderr, more.status]).toEqual(["", 0]);
  expect(readFileSync(join(out, "seed-7", "checkpoint.safetensors")).equals(before)).toBe(true);
  expect(existsSync(join(out, "seed-9", "evaluation.json"))).toBe(true);
  const { settings } = JSON.parse(readFileSync(join(out, "seed-9", "run.json"), "utf8"));
  expect(settings).toMatchObject({ epochs: 2, threads: 1, seed: 9 });
  expect(JSON.parse(readFileSync(join(out, "seeds.json"), "utf8"))).toMatchObject({ seeds: [7, 8, 9] });
});

test.each([
  [["train", "iris", "--seeds", "1"], /--seeds is "1"; pass a whole number from 2/],
  [["train", "depth-mnist", "--seeds", "2"], /depth-mnist is an experiment, which has --repeats/],
  [["train", "iris", "--seeds", "2", "--profile"], /a profile is of one run/],
])("refuses %j", (args, said) => {
  const { stderr, status } = sardonyx(...args);
  expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
});
