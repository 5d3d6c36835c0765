/** A recipe as coordinator and clients of a federation load it, and what they must have chosen alike. */
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { type AggregationName, aggregationOf, secureMean } from "../../federated/aggregations.ts";
import type { NoiseOptions } from "../../federated/noise.ts";
import type { Choices } from "../../federated/protocol.ts";
import { clientsOfRound, type FederationOptions } from "../../federated/rounds.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { defaultOptions, type FederatedTask, type Task } from "../../runs/recipes/recipe.ts";
import { loadRecipe } from "../../runs/recipes/recipes.node.ts";
import {
  newSettings,
  type OptionValue,
  type PlacedSettings,
  type RunSettings,
  recipeSettings,
} from "../../runs/recipes/settings.ts";
import { loadTask } from "../../runs/training/load-task.ts";
import { defaultThreads } from "../../runtime/threads.node.ts";
import { optimizerOf } from "../../train/optimizers/index.ts";
import type { Optimizer } from "../../train/optimizers/optimizer.ts";
import type { Schedule } from "../../train/schedules.ts";
import type { Output } from "../output.ts";

/** What the command line says of a recipe: settings of every recipe, the recipe's own, and how many clients there are. */
export interface GivenTask {
  readonly settings: PlacedSettings;
  readonly own: Readonly<Record<string, unknown>>;
  /** How many clients the data are split among, where that was said. */
  readonly clients: number | undefined;
  /** How updates become one, where that was said. */
  readonly aggregation: AggregationName | undefined;
  readonly liars: number | undefined;
  /** What protects clients, where that was said. */
  readonly noise: NoiseOptions | undefined;
}

/** A recipe that was loaded, its model initialized. */
export interface LoadedFederation {
  readonly task: Task;
  readonly settings: RunSettings;
  readonly compile: CompileOptions;
  readonly choices: Choices;
  /** How the federation learns. */
  readonly federation: FederationOptions;
  /** That of clients, for a schedule of the rate: the recipe's own is of a run, not of a round. */
  optimizer(scheduled: (rate: number) => number | Schedule): Optimizer;
}

/** Loads a recipe. Throws OptionError for options that it does not have, and what loading its data throws. */
export async function loadFederation(named: string, given: GivenTask, output: Output): Promise<LoadedFederation> {
  const { recipe } = await loadRecipe(named);
  const standard = defaultOptions(recipe);
  const own: Record<string, OptionValue> = {};
  for (const [name, value] of Object.entries(given.own))
    if (Object.hasOwn(standard, name)) own[name] = value as OptionValue;
  // A recipe that splits its data has an option of this name.
  if (given.clients !== undefined && Object.hasOwn(standard, "clients")) own["clients"] = given.clients;
  const settings = newSettings(
    { name: recipe.name, defaults: recipe.defaults, options: standard },
    { ...given.settings, device: given.settings.device ?? "cpu", options: own },
    defaultThreads(),
  );
  const { task, batchSize, note } = await loadTask(settings, (batchSize) =>
    recipe.load(recipeSettings({ ...settings, batchSize }), settings.limit),
  );
  for (const said of [...(note === undefined ? [] : [note]), ...(task.notes ?? [])]) output.warn(said);
  task.model.trace(task.inputs);
  task.model.initialize(keyOf(settings.seed));
  const { device, threads, epochs: _, options, limit, optimizer: name, learningRate, seed } = settings;
  // Where a client's own data lie concerns nobody else.
  const { data: __, ...alike } = options;
  const federation = { ...federationOfTask(task, given), ...(given.noise && { noise: given.noise }) };
  return {
    task,
    settings: { ...settings, batchSize },
    compile: { device, threads },
    federation,
    choices: {
      recipe: recipe.name,
      ...{ batchSize, learningRate, optimizer: name, seed },
      ...(limit !== undefined && { limit }),
      ...alike,
      ...protection(federation),
    },
    optimizer: (scheduled) => optimizerOf(name, { ...task.optimizers?.[name], learningRate: scheduled(learningRate) }),
  };
}

/** How clients are protected, by the names of options: they take part in no federation that does less. */
const protection = ({ aggregation, noise }: FederationOptions): Choices => ({
  ...(aggregation?.isSecure && { aggregation: aggregation.name }),
  ...(noise && { noise: noise.multiplier, clip: noise.clip, "noise-by": noise.by ?? "coordinator" }),
});

/** What the recipe says of its federation, with the aggregation of the command. Throws OptionError for one without as many clients as it needs. */
function federationOfTask({ federated }: Task, { aggregation, liars, clients }: GivenTask): FederationOptions {
  const own = federated?.options ?? {};
  if (aggregation === undefined) {
    if (liars !== undefined)
      throw new OptionError("--liars is read with an aggregation; pass --aggregation trimmedMean or multiKrum");
    return own;
  }
  if (aggregation === "secureMean") return { ...own, aggregation: secureMean() };
  const present = clients ?? federated?.clients.count;
  if (present === undefined)
    throw new OptionError("--aggregation needs to know how many clients a round has; pass --clients N");
  const ofRound = clientsOfRound(present, own.share ?? 1);
  return { ...own, aggregation: aggregationOf(aggregation, liars, ofRound) };
}

/** How the data of a recipe are split. Throws OptionError for a recipe that does not split them. */
export function requireSplit({ task, choices }: LoadedFederation): FederatedTask {
  if (task.federated) return task.federated;
  throw new OptionError(
    `${choices["recipe"]} does not split its data among clients; take federated-mnist, write "federated" in your own recipe, or let each client join with data of its own`,
  );
}
