/** Federated learning on few digits: it learns, tells what it cost, and goes on from its checkpoint to the same bits. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeCheckpoint } from "../../src/index.ts";
import { epochsOf, sardonyx, train } from "./run.ts";

const small = ["--limit", "1200", "--clients", "10", "--share", "0.5", "--local-epochs", "2"];
const parametersOf = (run: string) =>
  Object.entries(decodeCheckpoint(readFileSync(join(run, "checkpoint.safetensors"))).trainer.tensors).map(
    ([path, { data }]) => [path, Array.from(data, Number)],
  );

test("federated-mnist learns digits that stay with clients, beside central training", () => {
  const { results, run, stdout } = train("federated-mnist", ...small, "--epochs", "6", "--compression", "int8");
  // Chance is 10 %; clients of two classes each alone reach 20 %.
  expect(results["accuracy"]).toBeGreaterThan(0.4);
  expect(results).toMatchObject({ clients: 10, rounds: 6 });
  // Five clients a round: 56,714 elements of 4 bytes down, of one byte up, and the headers.
  const elements = 6 * 5 * 56_714;
  expect(Number(results["bytes_down"]) / elements).toBeCloseTo(4, 1);
  expect(Number(results["bytes_up"]) / elements).toBeCloseTo(1, 1);
  expect(epochsOf(run)).toHaveLength(6);
  expect(stdout).toContain("central training");
});

test("federated-mnist goes on with from its checkpoint as if it had not stopped, also with Dirichlet mixes and SCAFFOLD", () => {
  const args = [...small, "--alpha", "0.5", "--strategy", "scaffold"];
  const { run: whole, results } = train("federated-mnist", ...args, "--epochs", "4");
  const { run } = train("federated-mnist", ...args, "--epochs", "2");
  const { status, stdout } = sardonyx("train", "federated-mnist", "--resume", "--out", run, "--epochs", "4");
  expect([status, stdout]).toEqual([0, expect.stringContaining("resuming from epoch 3")]);
  expect(parametersOf(run)).toEqual(parametersOf(whole));
  expect(JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")).results).toEqual(results);
});

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
