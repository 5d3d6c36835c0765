/** The recipes' networks on a graphics card made of software: a step gives what the processor gives. */
import { describe, expect, test } from "vitest";
import { Trainer } from "../src/index.ts";
import type { Recipe } from "../src/runs/recipes/recipe.ts";
import { builtInRecipes, isLoadedExperiment, loadTrainable } from "../src/runs/recipes/recipes.node.ts";
import { measuredOf } from "../src/runs/training/evaluation.ts";
import { optimizerFor } from "../src/runs/training/plan.node.ts";
import { commandLine, type Result, recordOf } from "./command-line.ts";
import { hasSoftwareGpu } from "./software-gpu.ts";

/** Recipes whose data or pretrained parts are downloaded. */
const downloaded = [
  "cnn-cifar10",
  "keywords",
  "recommend-movies",
  "transfer-audio",
  "transfer-images",
  "transfer-text",
];
/** Recipes that have no data before they are given some. */
const ofOwnData = [
  "boxes",
  "finetune",
  "images",
  "ratings",
  "series",
  "sounds",
  "table",
  "texts",
  "translation",
  "writing",
];

/** Samples that are loaded, and for texts, of which some make one sample. */
const few = 8;
const enough = 2000;
const ofTexts = ["gpt-bpe", "gpt-char", "lora-gpt", "seq2seq-translate"];

/** What the first batches measure on a device. */
async function steps({ name, ...recipe }: Recipe, device: "cpu" | "webgpu"): Promise<readonly number[]> {
  const settings = { ...recipe.defaults, device, threads: 1, batchSize: 2, epochs: 1, options: {} };
  const own = Object.fromEntries(
    Object.entries(recipe.options ?? {}).map(([name, { default: value }]) => [name, value]),
  );
  const task = await recipe.load({ ...own, ...settings } as never, ofTexts.includes(name) ? enough : few);
  const trainer = new Trainer(task.model, {
    ...measuredOf(task),
    ...(task.steps === undefined && { optimizer: optimizerFor(task, settings) }),
    training: { seed: settings.seed, ...task.training, compile: { device, threads: 1 } },
  } as never);
  const measured: number[] = [];
  for await (const batch of task.train.epoch(0)) {
    const { loss, gradientNorm } = await trainer.step(batch as never);
    measured.push(loss, gradientNorm);
    if (measured.length === 2 * Object.keys(task.steps ?? { only: true }).length) break;
  }
  await trainer.release();
  return measured;
}

describe.skipIf(!hasSoftwareGpu)("one step on a graphics card", () => {
  const names = builtInRecipes().filter((name) => ![...downloaded, ...ofOwnData].includes(name));
  test.each(names)(
    "%s",
    async (name) => {
      const loaded = await loadTrainable(name);
      if (isLoadedExperiment(loaded)) return; // of networks as those of the recipes
      const [there, here] = [await steps(loaded.recipe, "webgpu"), await steps(loaded.recipe, "cpu")];
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
