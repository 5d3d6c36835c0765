/** What is sent to be predicted, as a model's raw inputs: JSON, texts, or the bytes of a file, which is never one that the sender names. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, OptionError, reword, SardonyxError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import { lengthOfText, type TextFeatures, textFeatureRows, textIds } from "../../data/text/text-features.ts";
import { type InputTarget, readInput } from "../../runs/open/predict-input.node.ts";
import { HttpError } from "../http-error.ts";
import type { PredictBody } from "../served-model.ts";

/** How files of some types end, by their type. */
const endings: Readonly<Record<string, string>> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/webp": ".webp",
  "image/gif": ".gif",
  "image/tiff": ".tiff",
  "image/avif": ".avif",
  "audio/wav": ".wav",
  "audio/x-wav": ".wav",
  "audio/wave": ".wav",
  "audio/vnd.wave": ".wav",
  "text/csv": ".csv",
  "application/vnd.apache.parquet": ".parquet",
};

/** How a file of a type ends; nothing of a type that is no file which models read. */
export const endingOfType = (type: string): string | undefined =>
  Object.hasOwn(endings, type) ? endings[type] : undefined;

const textOf = ({ bytes }: PredictBody): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError("the body is no text in UTF-8; send it so, or say what it is by Content-Type", { cause });
  }
};

/** The texts of a body: one as it is, or one or several in JSON. Throws DataError for an empty one, HttpError for another type. */
export function textsOfBody(body: PredictBody): readonly string[] {
  if (body.type === "text/plain") return required([textOf(body)]);
  requireJson(body, "text/plain, or application/json with a text or a list of texts");
  const parsed = jsonOfBody(body);
  const texts = Array.isArray(parsed) ? parsed : [parsed];
  if (texts.length === 0 || !texts.every((text) => typeof text === "string"))
    throw new DataError('the body is no text; send "It was a pleasure", or a list of those');
  return required(texts);
}

function required(texts: readonly string[]): readonly string[] {
  const empty = texts.findIndex((text) => text.trim() === "");
  if (empty >= 0) throw new DataError(`text ${empty + 1} of ${texts.length} is empty; leave it out`);
  return texts;
}

/** What the JSON of a body holds. */
export function jsonOfBody(body: PredictBody): unknown {
  const text = textOf(body);
  try {
    return parseJson(text);
  } catch (cause) {
    throw new DataError(`the body is no JSON (${(cause as Error).message}); send numbers such as [5.1, 3.5]`, {
      cause,
    });
  }
}

const isJson = ({ type }: PredictBody) => type === "application/json" || type.endsWith("+json");

function requireJson(body: PredictBody, expected: string): void {
  if (!isJson(body))
    throw new HttpError(
      415,
      `the body is ${quoted(body.type.slice(0, 60))}, expected ${expected}; say so by Content-Type`,
    );
}

/** Rows of texts that are known by their words. */
export function rowsOfTexts(texts: readonly string[], features: TextFeatures): Tensor<"int32"> {
  const read = textIds(features)(texts);
  const length = read.reduce((most, own) => Math.max(most, lengthOfText(own, features)), 1);
  // Powers of two, so that few graphs are compiled.
  return textFeatureRows(read, Math.min(features.longest, 2 ** Math.ceil(Math.log2(length))), features.runs);
}

/** The raw samples [N, …] of a body, for a model of images, sounds, rows of a table or numbers. Throws SardonyxError in words of the body. */
export async function samplesOfBody(body: PredictBody, target: InputTarget): Promise<Tensor> {
  const { table, image, sound } = target.format ?? {};
  const images = table?.fields.filter(({ kind }) => kind === "image") ?? [];
  if (images.length > 0)
    throw new OptionError(
      `rows of this model name images (${images.map(({ name }) => quoted(name)).join(", ")}), which a server does not open; predict them by: sardonyx predict RUN rows.csv`,
    );
  try {
    // What is no text for the model can only be JSON.
    if (isJson(body) || body.type === "text/plain") return (await readInput(jsonText(body), target)).samples;
    const ending = endingOfType(body.type);
    if (ending === undefined)
      requireJson(body, expectedOf(image !== undefined, sound !== undefined, table !== undefined));
    return await asFile(body.bytes, ending as string, async (path) => (await readInput(path, target)).samples);
  } catch (error) {
    throw wordedOfBody(error);
  }
}

/** An error that names the file of a body, in words of the body. */
export function wordedOfBody(error: unknown): unknown {
  if (error instanceof SardonyxError) reword(error, inWordsOfBody(error.message));
  return error;
}

const expectedOf = (image: boolean, sound: boolean, table: boolean): string =>
  `application/json${image ? ", or an image such as image/png" : ""}${sound ? ", or audio/wav" : ""}${table ? ", or text/csv" : ""}`;

/** The text of a body that is certainly JSON: what begins otherwise could be taken for a path. */
function jsonText(body: PredictBody): string {
  const parsed = jsonOfBody(body);
  if (typeof parsed !== "object" || parsed === null)
    throw new DataError("the body is no list and no object; send numbers such as [5.1, 3.5]");
  return textOf(body);
}

const fileName = "body";

/** Uses bytes as a file of a kind: in a folder of its own, which is gone afterwards. */
export async function asFile<T>(bytes: Uint8Array, ending: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sardonyx-serve-"));
  try {
    const path = join(folder, `${fileName}${ending}`);
    await writeFile(path, bytes, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A message that names the file, or begins with the JSON itself, with the body in its place. */
const inWordsOfBody = (message: string): string =>
  message
    .replaceAll(/\S*sardonyx-serve-\w+[/\\]body\.\w+/g, "the body")
    .replace(/^\s*[[{].*?(?:…|[\]}]): /s, "the body: ");
