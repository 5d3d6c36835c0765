/** Tasks of your own files. */
export { type RecipeForData, recipeForData } from "./kinds/recipe-for-data.node.ts";
export { type ForecastStep, forecastAfter, forecastText } from "./series/forecast-answer.node.ts";
export { type LoadedSeries, loadSeries, type SeriesRequest } from "./series/load-series.node.ts";
export { type LoadedTable, loadTable, type TableRequest } from "./tables/load-table.node.ts";
export { type LoadedTexts, loadTexts, type TextSamples, type TextsRequest } from "./texts/load-texts.node.ts";
