/** Data preparation that needs Node: data sets and files on disk, downloads, worker threads. */
export { loadCifar10 } from "./cifar10.node.ts";
export { type CsvStream, type CsvTable, loadCsv, streamCsv } from "./csv.node.ts";
export { type Column, type ColumnType, type CsvOptions, type CsvSchema, inferCsvSchema } from "./csv-schema.node.ts";
export { loadFashionMnist } from "./fashion-mnist.node.ts";
export type { ImageClassification, LabelledImages } from "./idx-images.node.ts";
export { type ImageOptions, readImage } from "./image.node.ts";
export { type ImageFolder, type ImageFolderOptions, loadImageFolder } from "./image-folder.node.ts";
export { type Imdb, loadImdb } from "./imdb.node.ts";
export { type Iris, loadIris } from "./iris.node.ts";
export type { LoadOptions } from "./locate.node.ts";
export { loadMnist } from "./mnist.node.ts";
export { joinLines, loadMobyDick } from "./moby-dick.node.ts";
export { loadMovieLens, loadSyntheticRatings } from "./movielens.node.ts";
export { loadSentiment, type SubjectText, sentimentSubjects } from "./sentiment.node.ts";
export {
  type Clip,
  clipRate,
  loadSpokenWords,
  readClip,
  type SpokenClips,
  type SpokenWords,
  type SpokenWordsOptions,
} from "./speech-commands.node.ts";
export { loadTranslations, loadTypescriptMessages } from "./translations.node.ts";
export { inWorker, type WorkerOptions } from "./worker.node.ts";
