/** Data preparation that runs anywhere: datasets, preprocessing, augmentation, formats in memory. */
export * from "./augment.ts";
export type { BatchOptions } from "./batching.ts";
export * from "./boxes.ts";
export { type BpeOptions, trainBpe } from "./bpe.ts";
export { type BucketOptions, bucketed, padRows, presenceOf } from "./buckets.ts";
export { scaleBytes } from "./bytes.ts";
export { Canvas, type Color } from "./canvas.ts";
export { checkFinite, checkLabels } from "./checks.ts";
export { dropDuplicates, dropMissing, dropOutliers, flagOutliers } from "./clean.ts";
export {
  type Batch,
  collect,
  Dataset,
  type EpochOptions,
  fromIndexed,
  fromIterable,
  fromTensors,
  TensorDataset,
} from "./dataset.ts";
export { learnDictionary, type TokenPair } from "./dictionary.ts";
export { digitScene, type Scene, type SceneOptions } from "./digit-scenes.ts";
export { readIdx } from "./idx.ts";
export { type IrisTensors, irisClasses, irisFeatures, parseIris } from "./iris.ts";
export { type LabelledText, type LabelledTexts, parseLabelledText, sentimentClasses } from "./labelled-text.ts";
export { lightOnDark } from "./light-on-dark.ts";
export { type MaskingOptions, maskTokens, untold } from "./masking.ts";
export { logMel, type MelOptions, melOf } from "./mel.ts";
export {
  type CsvSource,
  type Movie,
  type MovieRatings,
  multiHotGenres,
  readMovieLens,
  type SkippedRatings,
  starRange,
} from "./movielens.ts";
export { encodePng, tilePictures } from "./png.ts";
export * from "./preprocess.ts";
export { fitRatingBiases, type RatingBiases, type RatingBiasesOptions } from "./rating-biases.ts";
export type { TensorRecord } from "./rows.ts";
export { fitLength, mixDown, resampler } from "./sound.ts";
export { changeSpeed, gain, hiss, type SoundTransform, shiftTime } from "./sound-augment.ts";
export type { Source } from "./source.ts";
export { type SyntheticRatingsOptions, syntheticRatings } from "./synthetic-ratings.ts";
export { type TextWindow, textWindows } from "./text-windows.ts";
export { characterTokenizer, type Tokenizer, type TokenizerFile, tokenizerOf } from "./tokenizer.ts";
export { pairMessages, parseTranslations, type Translation, type Translations } from "./translations.ts";
export {
  beginId,
  endId,
  paddingId,
  sentenceOf,
  specialTokens,
  unknownId,
  Vocabulary,
  type VocabularyOptions,
  type WordsOptions,
  wordsOf,
} from "./vocabulary.ts";
export { encodeWav, readWav, type Sound } from "./wav.ts";
