/** Simple baselines, beside which a network stands on the same split. */
export type { BaselineResult, TableLabels, TablePart, TableParts } from "./baseline.ts";
export { type BoostedTreesOptions, boostedTrees } from "./boosted-trees.ts";
export { type CompareBaselinesOptions, compareTableBaselines } from "./compare.ts";
export { type ComparedMetric, comparedResult } from "./compared-metric.ts";
export { type MostPopularOptions, mostPopular, popularityRecall } from "./most-popular.ts";
export {
  compareLanguageBaselines,
  type NGramModel,
  type NGramOptions,
  nGramModel,
  type TokenParts,
} from "./n-gram.ts";
export { type NaiveBayesOptions, naiveBayes, naiveBayesAccuracy } from "./naive-bayes.ts";
export { type RandomForestOptions, randomForest } from "./random-forest.ts";
export {
  type CompareSeriesOptions,
  compareSeriesBaselines,
  type SeasonalNaiveOptions,
  seasonalNaive,
} from "./seasonal-naive.ts";
export type { TableModel } from "./table-model.ts";
export {
  type CompareTextsOptions,
  compareLabelBaselines,
  compareTextBaselines,
  type LabelledTextParts,
  type TextParts,
  type TextWithLabels,
} from "./texts.ts";
export {
  compareTranslationBaselines,
  type PairParts,
  translationMemory,
  translationMemoryBleu,
} from "./translation-memory.ts";
