/** Tasks of your own files. */

export { type BoxesRequest, type LoadedBoxes, loadBoxes } from "./boxes/load-boxes.node.ts";
export { type ImageBase, openImageBase } from "./images/image-base.node.ts";
export { type ImageRequest, type LoadedImages, loadImages } from "./images/load-images.node.ts";
export { profileData } from "./kinds/profile-data.node.ts";
export { type RecipeForData, recipeForData } from "./kinds/recipe-for-data.node.ts";
export { type LoadedRatings, loadRatings, type RatingsRequest } from "./ratings/load-ratings.node.ts";
export { type ForecastStep, forecastAfter, forecastText } from "./series/forecast-answer.node.ts";
export { type LoadedSeries, loadSeries, type SeriesRequest } from "./series/load-series.node.ts";
export { type LoadedSounds, loadSounds, type SoundRequest } from "./sounds/load-sounds.node.ts";
export { openSoundBase, type SoundBase, type SoundBaseOptions } from "./sounds/sound-base.node.ts";
export { type LoadedTable, loadTable, type TableRequest } from "./tables/load-table.node.ts";
export { type LoadedTexts, loadTexts, type TextSamples } from "./texts/load-texts.node.ts";
export { type LabelledTexts, type PartedTexts, partTexts, type TextsRequest } from "./texts/part-texts.node.ts";
export { openTextBase, type TextBase, type TextBaseOptions, textRowParts } from "./texts/text-base.node.ts";
export { type LoadedPairs, loadPairs, type PairsRequest } from "./translation/load-pairs.node.ts";
export { type LoadedWriting, loadWriting, type WritingRequest } from "./writing/load-writing.node.ts";
