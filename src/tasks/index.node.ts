/** Tasks of your own files. */
export { type RecipeForData, recipeForData } from "./kinds/recipe-for-data.node.ts";
export { type LoadedTable, loadTable, type TableRequest } from "./tables/load-table.node.ts";
export { type LoadedTexts, loadTexts, type TextSamples, type TextsRequest } from "./texts/load-texts.node.ts";
