/** What somebody meets in the first hour on the command line: broken files among good ones, small limits, every recipe inspected. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { commandLine, type Result, recordOf } from "./command-line.ts";

const { folder, run } = commandLine();

describe("a limit below the batch size", () => {
  let trained: Result;
  beforeAll(async () => {
    trained = await run("train", "iris", "--limit", "5", "--epochs", "3", "--out", "few", "--json");
  }, 60_000);

  test("takes smaller batches, says so, and keeps it", async () => {
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    expect(recordOf(trained, "note")).toMatchObject({
      note: "--limit 5 leaves 5 samples, fewer than --batch-size 16: batches have 5",
    });
    expect(trained.records.filter(({ type }) => type === "epoch")).toHaveLength(4);
    const resumed = await run("train", "iris", "--resume", "--epochs", "4", "--out", "few", "--json");
    expect([resumed.code, resumed.stderr]).toEqual([0, ""]);
    expect(recordOf(resumed, "start")).toMatchObject({ settings: { batchSize: 5, limit: 5 } });
  });

  test("in an experiment too", async () => {
    const result = await run(
      ...["train", "depth-mnist", "--limit", "8", "--epochs", "1", "--repeats", "1", "--out", "shallow", "--json"],
    );
    expect([result.code, result.stderr]).toEqual([0, ""]);
  }, 120_000);

  test("a limit that leaves too little of a text names itself", async () => {
    const { code, stderr } = await run("train", "gpt-char", "--limit", "1", "--out", "too-few");
    expect(code).toBe(2);
    expect(stderr).toMatch(/--limit 1 may leave too little of the data, pass more: .*no window of 128/);
  });

  test("predict goes on after broken inputs, and ends with status 2", async () => {
    writeFileSync(join(folder, "good.json"), "[[5.1, 3.5, 1.4, 0.2]]");
    writeFileSync(join(folder, "broken.json"), "[[5.1, 3.5,");
    const inputs = ["good.json", "broken.json", "none.png", "[6, 3, 5, 2]"];
    const { code, records, stderr } = await run("predict", "few", ...inputs, "--json");
    expect(code).toBe(2);
    expect(records).toMatchObject([
      { type: "prediction", input: "good.json" },
      { type: "error", input: "broken.json", code: "FILE" },
      { type: "error", input: "none.png", code: "FILE" },
      { type: "prediction", input: "[6, 3, 5, 2]" },
      { type: "error", code: "DATA", message: expect.stringContaining("2 of 4 inputs could not be predicted") },
    ]);
    expect(stderr.trim().split("\n")).toHaveLength(3);
  });
});

test("what is no terminal has no colours, not even where they are forced", async () => {
  vi.stubEnv("FORCE_COLOR", "3");
  for (const args of [["--help"], ["train", "--help"], ["recipes"], ["nonsense", "--help"]]) {
    const { stdout, stderr } = await run(...args);
    expect(stdout + stderr).not.toContain("\u001b");
  }
  vi.unstubAllEnvs();
}, 60_000);

describe("inspect and compare know every recipe", () => {
  /** Those of your own data, and those that need what a computer may not have. */
  const ofOwnData = ["table", "images", "boxes", "sounds", "texts", "series", "ratings", "writing"];
  const special = ["recommend-movies", "transfer-audio", "transfer-images", "finetune", "prune-fashion", ...ofOwnData];
  const isExperiment = (name: string) => /^depth-/.test(name);

  test("recipes of one network", async () => {
    const names = (await run("recipes", "--json")).records.map(({ name }) => String(name));
    const own = names.filter((name) => !special.includes(name) && !isExperiment(name));
    expect(own.length).toBeGreaterThan(20);
    const { code, stderr, records } = await run("compare", ...own, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(records).toMatchObject([{ type: "comparison", models: own }]);
  }, 240_000);

  test.each([
    ...special.map((name) => [name, /its network depends on its data and options: .{20,} \[\w+\]/] as const),
    ["depth-mnist", /is an experiment that trains several networks; .*\[OPTION\]/s] as const,
  ])(
    "%s, or what it needs",
    async (name, sentence) => {
      const { code, stderr } = await run("inspect", name, "--json");
      if (code !== 0) expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
    },
    60_000,
  );

  test("a network of words has all words of its data, as it is trained", async () => {
    const inspected = await run("inspect", "gpt-char", "--json");
    const [{ parameters }] = inspected.records as [{ parameters: { total: number } }];
    // docs/recipes.md: 820,352.
    expect(parameters.total).toBe(820_352);
  }, 60_000);
});

test("an option that the recipe of the data does not have is named, and the recipe too", async () => {
  writeFileSync(join(folder, "notes.txt"), "a text");
  const { code, stderr } = await run("train", "--data", "notes.txt", "--target", "x");
  expect(code).toBe(2);
  expect(stderr).toMatch(/unknown option '--target' \(the data are taken for those of the recipe writing\)/);
});
