/** `sardonyx train`: a recipe trained, tested and saved. */
import { createRequire } from "node:module";
import { OptionError, unknownName } from "../../core/errors.ts";
import { type Device, devices } from "../../runtime/session.ts";
import { type OptimizerName, optimizerOf } from "../../train/optimizers.ts";
import type { OptionValue, RecipeOption } from "../../runs/recipe.ts";
import {
  choice,
  defineCommand,
  number,
  type Option,
  type OptionTable,
  oneOf,
  text,
  toggle,
  wholeNumber,
} from "../command.ts";
import { version } from "../../runs/package.node.ts";
import { isLoadedExperiment, type Loaded, loadTrainable, type Trainable } from "../../runs/recipes.node.ts";
import { runExperiment } from "../train/experiment.ts";
import { makePlan, type Plan } from "../../runs/plan.node.ts";
import { runTraining } from "../train/run.ts";
import type { GivenSettings } from "../../runs/settings.ts";

function deviceOf(name: string): Device {
  const device = devices.find((known) => known === name);
  if (!device) throw unknownName("device", name, devices);
  return device;
}

export const command = defineCommand({
  name: "train",
  summary: "Train a recipe, test it and save what it learned",
  arguments: [{ name: "RECIPE", description: "a built-in recipe (see sardonyx recipes), or the path of one's own" }],
  options: {
    epochs: wholeNumber("passes over the training data", 1),
    batchSize: wholeNumber("samples in a training step", 1),
    learningRate: number("step size of the optimizer", { low: 0, above: true, example: 0.001 }),
    optimizer: choice("sgd, rmsprop, adagrad, adam or adamw", (name) => optimizerOf(name).name as OptimizerName),
    seed: wholeNumber("start of all randomness", 0),
    device: choice(`where to compute: ${devices.join(" or ")}; default cpu`, deviceOf),
    threads: wholeNumber("threads of one operator; default all cores", 1),
    limit: wholeNumber("use only so many samples, for a quick try", 1),
    repeats: wholeNumber("of an experiment: train each network from so many seeds", 1),
    out: text("DIR", "folder of the run; default runs/RECIPE"),
    resume: toggle("go on with the run in --out, or with the newest run of the recipe"),
    checkpointSeconds: number("seconds between checkpoints; default 30", { low: 0, example: 30 }),
    profile: toggle("show where the time goes, by operator and by layer (50 batches unless --epochs)"),
  },
  optionsOf: async (recipe) => ownOptions(recipe),
  examples: [
    ["sardonyx train lenet-mnist", "98.9 % of MNIST's test digits"],
    ["sardonyx train lenet-mnist --optimizer sgd --learning-rate 0.1", "another optimizer"],
    ["sardonyx train mlp-mnist --limit 5000 --epochs 2", "a quick try"],
    ["sardonyx train lenet-mnist --resume", "go on where the newest run stopped"],
    ["sardonyx train lenet-mnist --profile", "time by operator and layer"],
    ["sardonyx train depth-mnist", "an experiment: 24 networks, compared"],
    ["sardonyx train ./my-recipe.ts --out runs/mine --json", "one's own recipe, JSON lines"],
  ],
  async run({ arguments: [recipe = ""], options, output }) {
    const { out, resume, profile, checkpointSeconds, ...all } = options;
    const loaded = await loadTrainable(recipe);
    const own = isLoadedExperiment(loaded) ? {} : (loaded.recipe.options ?? {});
    const isOwn = ([name]: readonly [string, unknown]) => Object.hasOwn(own, name);
    const entries = Object.entries(all);
    const given: GivenSettings = {
      ...Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
      options: Object.fromEntries(entries.filter(isOwn)) as Record<string, OptionValue>,
    };
    const planOf = async <R extends Trainable>(loaded: Loaded<R>): Promise<Plan<R>> => {
      const here = versions();
      const plan = await makePlan(loaded, recipe, { given, out, resume, profile }, here);
      const changed = Object.entries(plan.record.versions).filter(([name, was]) => here[name] !== was);
      if (changed.length > 0)
        output.warn(
          `This run began with ${changed.map(([name, was]) => `${name} ${was} (here ${here[name] ?? "none"})`).join(", ")}: it goes on, but maybe not bit for bit.`,
        );
      return plan;
    };
    if (isLoadedExperiment(loaded)) {
      if (profile) throw new OptionError(`--profile is of one network, and ${recipe} trains several; name a recipe`);
      return runExperiment(await planOf(loaded), output);
    }
    await runTraining(await planOf(loaded), {
      output,
      checkpointSeconds: checkpointSeconds ?? 30,
      profile: profile ? { short: options.epochs === undefined } : undefined,
    });
  },
});

/** A recipe's own options; none for what is no recipe, which is told when it is to be trained. */
async function ownOptions(name: string): Promise<OptionTable> {
  const loaded = await loadTrainable(name).catch(() => undefined);
  if (!loaded || isLoadedExperiment(loaded)) return {};
  return Object.fromEntries(
    Object.entries(loaded.recipe.options ?? {}).map(([key, option]) => [key, optionFor(option)]),
  );
}

function optionFor({ description, default: standard, choices }: RecipeOption): Option<OptionValue> {
  const told = `${description}; default ${standard}`;
  if (choices) return oneOf(told, choices);
  if (standard === false) return toggle(description);
  return typeof standard === "number"
    ? number(told, { low: Number.NEGATIVE_INFINITY, example: standard })
    : text("TEXT", told);
}

/** What the run is computed by, for its record. */
function versions(): Record<string, string> {
  const engine = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return { sardonyx: version(), node: process.versions.node, "onnxruntime-node": engine.version };
}
