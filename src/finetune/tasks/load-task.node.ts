/** A task of fine-tuning from files: which one, by what the data is. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { imageExtensions } from "../../data/images/image.node.ts";
import { loadImageFolder, loadRecords, loadSoundFolder } from "../../data/index.node.ts";
import {
  type ChatTemplate,
  type Conversation,
  conversationOf,
  type FileRecord,
  labelledTexts,
  questionAnswers,
  type Tokenizer,
  tagFields,
  taggedWords,
  textPairs,
} from "../../data/index.ts";
import { entriesOf } from "../../data/pipeline/class-folders.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { type AudioTask, audioClassification, soundFormatOf } from "./audio-classification.ts";
import {
  type Base,
  type BaseOptions,
  openBase,
  pixelScalingBeside,
  poolingBeside,
  samplingRateBeside,
  templateBeside,
  tokenizerBeside,
  usualRate,
} from "./base.node.ts";
import { chatTuning } from "./chat.ts";
import { textEmbedding } from "./embedding.ts";
import { type ImageTask, imageClassification, imageSizeOf } from "./image-classification.ts";
import { questionAnswering } from "./question-answering.ts";
import { type BatchSettings, type FinetuneTask, type TaskName, taskNames } from "./task.ts";
import { textClassification } from "./text-classification.ts";
import type { TextReader } from "./text-rows.ts";
import { tokenClassification } from "./token-classification.ts";

/** What is to be learned, and from what. */
export interface LoadTaskOptions extends BatchSettings {
  /** A file or folder, a run, or `owner/name` on the hub. */
  readonly base: string;
  /** A folder of images or of sounds by class; or a file of records: .jsonl, .json, .csv, .tsv, .parquet, .conll. */
  readonly data: string;
  /** Default by what the data is. */
  readonly task?: TaskName | undefined;
  /** The layer whose output a new head takes; default what the model's own scores are made of. */
  readonly at?: string | undefined;
  /** Of sounds: samples a second of what the model reads; default what the files beside it say, else 16,000. */
  readonly rate?: number | undefined;
  /** Of texts, tokens at most; default what the model reads, and no more than 512. */
  readonly length?: number | undefined;
  /** Of conversations: a built-in template by name; default the one of the model. */
  readonly template?: string | undefined;
  /** Of conversations: what is learned; default the assistant's answers. */
  readonly learned?: "answers" | "last" | "all" | undefined;
  /** Of conversations: several share a row; default false. */
  readonly packs?: boolean | undefined;
  /** Whether the pretrained weights are loaded; default true. */
  readonly weights?: boolean | undefined;
  /** As bytes of the pretrained model arrive. */
  readonly onProgress?: BaseOptions["onProgress"];
}

/** A task with what its model is asked with. */
export interface LoadedTask extends FinetuneTask {
  /** Which task it is. */
  readonly task: TaskName;
  /** The pretrained model. */
  readonly base: Base;
  /** Of texts: how they become rows of tokens. */
  readonly reader?: TextReader;
  /** Of conversations: what the model writes with. */
  readonly writer?: { readonly tokenizer: Tokenizer; readonly positions: number; readonly template: ChatTemplate };
  /** Of sounds: what becomes of a clip. */
  readonly sound?: AudioTask["sound"];
  /** Of images: how they are prepared. */
  readonly images?: Pick<ImageTask, "image" | "prepare">;
}

/** The usual length of texts. */
const usualLength = 512;

/** The task that records or a folder are for. Throws DataError for records that fit none. */
function taskOf(first: FileRecord | undefined): TaskName {
  const { fields = {}, where = "" } = first ?? {};
  const has = (name: string) => Object.hasOwn(fields, name);
  if (has("text") && (has("label") || has("labels"))) return "text-classification";
  if (has("anchor") && has("positive")) return "embedding";
  if ((has("question") && has("context")) || Array.isArray(fields["paragraphs"] ?? fields["data"]))
    return "question-answering";
  if ((has("tokens") || has("words")) && tagFields.some(has)) return "token-classification";
  if (["messages", "conversations", "prompt", "instruction", "text"].some(has)) return "chat";
  throw new DataError(
    `${where}: has ${Object.keys(fields).join(", ") || "no fields"}; expected text and label to classify, anchor and positive to embed, tokens and tags to tag words, question, context and answers to answer from a text, or messages, conversations, prompt and completion, instruction and output, or text to write; rename the fields, or name the task: --task ${taskNames.join(" | ")}`,
  );
}

const folderTasks: readonly TaskName[] = ["image-classification", "audio-classification"];

