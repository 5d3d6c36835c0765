/** The agent in the maze, shortened: a small maze is learned whole. */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeCheckpoint } from "../../src/index.ts";
import { sardonyx, train } from "./run.ts";

const small = ["--size", "4", "--epochs", "6"];

test("dqn-maze finds the shortest ways from cells where it never began, and shows them", () => {
  const { results, run } = train("dqn-maze", ...small);
  expect(results["solved"]).toBe(1);
  expect(results["path_ratio"]).toBeLessThan(1.2);
  expect(results["loss"]).toBeLessThan(0.02);
  expect(existsSync(join(run, "path.png")) && existsSync(join(run, "values.png"))).toBe(true);

  const { stdout } = sardonyx("predict", run, "0,0", "--json");
  const [answer, drawing] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(answer).toMatchObject({ type: "prediction", arrived: true, steps: answer.shortest });
  expect(answer.path).toHaveLength(answer.steps + 1);
  expect(answer.path.at(-1)).toEqual([3, 3]);
  expect(readFileSync(drawing.path).subarray(1, 4).toString()).toBe("PNG");
  expect(sardonyx("predict", run, "1,2").stdout).toContain("██S ");

  const bad = sardonyx("predict", run, "4,0");
  expect([bad.status, bad.stderr]).toEqual([2, expect.stringContaining("pass row,column from 0,0 to 3,3")]);
  expect(sardonyx("eval", run).stdout).toContain("solved 1.0000");
});

test("dqn-maze with double Q-learning and dueling heads, gone on with from its checkpoint", () => {
  const args = ["--double", "--dueling", "--size", "3", "--limit", "3200", "--epochs", "2"];
  const { run } = train("dqn-maze", ...args);
  const weights = (folder: string) => {
    const { tensors } = decodeCheckpoint(readFileSync(join(folder, "checkpoint.safetensors"))).trainer;
    return Object.entries(tensors).map(([path, { data }]) => [path, Array.from(data, Number)]);
  };
  const goOn = (folder: string) => {
    cpSync(run, folder, { recursive: true });
    const { status, stdout } = sardonyx("train", "dqn-maze", "--resume", "--out", folder, "--epochs", "4");
    expect([status, stdout]).toEqual([0, expect.stringContaining("resuming from epoch 3")]);
    return weights(folder);
  };
  const once = goOn(`${run}-once`);
  expect(once).not.toEqual(weights(run));
  // Nothing but the checkpoint decides what follows: memory, episodes and target network are in it.
  expect(goOn(`${run}-again`)).toEqual(once);
});

test("dqn-maze refuses an impossible maze", () => {
  const { status, stderr } = sardonyx("train", "dqn-maze", "--size", "1");
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining("size is 1; pass a whole number of cells from 2 to 64"),
  ]);
});
