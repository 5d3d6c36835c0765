/** Training that runs anywhere: optimizers, schedules, metrics, the loop, recipes. */

export { type Callback, type EarlyStoppingOptions, earlyStopping, logLearningRate, records } from "./callbacks.ts";
export { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
export {
  type Evaluation,
  Evaluator,
  evaluate,
  type LivePredictor,
  livePredictor,
  predict,
  predictor,
} from "./evaluate.ts";
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
} from "./experiment.ts";
export { type FitOptions, type FitResult, fit, type Progress, type Run } from "./fit.ts";
export { anchorAccuracy } from "./metrics/anchor-accuracy.ts";
export {
  areaUnderPrecision,
  type DetectedPicture,
  type Detection,
  meanAveragePrecision,
} from "./metrics/average-precision.ts";
export { frechetDistance } from "./metrics/frechet.ts";
export { confidenceInterval, type Interval } from "./metrics/interval.ts";
export * from "./metrics/metrics.ts";
export { highest, recallOf } from "./metrics/ranking.ts";
export { transcriptAccuracy } from "./metrics/transcripts.ts";
export { bleu, chrf } from "./metrics/translation-scores.ts";
export * from "./optimizers.ts";
export {
  type Answer,
  type Dialogue,
  type Drawings,
  defineRecipe,
  type InputFormat,
  limited,
  type OnDownload,
  type Recipe,
  type RecipeSettings,
  type Stage,
  type Task,
  type Writer,
} from "./recipe.ts";
export type { EpochResult } from "./running-sums.ts";
export { sameWords } from "./same-words.ts";
export * from "./schedules.ts";
export {
  loadParameters,
  type ParameterGroup,
  type StepResult,
  Trainer,
  type TrainerState,
  type TrainingOptions,
} from "./trainer.ts";
