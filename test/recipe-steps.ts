/** The first training steps of the recipes' networks, for tests of devices and precisions. */
import { Trainer } from "../src/index.ts";
import { builtInRecipes, isLoadedExperiment, loadTrainable } from "../src/runs/recipes/recipes.node.ts";
import { measuredOf } from "../src/runs/training/evaluation.ts";
import { optimizerFor } from "../src/runs/training/plan.node.ts";
import type { ComputePrecision, Device } from "../src/runtime/session.ts";

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
  "prune-fashion",
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

/** The built-in recipes whose data are here. */
export const recipesAtHand = builtInRecipes().filter((name) => ![...downloaded, ...ofOwnData].includes(name));

/** How steps are computed. */
interface Computed {
  /** Default the processor. */
  readonly device?: Device;
  /** Default float32. */
  readonly precision?: ComputePrecision;
}

/** Of first steps; the scale that runs begin with is too large for many, and is halved then. */
const scaled = (precision: ComputePrecision) =>
  precision === "float16" ? { precision, lossScale: { initial: 64 } } : { precision };

/** What the first batches of a recipe measure: losses and norms of gradients; nothing of an experiment, whose networks are as those of recipes. */
export async function firstSteps(
  named: string,
  { device = "cpu", precision = "float32" }: Computed = {},
): Promise<readonly number[]> {
  const loaded = await loadTrainable(named);
  if (isLoadedExperiment(loaded)) return [];
  const { name, ...recipe } = loaded.recipe;
  const settings = { ...recipe.defaults, device, threads: 1, batchSize: 2, epochs: 1, options: {} };
  const own = Object.fromEntries(
    Object.entries(recipe.options ?? {}).map(([name, { default: value }]) => [name, value]),
  );
  const task = await recipe.load({ ...own, ...settings } as never, ofTexts.includes(name) ? enough : few);
  const trainer = new Trainer(task.model, {
    ...measuredOf(task),
    ...(task.steps === undefined && { optimizer: optimizerFor(task, settings) }),
    training: { seed: settings.seed, ...task.training, compile: { device, threads: 1 }, ...scaled(precision) },
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
