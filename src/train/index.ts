/** Training that runs anywhere: optimizers, schedules, metrics, the loop, recipes. */

export { anchorAccuracy } from "./anchor-accuracy.ts";
export {
  areaUnderPrecision,
  type DetectedPicture,
  type Detection,
  meanAveragePrecision,
} from "./average-precision.ts";
export {
  type BeamSearchOptions,
  beamSearch,
  type Candidate,
  type Hypothesis,
  type NextTokens,
  type Prefix,
} from "./beam-search.ts";
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
export { frechetDistance } from "./frechet.ts";
export {
  type Decoder,
  type DecoderOptions,
  decoder,
  generate,
  type SamplingOptions,
  sampleToken,
} from "./generate.ts";
export { confidenceInterval, type Interval } from "./interval.ts";
export * from "./metrics.ts";
export * from "./optimizers.ts";
export { highest, recallOf } from "./ranking.ts";
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
export { transcriptAccuracy } from "./transcripts.ts";
export { bleu, chrf } from "./translation-scores.ts";
export {
  attentionWeights,
  type TranslationModel,
  type Translator,
  type TranslatorOptions,
  translator,
} from "./translator.ts";
