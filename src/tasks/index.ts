/** Tasks of your own data, without code: what the data is taken for, what learns from it, what that is held against. */
export { baselinesOfBoxes } from "./boxes/box-baselines.ts";
export { type BoxSample, boxChanges, measuredBatches, trainedBatches } from "./boxes/box-samples.ts";
export { detectionFigures, objectsIn, searchSamples } from "./boxes/found-objects.ts";
export { type FoldedBatch, foldedObjective } from "./folds/folded-objective.ts";
export { type KeepBestOptions, keepBestCandidate } from "./folds/keep-best.ts";
export { baselinesOfImages } from "./images/image-baselines.ts";
export { type Augmentation, augmentations, imageChoices, imageViews } from "./images/image-views.ts";
export { baselinesOfRatings, itemsHad } from "./ratings/rating-baselines.ts";
export { type PartedRatings, popularityOf, type Ratings, rankingFigures } from "./ratings/rating-parts.ts";
export { type RatingFacts, ratingFactsSchema, recommendationFor, userOf } from "./ratings/recommendation.ts";
export { baselinesOfSeries } from "./series/series-baselines.ts";
export { type SeriesEncoding, seriesEncodingSchema, seriesNetwork } from "./series/series-encoding.ts";
export type { SeriesGrid, SeriesWindow } from "./series/series-grid.ts";
export { forecastMetrics, seriesObjective, type WindowBatch } from "./series/series-objective.ts";
export type { SeriesParts } from "./series/series-parts.ts";
export type { PartedSeries } from "./series/simple-forecast.ts";
export { type WindowBatches, windowBatches } from "./series/window-batches.ts";
export { trainTop } from "./shared/base-head.ts";
export { type CandidateChoices, candidateObjective, eitherOrBoth } from "./shared/candidate-objective.ts";
export { type CosineInTimeOptions, cosineInTime } from "./shared/cosine-in-time.ts";
export { baselinesOfSamples, linearOnFeatures, type SampleFeatures, type SampleSplit } from "./shared/feature-rows.ts";
export { labelAveragePrecision, labelFigures } from "./shared/label-figures.ts";
export type { PartName } from "./shared/part-samples.ts";
export {
  namesOf,
  type SampleTarget,
  type SampleTargetRequest,
  type SampleTaskName,
  sampleTargetSchema,
  sampleTasks,
} from "./shared/sample-target.ts";
export { bandFeatures, soundChoices, soundViews } from "./sounds/sound-views.ts";
export { denseFeatures } from "./tables/dense-features.ts";
export { baselinesOfTable, type EncodedTable, type TableSamples } from "./tables/table-baselines.ts";
export { tableModel } from "./tables/table-model.ts";
export { type TableTarget, type TableTaskName, tableTasks, targetSchema } from "./tables/target.ts";
export { evidenceOf, type TextsInFolds } from "./texts/evidence.ts";
export { baselinesOfTexts } from "./texts/text-baselines.ts";
export { type TextBatchOptions, textBatches, textModel } from "./texts/text-model.ts";
export { type TextTarget, type TextTaskName, textTargetSchema, textTasks } from "./texts/text-target.ts";
export { partsOfText, type TextThirds } from "./writing/text-parts.ts";
export { type WritingSize, writingSize } from "./writing/writing-size.ts";
