/** Data preparation that runs anywhere: datasets, preprocessing, augmentation, formats in memory. */

export type { ChatTemplateName } from "./chat/built-in-templates.ts";
export { type ChatExample, type ChatExamples, type ChatExamplesOptions, chatExamples } from "./chat/chat-examples.ts";
export {
  type ChatTemplate,
  type ChatTemplateOptions,
  chatTemplate,
  chatTemplateOf,
  type ModelTemplateOptions,
} from "./chat/chat-template.ts";
export {
  conversationOf,
  type Preference,
  parseConversations,
  parsePreferences,
  preferenceOf,
} from "./chat/conversations.ts";
export type { MarkedText, Span } from "./chat/jinja.ts";
export type { Conversation, Message } from "./chat/messages.ts";
export {
  type PackedExamples,
  type PackedRow,
  type PackingOptions,
  type PaddedExamples,
  packExamples,
  padExamples,
} from "./chat/packing.ts";
export { type PreviewOptions, previewExamples } from "./chat/preview.ts";
export type { TextCoder } from "./chat/token-spans.ts";
export * from "./images/augment.ts";
export * from "./images/boxes.ts";
export { scaleBytes } from "./images/bytes.ts";
export { lightOnDark } from "./images/light-on-dark.ts";
export * from "./images/padding.ts";
export type { BatchOptions } from "./pipeline/batching.ts";
export { type BucketOptions, bucketed, paddingMask, padRows } from "./pipeline/buckets.ts";
export { checkFinite, checkLabels } from "./pipeline/checks.ts";
export {
  type Batch,
  collect,
  Dataset,
  type EpochOptions,
  fromIndexed,
  fromIterable,
  fromTensors,
  type IterableOptions,
  type Labelled,
  type ShuffleOptions,
  TensorDataset,
} from "./pipeline/dataset.ts";
export { gatherRows, type TensorRecord } from "./pipeline/rows.ts";
export { rowwise } from "./pipeline/rowwise.ts";
export type { Source } from "./pipeline/source.ts";
export { digitScene, type Scene, type SceneOptions } from "./sets/digit-scenes.ts";
export { readIdx } from "./sets/idx.ts";
export { cifar10Classes, fashionMnistClasses, mnistClasses } from "./sets/image-classes.ts";
export { type IrisTensors, irisClasses, irisFeatures, parseIris } from "./sets/iris.ts";
export {
  type CsvSource,
  type Movie,
  type MovieRatings,
  multiHotGenres,
  readMovieLens,
  type SkippedRatings,
  starRange,
} from "./sets/movielens.ts";
export { type SyntheticRatingsOptions, syntheticRatings } from "./sets/synthetic-ratings.ts";
export { logMel, type MelOptions, melOf } from "./sound/mel.ts";
export { fitLength, mixDown, resampler } from "./sound/sound.ts";
export { changeSpeed, gain, type SoundTransform, shiftTime, whiteNoise } from "./sound/sound-augment.ts";
export { type SoundFormat, soundPreparation } from "./sound/sound-format.ts";
export { encodeWav, readWav, type Sound } from "./sound/wav.ts";
export { dropDuplicates, dropMissing, dropOutliers, flagOutliers } from "./tables/clean.ts";
export {
  type ColumnKind,
  type ColumnType as InferredColumn,
  ColumnTypeBuilder,
  type ColumnTypeOptions,
  inferColumnTypes,
  parseDate,
  parseNumber,
} from "./tables/column-kinds.ts";
export { type Dialect, type DialectOptions, sniffDialect } from "./tables/dialect.ts";
export { type FileRecord, parseJsonRecords } from "./tables/json-records.ts";
export * from "./tables/preprocess.ts";
export { fitRatingBiases, type RatingBiases, type RatingBiasesOptions } from "./tables/rating-biases.ts";
export {
  encodedWidth,
  encodeRows,
  type FieldEncoding,
  type FittedEncoding,
  fitRowEncoding,
  type NamedRow,
  type NumberStatistics,
  type RowEncoding,
  rowEncodingSchema,
} from "./tables/rows/row-encoding.ts";
export type { TextEncoding } from "./tables/text-encoding.ts";
export { type BpeOptions, trainBpe } from "./text/bpe.ts";
export { parseConll } from "./text/conll.ts";
export { learnDictionary, type TokenPair } from "./text/dictionary.ts";
export { type LabelledTextsOptions, labelledTexts, type TextsWithLabels } from "./text/labelled-records.ts";
export { type LabelledText, type LabelledTexts, parseLabelledText, sentimentClasses } from "./text/labelled-text.ts";
export { ignoredLabel, type MaskingOptions, maskTokens } from "./text/masking.ts";
export { type QuestionAnswer, questionAnswers, type TextSpan } from "./text/question-answers.ts";
export {
  type TaggedSentence,
  type TaggedSentences,
  type TaggedWordsOptions,
  tagFields,
  taggedWords,
} from "./text/tagged-words.ts";
export {
  characterRuns,
  fitTextFeatures,
  lengthOfText,
  type ReadText,
  type TextFeatures,
  textFeatureRows,
  textFeaturesSchema,
  textFeaturesText,
  textIds,
  wordsAndPairs,
} from "./text/text-features.ts";
export { type TextPair, type TextPairsOptions, textPairs } from "./text/text-pairs.ts";
export { type TextWindow, textWindows } from "./text/text-windows.ts";
export {
  characterTokenizer,
  type Tokenizer,
  type TokenizerFile,
  tokenizerFileSchema,
  tokenizerOf,
} from "./text/tokenizer.ts";
export { pairMessages, parseTranslations, type Translation, type Translations } from "./text/translations.ts";
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
} from "./text/vocabulary.ts";
