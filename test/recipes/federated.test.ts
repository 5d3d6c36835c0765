/** Federated learning on few digits: it learns, tells what it cost, and goes on from its checkpoint to the same bits. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeCheckpoint } from "../../src/index.ts";
import { epochsOf, sardonyx, start, train } from "./run.ts";

const small = ["--limit", "1200", "--clients", "10", "--share", "0.5", "--local-epochs", "2"];
const parametersOf = (run: string) =>
  Object.entries(decodeCheckpoint(readFileSync(join(run, "checkpoint.safetensors"))).trainer.tensors).map(
    ([path, { data }]) => [path, Array.from(data, Number)],
  );

test("federated-mnist learns digits that stay with clients, beside central training", () => {
  const { results, run, stdout } = train(
    "federated-mnist",
    ...small,
    "--strategy",
    "fedAvg",
    "--epochs",
    "6",
    "--compression",
    "int8",
  );
  // Chance is 10 %; a client of two classes alone reaches 20 %.
  expect(results["accuracy"]).toBeGreaterThan(0.4);
  expect(results).toMatchObject({ clients: 10, rounds: 6 });
  // Five clients a round: 56,714 elements of 4 bytes down, of one byte up, and the headers.
  const elements = 6 * 5 * 56_714;
  expect(Number(results["bytes_down"]) / elements).toBeCloseTo(4, 1);
  expect(Number(results["bytes_up"]) / elements).toBeCloseTo(1, 1);
  expect(epochsOf(run)).toHaveLength(6);
  expect(stdout).toContain("central training");
});

test("federated-mnist that is killed goes on to the same bits, also with Dirichlet mixes and SCAFFOLD", async () => {
  const args = [...small, "--alpha", "0.5", "--strategy", "scaffold", "--learning-rate", "0.05", "--epochs", "5"];
  const { run: whole, results } = train("federated-mnist", ...args);
  const run = `${whole}-killed`;
  for (const rounds of [1, 3]) {
    const resumed = rounds > 1 ? ["--resume"] : args;
    const killed = start("train", "federated-mnist", ...resumed, "--threads", "1", "--out", run);
    await expect
      .poll(() => (existsSync(join(run, "log.jsonl")) ? epochsOf(run).length : 0), { timeout: 60_000 })
      .toBeGreaterThanOrEqual(rounds);
    killed.kill("SIGKILL");
    await new Promise((resolve) => killed.once("exit", resolve));
  }
  const { status, stderr } = sardonyx("train", "federated-mnist", "--resume", "--out", run);
  expect([status, stderr]).toEqual([0, expect.stringContaining("which is no more; it is taken over")]);
  expect(parametersOf(run)).toEqual(parametersOf(whole));
  expect(JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")).results).toEqual(results);
}, 180_000);

test("federated-mnist refuses what does not go together", () => {
  const refused = (...args: string[]) => sardonyx("train", "federated-mnist", "--limit", "600", ...args);
  for (const [args, words] of [
    [["--strategy", "scaffold", "--optimizer", "adam"], "train them by sgd without momentum"],
    [["--share", "0"], "share is 0; pass a number above 0, at most 1"],
    [["--clients", "10", "--classes-per-client", "11"], "the data has 10 classes; pass at most so many"],
    [["--strategy", "fedAvrg"], "fedAvg"],
  ] as const) {
    const { status, stderr } = refused(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  }
});
