/** The recipes' networks on a graphics card made of software: a step gives what the processor gives. */
import { describe, expect, test } from "vitest";
import { commandLine, type Result, recordOf } from "./command-line.ts";
import { firstSteps, recipesAtHand } from "./recipe-steps.ts";
import { hasSoftwareGpu } from "./software-gpu.ts";

describe.skipIf(!hasSoftwareGpu)("one step on a graphics card", () => {
  test.each(recipesAtHand)(
    "%s",
    async (name) => {
      const [there, here] = [await firstSteps(name, { device: "webgpu" }), await firstSteps(name)];
      for (const [i, expected] of here.entries())
        expect(Math.abs((there[i] ?? Number.NaN) - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
    },
    240_000,
  );
});

describe.skipIf(!hasSoftwareGpu)("a run", () => {
  const { run } = commandLine();

  test("asks its network between steps where the data do", async () => {
    const maze = ["train", "dqn-maze", "--size", "4", "--limit", "320", "--epochs", "1", "--batch-size", "64"];
    const { code, stderr } = await run(...maze, "--device", "webgpu", "--out", "maze", "--json");
    expect(code, stderr).toBe(0);
  }, 240_000);

  test("begins on a card, goes on on the processor, and is asked by either", async () => {
    const begun = await run("train", "iris", "--device", "webgpu", "--epochs", "2", "--out", "iris", "--json");
    expect(begun.code, begun.stderr).toBe(0);
    const onward = await run(
      "train",
      "iris",
      "--resume",
      "--device",
      "cpu",
      "--epochs",
      "4",
      "--out",
      "iris",
      "--json",
    );
    expect(onward.code, onward.stderr).toBe(0);
    const lossOf = (result: Result) =>
      (recordOf(result, "evaluation")?.["results"] as { loss: number } | undefined)?.loss ?? Number.NaN;
    const there = lossOf(await run("eval", "iris", "--device", "webgpu", "--json"));
    expect(there).toBeCloseTo(lossOf(await run("eval", "iris", "--json")), 5);
  }, 240_000);
});