/** The task that the files in the folders of a folder are for. Throws DataError for a folder with files of neither or of both kinds. */
async function folderTaskOf(data: string): Promise<TaskName> {
  const classes = (await entriesOf(data)).filter((entry) => entry.isDirectory());
  const endings = new Set<string>();
  for (const { name } of classes)
    for (const file of await entriesOf(join(data, name))) endings.add(endingOf(file.name));
  const [images, sounds] = [imageExtensions.some((own) => endings.has(own)), endings.has(".wav")];
  if (images !== sounds) return images ? "image-classification" : "audio-classification";
  if (images) throw new DataError(`${data} has images and sounds; name the task: --task ${folderTasks.join(" | ")}`);
  throw new DataError(
    `${data} has no images and no sounds, expected a folder for each class with files ${imageExtensions.join(", ")} or .wav; pass the folder that holds those`,
  );
}

/** The task of data, with their records. Throws FileError for data that are not there, and DataError for those that fit no task. */
async function taskWithRecords({ data, task }: Pick<LoadTaskOptions, "data" | "task">) {
  if (!existsSync(data)) throw new FileError(`there is no file or folder ${data} with the data; check the path`);
  const isFolder = statSync(data).isDirectory();
  const records = isFolder ? [] : await loadRecords(data);
  return { isFolder, records, task: task ?? (isFolder ? await folderTaskOf(data) : taskOf(records[0])) };
}

/** The task that is named, else the one of the data. Throws what `loadTask` throws of data that are for none. */
export const taskNameOf = async (options: Pick<LoadTaskOptions, "data" | "task">): Promise<TaskName> =>
  options.task ?? (await taskWithRecords(options)).task;

/**
 * Opens a pretrained model and the data that it is to learn, as a task. Throws FileError, DataError and OptionError that say what is missing or
 * does not fit.
 */
export async function loadTask(options: LoadTaskOptions): Promise<LoadedTask> {
  const { data, length } = options;
  const { isFolder, records, task } = await taskWithRecords(options);
  if (isFolder !== folderTasks.includes(task))
    throw new OptionError(
      `${task} is learned from ${isFolder ? "a file of records (.jsonl, .csv, .parquet), and" : "a folder with a folder of files for each class, and"} ${data} is a ${isFolder ? "folder" : "file"}; pass other data, or another task`,
    );
  if (options.rate !== undefined && task !== "audio-classification")
    throw new OptionError(`a rate of samples is of sounds, and ${task} reads none; leave rate out`);
  const base = await openBase(options.base, { weights: options.weights ?? true, onProgress: options.onProgress });
  if (task === "image-classification") {
    const { height, width, channels } = imageSizeOf(base.model);
    const images = await loadImageFolder(data, { size: [height, width], channels });
    const made = await imageClassification(base.model, images, { ...options, scaling: await pixelScalingBeside(base) });
    return { ...made, task, base, images: made };
  }
  if (task === "audio-classification") {
    const rate = options.rate ?? (await samplingRateBeside(base)) ?? usualRate;
    const sound = soundFormatOf(base.model, rate);
    const sounds = await loadSoundFolder(data, { rate, seconds: sound.samples / rate });
    return { ...audioClassification(base.model, sounds, { ...options, rate }), task, base };
  }
  const tokenizer = await tokenizerBeside(base);
  const reads = Math.min(base.positions ?? usualLength, length ?? usualLength);
  if (length !== undefined && base.positions !== undefined && length > base.positions)
    throw new OptionError(
      `texts of ${length} tokens are too long: the model reads ${base.positions}; pass a length up to that`,
    );
  if (task === "chat") {
    const template = await templateBeside(base, options.template ?? "");
    const conversations: Conversation[] = records.map(({ fields, where }) => conversationOf(fields, where));
    const made = chatTuning(base.model, conversations, { ...options, tokenizer, template, length: reads });
    return { ...made, task, base, writer: { tokenizer, positions: base.positions ?? reads, template } };
  }
  const texts = { ...options, tokenizer, length: reads };
  if (task === "embedding") {
    const pooling = options.at === undefined ? await poolingBeside(base) : undefined;
    return { ...textEmbedding(base.model, textPairs(records), { ...texts, pooling }), task, base };
  }
  if (task === "token-classification")
    return { ...tokenClassification(base.model, taggedWords(records), texts), task, base };
  if (task === "question-answering")
    return { ...questionAnswering(base.model, questionAnswers(records), texts), task, base };
  const kind = task === "text-regression" ? "numbers" : "classes";
  return { ...textClassification(base.model, labelledTexts(records, { kind }), texts), task, base };
}
