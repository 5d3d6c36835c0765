/** Recipes and experiments: what can be trained by name. */
export {
  type Average,
  averages,
  defineExperiment,
  type Experiment,
  type ExperimentSettings,
  type ExperimentTask,
  type Figures,
  type Outcome,
  runTrial,
  type TrialOptions,
  type Variant,
} from "./experiments/experiment.ts";
export {
  type Answer,
  type Deployment,
  type Dialogue,
  type Drawings,
  defineRecipe,
  type FederatedTask,
  type InputFormat,
  limited,
  type OnDownload,
  type OptionsOf,
  type Recipe,
  type RecipeNetwork,
  type RecipeOption,
  type RecipeOptions,
  type Stage,
  type Task,
  type Writer,
} from "./recipes/recipe.ts";
export type { GivenSettings, OptionValue, RecipeChoices, RecipeSettings, RunSettings } from "./recipes/settings.ts";
export type { SearchRange, SearchSpace } from "./search/space.ts";
