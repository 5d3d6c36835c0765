/** `sardonyx train`: a recipe trained, tested and saved. */

import { OptionError } from "../../core/errors.ts";
import { isLoadedExperiment, type Loaded, loadTrainable, type Trainable } from "../../runs/recipes/recipes.node.ts";
import { runOptionsSchema } from "../../runs/recipes/run-options.ts";
import { type GivenSettings, givenSettingsShape, type OptionValue } from "../../runs/recipes/settings.ts";
import { makePlan, type Plan } from "../../runs/training/plan.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { recipeForData } from "../../tasks/kinds/recipe-for-data.node.ts";
import { defineCommand, text, wholeNumber } from "../command.ts";
import { encryptToOption } from "../encryption.ts";
import type { Output } from "../output.ts";
import { ranksOf, ranksOptions, requireNoClearLogs } from "../ranks.ts";
import { ownOptions } from "../recipe-options.ts";
import { batchSizeOption, optionsFrom, sizeOf } from "../setting-option.ts";
import { showExperiment } from "../train/experiment.ts";
import { curvesOption, runTraining } from "../train/run.ts";
import { showSearch } from "../train/search.ts";
import { showSeeds } from "../train/seeds.ts";

const { options: ___, ...settings } = givenSettingsShape;

export const command = defineCommand({
  arguments: [
    {
      name: "RECIPE",
      description:
        "a built-in recipe (see sardonyx recipes), or the path of your own; with --data, by what the data are",
      optional: true,
    },
  ],
  options: {
    ...optionsFrom(settings),
    batchSize: batchSizeOption,
    ...optionsFrom(runOptionsSchema.shape),
    encryptTo: encryptToOption,
    trials: wholeNumber(
      "try so many settings on validation data, for few epochs first; the best is trained in full",
      2,
    ),
    search: text(
      "RANGES",
      "what --trials chooses: learning-rate=1e-4..1e-2 batch-size=16|32; default the recipe's ranges",
    ),
    curves: curvesOption,
    ...ranksOptions,
    seeds: wholeNumber("train from so many seeds, --seed the first; the means of their tests with intervals", 2),
  },
  optionsOf: async (recipe) => ownOptions(recipe),
  unnamed: {
    options: ["data", "task", "target"],
    // What is wrong with the data is told when they are trained on.
    argument: async ({ data, task, target }) =>
      data === undefined
        ? undefined
        : (await recipeForData(data, task, target).catch(() => ({ recipe: "table" }))).recipe,
  },
  examples: [
    ["sardonyx train lenet-mnist", "98.9 % of MNIST's test digits"],
    ["sardonyx train lenet-mnist --optimizer sgd --learning-rate 0.1", "another optimizer"],
    ["sardonyx train mlp-mnist --limit 5000 --epochs 2", "a quick try"],
    ["sardonyx train lenet-mnist --resume", "resume where the newest run stopped"],
    ["sardonyx train lenet-mnist --from runs/lenet-mnist --learning-rate 1e-4", "a new run, from its parameters"],
    ["sardonyx train cnn-cifar10 --batch-size auto --memory 500MB", "in parts that fit, with the same updates"],
    ["sardonyx train mlp-mnist --trials 9 --epochs 4", "nine rates and batch sizes tried, the best in full"],
    ["sardonyx train iris --seeds 5", "the mean of five runs, with its interval"],
    ["sardonyx train lenet-mnist --curves", "curves on the terminal, as they grow"],
    ["sardonyx train lenet-mnist --profile", "time by operator and layer"],
    ["sardonyx train iris --encrypt-to age1…", "all files encrypted to a key of age-keygen"],
    ["sardonyx train depth-mnist", "an experiment: 24 networks, compared"],
    ["sardonyx train --data penguins.csv --target species", "a table of your own"],
    ["sardonyx train ./my-recipe.ts --out runs/mine --json", "your own recipe, JSON lines"],
  ],
  async run({ arguments: [named], options, output, line }) {
    const communicator = await ranksOf(options, line, output);
    const recipe = named ?? (await recipeOfData(options, output));
    const {
      out,
      resume,
      from,
      profile,
      encryptTo,
      checkpointSeconds,
      batchSize,
      seeds,
      trials,
      search,
      curves,
      processes: _,
      rankLogs,
      ...all
    } = options;
    requireNoClearLogs(rankLogs, encryptTo);
    const loaded = await loadTrainable(recipe);
    const own = isLoadedExperiment(loaded) ? {} : (loaded.recipe.options ?? {});
    const isOwn = ([name]: readonly [string, unknown]) => Object.hasOwn(own, name);
    const entries = Object.entries(all);
    const given: GivenSettings = {
      ...Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
      ...sizeOf(batchSize),
      options: Object.fromEntries(entries.filter(isOwn)) as Record<string, OptionValue>,
    };
    const planOf = async <R extends Trainable>(found: Loaded<R>): Promise<Plan<R>> => {
      const plan = await makePlan(found, recipe, {
        given,
        out,
        resume,
        from,
        profile,
        encryptTo,
        choosesParts: batchSize === "auto",
        communicator,
      });
      for (const note of plan.notes) output.warn(note);
      return plan;
    };
    const several = seeds !== undefined ? "--seeds" : trials !== undefined ? "--trials" : undefined;
    if (several && (isLoadedExperiment(loaded) || profile))
      throw new OptionError(
        `${several} is for recipes that are trained, and ${profile ? "a profile is of one run" : `${recipe} is an experiment, which has --repeats`}; leave it out`,
      );
    if (curves && (several || isLoadedExperiment(loaded)))
      throw new OptionError(`--curves draws those of one run, and ${several ?? recipe} makes several; leave it out`);
    if (several && from !== undefined)
      throw new OptionError(`--from begins one run, and ${several} makes several; leave one of them out`);
    if (seeds !== undefined && trials !== undefined)
      throw new OptionError(
        "--seeds and --trials are given; search settings first, then pass those that it finds with --seeds",
      );
    if (search !== undefined && trials === undefined)
      throw new OptionError(
        "--search says what trials choose, and there are none; pass --trials too, such as --trials 9",
      );
    if (trials !== undefined && !isLoadedExperiment(loaded))
      return showSearch(loaded, recipe, {
        ...{
          out,
          encryptTo,
          output,
          trials,
          ranges: search,
          resume: resume ?? false,
          checkpointSeconds: checkpointSeconds ?? 30,
        },
        plan: { given, choosesParts: batchSize === "auto" },
        communicator,
      });
    if (seeds !== undefined && !isLoadedExperiment(loaded)) {
      return showSeeds(loaded, recipe, {
        ...{
          out,
          encryptTo,
          output,
          count: seeds,
          resume: resume ?? false,
          checkpointSeconds: checkpointSeconds ?? 30,
        },
        communicator,
        first: given.seed ?? loaded.recipe.defaults.seed,
        plan: { given, choosesParts: batchSize === "auto" },
      });
    }
    if (isLoadedExperiment(loaded)) return showExperiment(await planOf(loaded), output);
    await runTraining(await planOf(loaded), {
      output,
      checkpointSeconds: checkpointSeconds ?? 30,
      curves,
      profile: profile ? { short: options.epochs === undefined } : undefined,
    });
  },
});

/** The recipe that data of your own are for, which is told. Throws OptionError where there are none. */
async function recipeOfData(options: Readonly<Record<string, unknown>>, output: Output): Promise<string> {
  const { data, task, target } = options;
  if (typeof data !== "string")
    throw new OptionError(
      "there is nothing to train; name a recipe (sardonyx recipes lists them), or data of your own: sardonyx train --data PATH",
    );
  const [asked, column] = [task, target].map((own) => (typeof own === "string" ? own : undefined));
  const { recipe, because } = await recipeForData(data, asked, column);
  output.record("data", { recipe, because });
  output.prose(
    `${shownPath(data)} is taken for ${because}; sardonyx train RECIPE --data takes it for another recipe's.`,
  );
  return recipe;
}
