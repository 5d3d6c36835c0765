/** Filters, groups with their means, and what is saved as CSV. */
import { expect, test } from "vitest";
import type { RunSummary } from "../shared/api.ts";
import { matches } from "./filter.ts";
import { differingSettings, grouped, meanOf } from "./grouping.ts";
import { csvOf } from "./save.ts";

const runOf = (id: string, more: Partial<RunSummary> = {}): RunSummary => ({
  ...{ id, name: id, recipe: "iris", created: undefined, state: "finished", settings: { seed: 0, learningRate: 0.1 } },
  ...{
    epoch: 3,
    batch: 30,
    latest: { loss: 0.5 },
    results: { accuracy: 0.9 },
    group: "",
    tags: [],
    note: "",
    archived: false,
  },
  ...more,
});

test("words of names, recipes and tags, words that must not be there, and comparisons", () => {
  const run = runOf("first-try", { tags: ["paper"], settings: { learningRate: 0.001, optimizer: "adam" } });
  for (const filter of [
    "",
    "first",
    "IRIS",
    "paper try",
    "-second",
    "learningRate<0.01",
    "accuracy>=0.9",
    "optimizer=adam",
    "epoch=3",
    "-loss>1",
  ])
    expect(matches(run, filter), filter).toBe(true);
  for (const filter of [
    "second",
    "-first",
    "learningRate>0.01",
    "optimizer!=adam",
    "nothing=1",
    "first learningRate>1",
  ])
    expect(matches(run, filter), filter).toBe(false);
});

test("runs that differ in their seed alone belong together, with the mean and its interval", () => {
  const runs = [0, 1, 2].map((seed) =>
    runOf(`seed-${seed}`, { settings: { seed, learningRate: 0.1 }, results: { accuracy: 0.9 + seed / 100 } }),
  );
  const other = runOf("other", { settings: { seed: 0, learningRate: 0.2 } });
  const groups = grouped([...runs, other], "seeds");
  expect(groups.map(({ runs: own }) => own.map(({ id }) => id))).toEqual([["seed-0", "seed-1", "seed-2"], ["other"]]);
  const summed = meanOf(runs, ({ results }) => results["accuracy"]);
  expect(summed?.mean).toBeCloseTo(0.91, 10);
  // 4.303 (0.975-quantile of Student's distribution of two degrees of freedom) · 0.01 / √3.
  expect(summed?.half).toBeCloseTo((4.303 * 0.01) / Math.sqrt(3), 6);
  expect(meanOf(runs, () => undefined)).toBeUndefined();
  expect(differingSettings([...runs, other])).toEqual(["seed", "learningRate"]);
  expect(grouped([...runs, other], "recipe")).toHaveLength(1);
});

test("cells of CSV are quoted where they must be, and are no formulas", () => {
  const curve = { run: "a", name: 'x,"y"', by: "batch" as const, batches: [1, 2], values: [-0.5, null] };
  expect(csvOf([curve], () => "=cmd()")).toBe(
    `run,curve,batch,time,value\n'=cmd(),"x,""y""",1,,-0.5\n'=cmd(),"x,""y""",2,,\n`,
  );
});
