/** What a run is computed with: the recipe's defaults, the command line, or the record of the run that goes on. */
import { availableParallelism } from "node:os";
import { OptionError } from "../../core/errors.ts";

import { flagOf } from "../command.ts";
import { isExperiment, type Trainable } from "../recipes.ts";
import type { RunSettings } from "../run-folder.ts";

/** The settings that were given on the command line. */
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
    ...(limit !== undefined && { limit }),
    ...(repeats !== undefined && { repeats: given.repeats ?? repeats }),
  };
};

/** Settings of a run that goes on. Throws OptionError naming those that may not change; more epochs may. */
export function resumedSettings(saved: RunSettings, given: GivenSettings): RunSettings {
  const conflicts = names.filter((name) => {
    const value = given[name];
    if (value === undefined || value === saved[name]) return false;
    return name !== "epochs" || (value as number) < saved.epochs;
  });
  if (conflicts.length > 0) {
    const told = conflicts.map((name) => `${flagOf(name)} ${given[name]} (the run has ${saved[name] ?? "none"})`);
    throw new OptionError(
      `--resume goes on with the run's own settings, but got ${told.join(" and ")}; leave ${conflicts.length > 1 ? "them" : "it"} out (a larger --epochs may be given), or start a new run without --resume`,
    );
  }
  return { ...saved, epochs: given.epochs ?? saved.epochs };
}

/** The settings as a command line would give them, for the heading of a run. */
export const showSettings = ({ epochs, batchSize, learningRate, optimizer, seed, device, threads }: RunSettings) =>
  `${optimizer}, learning rate ${learningRate}, batch size ${batchSize}, epochs ${epochs}, seed ${seed}, ${device} with ${threads} thread${threads === 1 ? "" : "s"}`;
