/** Recipes run as a person runs them, for their tests. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const program = fileURLToPath(new URL("../../bin/sardonyx.mjs", import.meta.url));

/** Ten rows of each data set, in its real format. */
export const fixtures = fileURLToPath(new URL("../fixtures/data", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "sardonyx-recipes-"));

/** Runs a command in a folder of the test's own. */
export const sardonyx = (...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { encoding: "utf8", cwd: folder });

/** Starts a command in a folder of the test's own, to be killed. */
export const start = (...args: string[]) =>
  spawn(process.execPath, [program, ...args], { stdio: "ignore", cwd: folder });

/** Trains; gives what the test said, and the folder of the run. */
export function train(name: string, ...args: string[]) {
  const run = join(
    folder,
    [name, ...args]
      .join(" ")
      .replace(/[^\w-]+/g, "-")
      .slice(-200),
  );
  // One thread: tests run beside one another.
  const { stderr, status, stdout } = sardonyx("train", name, ...args, "--threads", "1", "--out", run);
  expect([stderr, status]).toEqual(["", 0]);
  const { results } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")) as {
    results: Readonly<Record<string, number>>;
  };
  return { results, run, stdout };
}

/** Results of every epoch of a run. */
export const epochsOf = (run: string): Readonly<Record<string, number>>[] =>
  readFileSync(join(run, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "epoch");
