/** Runs in Node: trained, resumed, opened again. */

export {
  type ExperimentObserver,
  type ExperimentResult,
  type RunExperimentOptions,
  runExperiment,
} from "./experiments/run-experiment.node.ts";
export { type Embedder, type EmbedderOptions, openEmbedder } from "./open/embedder.node.ts";
export type { GeneratedPiece, GenerationOptions } from "./open/generation.ts";
export { OpenRun, type OpenRunOptions, openRun } from "./open/open-run.node.ts";
export { type SearchRecipeOptions, searchRecipe } from "./search/search.node.ts";
export type { SearchReport } from "./search/search-report.ts";
export type { EvaluationReport } from "./training/evaluation.ts";
export { Interrupted } from "./training/interrupted.ts";
export type { RunObserver, StageStart } from "./training/observer.ts";
export { type RunRecipeOptions, type RunResult, runRecipe } from "./training/run.node.ts";
