/**
 * Spoken words, each a WAV file in the folder of its word: `yes/0a7c2a8d_nohash_0.wav`. So are Speech Commands, 105,829 clips
 * of a second, 16 kHz, of 35 words by 2,618 speakers (Warden 2018, arXiv:1804.03209).
 *
 * Sources, tried in this order: the folder passed; the cache; the authors' archive
 * http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz (2,428,923,189 bytes, SHA-256
 * af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58), unpacked into the cache.
 */

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { listOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { readBytes, temporaryBeside } from "../../storage/atomic.node.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { defaultCacheDir, obtain, type RemoteFile } from "../../storage/download.node.ts";
import { tarFiles } from "../../storage/tar.ts";
import { entriesOf } from "../pipeline/class-folders.node.ts";
import { fromTensors, type TensorDataset } from "../pipeline/dataset.ts";
import { type Clip, clipReader } from "../sound/clip.node.ts";
import { type LoadOptions, loadTypes } from "./locate.node.ts";

/** Samples a second of every clip, 16,000; a clip lasts one second, so it has as many samples. */
export const clipRate = 16_000;

/** Clips as 16-bit samples, int16 [N, 16000], and the places of their words, int32 [N]. */
export type SpokenClips = { readonly x: Tensor<"int16">; readonly y: Tensor<"int32"> };

/** Recordings of single words, for training, validation and testing. */
export interface SpokenWords {
  /** Clips to train on. */
  readonly train: TensorDataset<SpokenClips>;
  /** Clips to choose settings by. */
  readonly validation: TensorDataset<SpokenClips>;
  /** Clips to measure the trained model by. */
  readonly test: TensorDataset<SpokenClips>;
  /** The words, in the order of the labels. */
  readonly words: readonly string[];
  /** What is wrong with each file left out. */
  readonly skipped: readonly string[];
}

/** Options of `loadSpokenWords`. */
export interface SpokenWordsOptions extends LoadOptions {
  /** The words, by their folders; default every folder whose name does not begin with "_" or ".". */
  readonly words?: readonly string[];
}

const checkOptions = optionsOf<SpokenWordsOptions>("loadSpokenWords", {
  ...loadTypes,
  words: listOf(string, "words"),
});

const archive: RemoteFile = {
  name: "speech-commands/speech_commands_v0.02.tar.gz",
  urls: ["http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"],
  bytes: 2_428_923_189,
  sha256: "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
};

type Part = "train" | "validation" | "test";

/** A WAV file as a clip: its channels mixed, at 16 kHz, one second. Throws FileError for a broken file. */
export const readClip: (path: string) => Promise<Clip> = clipReader(clipRate, clipRate);

/** Clips named in a list, one `word/file.wav` a line; undefined where there is none. */
async function listed(dir: string, name: string): Promise<ReadonlySet<string> | undefined> {
  const path = join(dir, name);
  if (!existsSync(path)) return undefined;
  const text = new TextDecoder().decode(await readBytes(path, "list"));
  return new Set(text.split(/\r?\n/).map((line) => line.trim()));
}

/** Of 2^27 - 1 places that a name may fall on. */
const places = 2 ** 27 - 1;

/**
 * The part that a clip belongs to where no list says so: by its speaker, who stands before `_nohash_` in its name, a tenth
 * each to validate and to test. This is the authors' rule, from which their lists come (README of the archive).
 */
export function partOf(file: string): Part {
  const speaker = basename(file).replace(/_nohash_.*$/, "");
  const digest = BigInt(`0x${createHash("sha1").update(speaker).digest("hex")}`);
  const percent = Number(digest % BigInt(places + 1)) * (100 / places);
  return percent < 10 ? "validation" : percent < 20 ? "test" : "train";
}

/** Says to which part a clip of a folder belongs. */
async function division(dir: string): Promise<(clip: string) => Part> {
  const [validation, test] = [await listed(dir, "validation_list.txt"), await listed(dir, "testing_list.txt")];
  if (!validation && !test) return partOf;
  return (clip) => (test?.has(clip) ? "test" : validation?.has(clip) ? "validation" : "train");
}

/**
 * The clips of words in a folder, or Speech Commands. Each is mixed to one channel, brought to 16 kHz and to one second;
 * broken files are left out and listed. Parts are those of `testing_list.txt` and `validation_list.txt` where there are any, and
 * the authors' otherwise; their order is drawn once, so that the first clips are of all words. Throws FileError, DataError when a
 * part would be empty, OptionError for a word that is not there.
 * @example const { train, words } = await loadSpokenWords({ words: ["yes", "no"] });
 */
export async function loadSpokenWords(options: SpokenWordsOptions = {}): Promise<SpokenWords> {
  const { words: chosen, ...load } = checkOptions(options);
  const dir = load.dir ?? (await unpacked(load));
  const folders = (await entriesOf(dir))
    .filter((entry) => entry.isDirectory() && !/^[_.]/.test(entry.name))
    .map(({ name }) => name);
  const words = chosen ?? folders;
  const missing = words.filter((word) => !folders.includes(word));
  if (missing.length > 0)
    throw new OptionError(
      `${dir} has no folder for the word${missing.length > 1 ? "s" : ""} ${missing.join(", ")}; it has ${folders.join(", ") || "none"}`,
    );
  if (words.length < 2) throw new DataError(`${dir}: has ${words.length} words, expected two or more, each a folder`);
  const files: { readonly clip: string; readonly word: number }[] = [];
  for (const [word, name] of words.entries())
    for (const { name: file } of await entriesOf(join(dir, name)))
      if (extname(file).toLowerCase() === ".wav") files.push({ clip: `${name}/${file}`, word });
  const part = await division(dir);
  const skipped: string[] = [];
  const found: Record<Part, { readonly samples: Int16Array; readonly word: number }[]> = {
    train: [],
    validation: [],
    test: [],
  };
  for (const at of new Random(foldIn(keyOf(0), "clips")).permutation(files.length)) {
    const { clip, word } = files[at] as (typeof files)[number];
    try {
      const samples = Int16Array.from((await readClip(join(dir, clip))).samples, (sample) =>
        Math.max(-32768, Math.min(32767, Math.round(sample * 32768))),
      );
      found[part(clip)].push({ samples, word });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      skipped.push(error.message);
    }
  }
  const together = (name: Part): TensorDataset<SpokenClips> => {
    const clips = found[name];
    if (clips.length === 0)
      throw new DataError(
        `${dir}: no clip is left for ${name} (${files.length} found, ${skipped.length} unreadable${skipped[0] ? `, e.g. ${skipped[0]}` : ""}); add more, or lists of which are to test (testing_list.txt) and to validate (validation_list.txt)`,
      );
    const data = new Int16Array(clips.length * clipRate);
    for (const [i, { samples }] of clips.entries()) data.set(samples, i * clipRate);
    return fromTensors({
      x: new Tensor("int16", [clips.length, clipRate], data),
      y: new Tensor(
        "int32",
        [clips.length],
        Int32Array.from(clips, ({ word }) => word),
      ),
    });
  };
  return { train: together("train"), validation: together("validation"), test: together("test"), words, skipped };
}

/** The folder of Speech Commands in the cache, downloaded and unpacked where it is not there. */
async function unpacked(options: LoadOptions): Promise<string> {
  const folder = join(options.cacheDir ?? defaultCacheDir(), "speech-commands", "v0.02");
  if (!existsSync(folder)) await unpackTarGz(await obtain(archive, options), folder);
  return folder;
}

/** Unpacks an archive into a new folder, which appears whole or not at all. Throws FileError. */
export async function unpackTarGz(path: string, folder: string): Promise<void> {
  const temporary = temporaryBeside(folder);
  try {
    const chunks = createGunzip();
    const piped = pipeline(createReadStream(path), chunks);
    // What it throws the loop throws first: nothing is written any more when it is caught.
    piped.catch(() => undefined);
    for await (const { name, bytes } of tarFiles(chunks, path)) {
      const own = normalize(name);
      if (own.startsWith("..") || own.startsWith("/"))
        throw new FileError(`${path}: the file "${name}" would lie outside of its folder; get the archive anew`);
      await mkdir(dirname(join(temporary, own)), { recursive: true });
      await writeFile(join(temporary, own), bytes);
    }
    await piped;
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (error instanceof FileError) throw error;
    throw new FileError(`${path}: cannot be unpacked to ${folder} (${systemReason(error)}); get it anew`, {
      cause: error,
    });
  }
}
