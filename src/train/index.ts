/** Training that runs anywhere: objectives, the engine in its parts, the loop, evaluation, prediction. */

export type { Callback } from "./callbacks/callback.ts";
export { type EarlyStoppingOptions, earlyStopping } from "./callbacks/early-stopping.ts";
export { type MovingAverageOptions, movingAverage } from "./callbacks/moving-average.ts";
export { type PrintProgressOptions, printProgress } from "./callbacks/print-progress.ts";
export { logLearningRate, records } from "./callbacks/records.ts";
export { requireSameVocabulary } from "./callbacks/same-vocabulary.ts";
export type { SavedParameters } from "./callbacks/saved-parameters.ts";
export { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
export type { RowPlace, Rows } from "./engine/kept-rows.ts";
export type { LossScaleOptions } from "./engine/loss-scale.ts";
export type { NumberedBatch } from "./engine/numbered.ts";
export type { LossSpec, Objected, Objective, OutputLoss, Quantity, ValuesOf } from "./engine/objective.ts";
export type { Alternating, AlternatingStep, LossChoice, Measured, ObjectiveChoice } from "./engine/objectives.ts";
export type { ParameterGroup, ParameterPattern } from "./engine/parameter-groups.ts";
export type { CacheOptions, PrefixCache } from "./engine/prefix-cache.ts";
export type { EpochResult } from "./engine/running-sums.ts";
export {
  type StepResult,
  type Trained,
  Trainer,
  type TrainerOptions,
  type TrainerState,
} from "./engine/trainer.ts";
export type { TrainingOptions } from "./engine/training-options.ts";
export { type EvaluateOptions, type Evaluation, Evaluator, type EvaluatorOptions, evaluate } from "./evaluate.ts";
export * from "./few-shot/index.ts";
export {
  type FitResult,
  fit,
  type Progress,
  type Run,
  type SavedOptimizer,
} from "./fit.ts";
export type { FitOptions, LoopOptions } from "./fit-options.ts";
export { loadParameters } from "./load-parameters.ts";
export { anchorAccuracy } from "./metrics/anchor-accuracy.ts";
export { type AnswerScores, answerScores } from "./metrics/answers.ts";
export {
  areaUnderPrecision,
  cocoOverlaps,
  type DetectedImage,
  type Detection,
  meanAveragePrecision,
} from "./metrics/average-precision.ts";
export * from "./metrics/classification.ts";
export { type Entity, type EntityScores, entitiesOf, entityScores, marksSpans } from "./metrics/entities.ts";
export { confidenceInterval, type Interval } from "./metrics/interval.ts";
export { exactLabels, labelF1 } from "./metrics/labels.ts";
export type { Measure } from "./metrics/measure.ts";
export {
  type Counting,
  type Figure,
  type IgnoreOptions,
  type Metric,
  meanStatistics,
  type ReadingOptions,
  ratio,
  reading,
  rowWeights,
  statistics,
} from "./metrics/metric.ts";
export { highest, recallOf } from "./metrics/ranking.ts";
export * from "./metrics/regression.ts";
export { inBatchAccuracy, retrievalAccuracy } from "./metrics/retrieval.ts";
export { transcriptAccuracy } from "./metrics/transcripts.ts";
export { bleu, chrf } from "./metrics/translation-scores.ts";
export * from "./optimizers/index.ts";
export {
  activations,
  type HostInputs,
  type HostOutputs,
  type Predictor,
  type PredictorOptions,
  predict,
  predictor,
} from "./predict.ts";
export { type SampleLossOptions, sampleLosses } from "./sample-losses.ts";
export * from "./schedules.ts";
export type { Gradients } from "./store/gradients.ts";
export type { GradientPlaces, Loop, LoopBody, LoopResults, Shard, Slot, WholeRewrite } from "./store/shard.ts";
export * from "./transforms/index.ts";
