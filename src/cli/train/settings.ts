/** What a run is computed with: the recipe's defaults, the command line, or the record of the run that goes on. */
import { availableParallelism } from "node:os";
import { OptionError } from "../../core/errors.ts";

import { defaultOptions, type OptionValue } from "../../runs/recipe.ts";
import { flagOf } from "../command.ts";
import { isExperiment, type Trainable } from "../recipes.ts";
import type { RunSettings } from "../run-folder.ts";

/** The settings that were given on the command line; of the recipe's own options those that were. */
export type GivenSettings = { readonly [K in keyof RunSettings]?: RunSettings[K] | undefined };

const names = [
  "epochs",
  "batchSize",
  "learningRate",
  "optimizer",
  "seed",
  "device",
  "threads",
  "limit",
  "repeats",
] as const;

/** Settings of a new run. Throws OptionError for repeats of what is trained once. */
export const newSettings = (recipe: Trainable, given: GivenSettings): RunSettings => {
  const { limit } = given;
  const { defaults } = recipe;
  const { repeats, threads } = isExperiment(recipe) ? recipe.defaults : { repeats: undefined, threads: undefined };
  if (given.repeats !== undefined && repeats === undefined)
    throw new OptionError(
      `--repeats is for experiments, and ${recipe.name} trains one network once; leave it out, or pass --seed`,
    );
  return {
    epochs: given.epochs ?? defaults.epochs,
    batchSize: given.batchSize ?? defaults.batchSize,
    learningRate: given.learningRate ?? defaults.learningRate,
    optimizer: given.optimizer ?? defaults.optimizer,
    seed: given.seed ?? defaults.seed,
    device: given.device ?? "cpu",
    threads: given.threads ?? threads ?? availableParallelism(),
    options: { ...(isExperiment(recipe) ? {} : defaultOptions(recipe)), ...given.options },
    ...(limit !== undefined && { limit }),
    ...(repeats !== undefined && { repeats: given.repeats ?? repeats }),
  };
};

/** Settings of a run that goes on. Throws OptionError naming those that may not change; more epochs may. */
export function resumedSettings(saved: RunSettings, given: GivenSettings): RunSettings {
  const pairs = [
    ...names.map((name) => [name, given[name], saved[name]] as const),
    ...Object.entries(given.options ?? {}).map(([name, value]) => [name, value, saved.options[name]] as const),
  ];
  const conflicts = pairs.filter(([name, value, was]) => {
    if (value === undefined || value === was) return false;
    return name !== "epochs" || (value as number) < saved.epochs;
  });
  if (conflicts.length > 0) {
    const told = conflicts.map(([name, value, was]) => `${flagOf(name)} ${value} (the run has ${was ?? "none"})`);
    throw new OptionError(
      `--resume goes on with the run's own settings, but got ${told.join(" and ")}; leave ${conflicts.length > 1 ? "them" : "it"} out (a larger --epochs may be given), or start a new run without --resume`,
    );
  }
  return { ...saved, epochs: given.epochs ?? saved.epochs };
}

/** The settings as a command line would give them, for the heading of a run. */
export const showSettings = (settings: RunSettings) => {
  const { epochs, batchSize, learningRate, optimizer, seed, device, threads, options } = settings;
  const own = Object.entries(options).map(
    ([name, value]) => `, ${flagOf(name).slice(2).replaceAll("-", " ")} ${showOption(value)}`,
  );
  return `${optimizer}, learning rate ${learningRate}, batch size ${batchSize}, epochs ${epochs}${own.join("")}, seed ${seed}, ${device} with ${threads} thread${threads === 1 ? "" : "s"}`;
};

const showOption = (value: OptionValue): string =>
  typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
