/** Every recipe, shortened: what it is to learn shows in less. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));
const fixtures = fileURLToPath(new URL("fixtures/data", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-recipes-"));

/** Trains, and gives what the test said, and the folder of the run. */
function train(name: string, ...args: string[]) {
  const run = join(folder, [name, ...args].join(" ").replace(/[^\w-]+/g, "-"));
  const { stderr, status } = spawnSync(process.execPath, [program, "train", name, ...args, "--out", run], {
    encoding: "utf8",
    cwd: folder,
  });
  expect([stderr, status]).toEqual(["", 0]);
  const { results } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")) as {
    results: Readonly<Record<string, number>>;
  };
  return { results, run };
}

/** Results of every epoch. */
const epochsOf = (run: string): Readonly<Record<string, number>>[] =>
  readFileSync(join(run, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "epoch");

describe("pictures", () => {
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))("cnn-fashion", () => {
    const { results } = train("cnn-fashion", "--limit", "6000", "--epochs", "2");
    expect(results["accuracy"]).toBeGreaterThan(0.7);
  });

  test("cnn-fashion on the format's fixture", () => {
    train("cnn-fashion", "--data", join(fixtures, "fashion-mnist"), "--batch-size", "3", "--epochs", "1");
  });

  test.each(["plain", "resnet"])("cnn-cifar10, %s, on the format's fixture: the loss falls", (network) => {
    const args = ["--network", network, "--data", join(fixtures, "cifar10"), "--batch-size", "5", "--epochs", "60"];
    const { run } = train("cnn-cifar10", ...args);
    const losses = epochsOf(run).map(({ loss }) => loss ?? Number.NaN);
    expect(losses).toHaveLength(60);
    expect(losses.at(-1)).toBeLessThan(0.85 * (losses[0] ?? 0));
  });
});
