/** What a network learned and how: statistics of its layers, the ranks and the similarity of their features, the loss around it. */
export { historyFigures, landscapeFigure, rankFigure, similarityFigure } from "./drawings.ts";
export { type FeatureRankOptions, featureRank, type LayerRank } from "./feature-rank.ts";
export type { FeatureLayer } from "./layer-grams.ts";
export type { LayerMoment } from "./layer-history.ts";
export { type LayerSimilarity, type LayerSimilarityOptions, layerSimilarity } from "./layer-similarity.ts";
export {
  type BatchStatistics,
  type LayerStatistics,
  type LayerStatisticsOptions,
  layerStatistics,
  type ObserveOptions,
  type WeightStatistics,
} from "./layer-statistics.ts";
export { type LearningPageOptions, learningPage } from "./learning-page.ts";
export {
  type LandscapeOptions,
  type LossLandscape,
  type LossLandscapeOptions,
  lossLandscape,
} from "./loss-landscape.ts";
export { type WatchedLayers, type WatchLayersOptions, watchLayers } from "./watch-layers.ts";
