/** Data preparation that needs Node: data sets and files on disk, downloads, worker threads. */

export { loadChatTemplate, loadConversations, loadPreferences } from "./chat/chat-files.node.ts";
export { type ImageOptions, type PaddedImage, readImage, readPaddedImage } from "./images/image.node.ts";
export { type ImageFolder, type ImageFolderOptions, loadImageFolder } from "./images/image-folder.node.ts";
export { inWorker, type WorkerOptions } from "./pipeline/worker.node.ts";
export type { ProfileOptions } from "./profile/profile.node.ts";
export type {
  Associations,
  BoxClass,
  BoxesProfile,
  BrokenFile,
  ColumnProfile,
  DataProfile,
  FilesProfile,
  Finding,
  Histogram,
  LeftOutBoxes,
  NearDuplicate,
  NumberFigures,
  Predictor,
  SampleImage,
  SplitAdvice,
  TableProfile,
  TargetProfile,
  ValueCount,
} from "./profile/profile.ts";
export { type OpenedRecords, openRecords } from "./records/records.node.ts";
export { loadCifar10 } from "./sets/cifar10.node.ts";
export { loadFashionMnist } from "./sets/fashion-mnist.node.ts";
export type { ImageClassification, LabelledImages } from "./sets/idx-images.node.ts";
export { type Imdb, loadImdb } from "./sets/imdb.node.ts";
export { type Iris, loadIris } from "./sets/iris.node.ts";
export type { LoadOptions } from "./sets/locate.node.ts";
export { loadMnist } from "./sets/mnist.node.ts";
export { joinLines, loadMobyDick } from "./sets/moby-dick.node.ts";
export { loadMovieLens, loadSyntheticRatings } from "./sets/movielens.node.ts";
export { loadSentiment, type SubjectText, sentimentSubjects } from "./sets/sentiment.node.ts";
export {
  clipRate,
  loadSpokenWords,
  readClip,
  type SpokenClips,
  type SpokenWords,
  type SpokenWordsOptions,
} from "./sets/speech-commands.node.ts";
export { loadTranslations, loadTypescriptMessages } from "./sets/translations.node.ts";
export type { Clip } from "./sound/clip.node.ts";
export { loadSoundFolder, type SoundFolder, type SoundFolderOptions } from "./sound/sound-folder.node.ts";
export { type CsvStream, type CsvTable, loadCsv, streamCsv } from "./tables/csv.node.ts";
export {
  type Column,
  type ColumnType,
  type CsvOptions,
  type CsvSchema,
  inferCsvSchema,
} from "./tables/csv-schema.node.ts";
export { loadRecords } from "./tables/file-records.node.ts";
export { withImages } from "./tables/rows/row-images.node.ts";
export { openTable, readTable, type TableFile, type TableOptions, type TableRow } from "./tables/table-file.node.ts";
export { loadLabelledTexts, loadTextPairs } from "./text/text-files.node.ts";
