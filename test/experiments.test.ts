/** The experiments on depth as a person runs them, shortened: what they are to show shows in minutes' worth of less. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../src/runs/experiments/experiment.ts";

const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-experiments-"));

function train(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, "train", ...args], {
    encoding: "utf8",
    cwd: folder,
  });
  return { stdout, stderr, status };
}

const outcomesOf = (run: string) => JSON.parse(readFileSync(join(folder, run, "outcomes.json"), "utf8")) as Outcome[];

describe("depth-gradients", () => {
  test("gradients vanish with sigmoids, explode with large weights, and keep their size with the cures", () => {
    const { stdout, status } = train("depth-gradients", "--limit", "2000", "--epochs", "1", "--repeats", "1");
    expect(status).toBe(0);
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const outcomes = outcomesOf("runs/depth-gradients");
    const norms = (series: string) => {
      const [first] = outcomes.find((own) => own.series === series)?.gradients ?? [];
      const values = Object.values(first ?? {});
      expect(values).toHaveLength(33);
      return { first: values[0] ?? Number.NaN, last: values.at(-1) ?? Number.NaN };
    };
    const ratio = (series: string) => norms(series).first / norms(series).last;
    expect(ratio("sigmoid")).toBeLessThan(1e-15);
    expect(norms("ReLU, twice the weights").first).toBeGreaterThan(1e6);
    for (const cured of ["ReLU", "sigmoid, normalized", "sigmoid, residual", "sigmoid, both", "ReLU, both"]) {
      expect(ratio(cured), cured).toBeGreaterThan(0.05);
      expect(ratio(cured), cured).toBeLessThan(20);
    }
    const accuracy = (series: string) => outcomes.find((own) => own.series === series)?.test["accuracy"] ?? Number.NaN;
    expect(accuracy("sigmoid")).toBeLessThan(0.2);
    expect(accuracy("sigmoid, both")).toBeGreaterThan(0.4);
    expect(accuracy("ReLU, both")).toBeGreaterThan(0.5);
  });

  test("saves figures and a report that shows them", () => {
    const report = readFileSync(join(folder, "runs/depth-gradients/report.md"), "utf8");
    for (const name of ["first-batch.svg", "last-epoch.svg"]) {
      expect(report).toContain(`](${name})`);
      const svg = readFileSync(join(folder, "runs/depth-gradients", name), "utf8");
      expect(svg.match(/<path /g)).toHaveLength(8);
      expect(svg).not.toContain("NaN");
    }
  });
});

describe("depth-mnist", () => {
  const args = ["depth-mnist", "--limit", "3000", "--epochs", "2", "--repeats", "1"] as const;

  test("at 32 layers and one budget, shortcuts learn what the plain network does not", () => {
    expect(train(...args).status).toBe(0);
    const outcomes = outcomesOf("runs/depth-mnist");
    expect(outcomes).toHaveLength(24);
    for (const { parameters } of outcomes) expect(Math.abs(parameters - 100_000)).toBeLessThan(1000);
    const accuracy = (series: string, depth: number) =>
      outcomes.find((own) => own.series === series && own.at === depth)?.test["accuracy"] ?? Number.NaN;
    expect(accuracy("plain", 32)).toBeLessThan(accuracy("plain", 2) - 0.2);
    for (const residual of ["residual", "residual, normalized"])
      expect(accuracy(residual, 32)).toBeGreaterThan(
        Math.max(accuracy("plain", 32), accuracy("plain, normalized", 32)) + 0.2,
      );
  });

  test("goes on with the trials that are left, as if it had not stopped", () => {
    const path = join(folder, "runs/depth-mnist/outcomes.json");
    const whole = outcomesOf("runs/depth-mnist");
    writeFileSync(path, JSON.stringify(whole.slice(0, 22)));
    const { stdout, status } = train("depth-mnist", "--resume");
    expect(status).toBe(0);
    expect(stdout).toContain("22 of 24 trials done");
    const timeless = (outcomes: readonly Outcome[]) => outcomes.map((own) => ({ ...own, seconds: 0 }));
    expect(JSON.stringify(timeless(outcomesOf("runs/depth-mnist")))).toBe(JSON.stringify(timeless(whole)));
  });

  test.each([
    [
      "a file that is no outcomes",
      ["depth-mnist", "--resume", "--out", "runs/depth-mnist"],
      "outcomes.json is damaged; remove it",
    ],
    ["a profile of several networks", ["depth-mnist", "--profile"], "a profile is of one network"],
    ["repeats of a recipe", ["iris", "--repeats", "2"], "repeats is for experiments"],
    ["other repeats than the run's", ["depth-mnist", "--resume", "--repeats", "2"], "repeats 2 (the run has 1)"],
  ])("refuses %s", (_, given, message) => {
    writeFileSync(join(folder, "runs/depth-mnist/outcomes.json"), "[{}]");
    const { stderr, status } = train(...given);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  test("other commands say that it is no recipe of one network", () => {
    for (const command of [
      ["inspect", "depth-mnist"],
      ["eval", "runs/depth-mnist"],
    ]) {
      const { stderr, status } = spawnSync(process.execPath, [program, ...command], { encoding: "utf8", cwd: folder });
      expect(stderr).toContain("is an experiment that trains several networks");
      expect(status).toBe(2);
    }
  });
});
