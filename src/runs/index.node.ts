/** Runs in Node: trained, resumed, opened again. */
export type { EvaluationReport } from "./evaluation.ts";
export type { GeneratedPiece, GenerationOptions } from "./generation.ts";
export { Interrupted } from "./interrupted.ts";
export type { RunObserver, StageStart } from "./observer.ts";
export { OpenRun, type OpenRunOptions, openRun } from "./open-run.node.ts";
export { type RunRecipeOptions, type RunResult, runRecipe } from "./run.node.ts";
export {
  type ExperimentObserver,
  type ExperimentResult,
  type RunExperimentOptions,
  runExperiment,
} from "./run-experiment.node.ts";
