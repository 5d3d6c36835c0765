/** A folder of sounds with one subfolder for each class (`birds/owl/1.wav`), read from disk as they are needed. */
import { OptionError } from "../../core/errors.ts";
import { matching, oneOf, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { loadClassFolders } from "../pipeline/class-folders.node.ts";
import type { Dataset, Labelled } from "../pipeline/dataset.ts";
import { clipReader } from "./clip.node.ts";

/** Options of `loadSoundFolder`. */
export interface SoundFolderOptions {
  /** Samples a second of every clip, to which others are resampled; default 16,000. */
  readonly rate?: number;
  /** How long every clip is, in seconds: shorter sounds lie in the middle of silence, of longer ones the loudest part is taken; default 1. */
  readonly seconds?: number;
  /** What to do about a file that cannot be read: stop when its turn comes, or look at all first and leave it out; default "error". */
  readonly unreadable?: "error" | "skip";
}

const checkOptions = optionsOf<SoundFolderOptions>("loadSoundFolder", {
  rate: matching<number>(
    "a whole number from 1000 to 192000",
    (value) => Number.isInteger(value) && Number(value) >= 1000 && Number(value) <= 192_000,
  ),
  seconds: positive,
  unreadable: oneOf("error", "skip"),
});

/** The sounds of a folder of subfolders, one a class. */
export interface SoundFolder {
  /** Samples with x float32 [rate · seconds], of full scale from -1 to 1, and y int32 []; class by class, to be shuffled. */
  readonly all: Dataset<Labelled>;
  /** Names of the subfolders in alphabetical order; y is the place in it. */
  readonly classes: readonly string[];
  /** The files, in the order of the samples. */
  readonly paths: readonly string[];
  /** What is wrong with each file left out. */
  readonly skipped: readonly string[];
}

/**
 * A dataset over the WAV files of a folder, each mixed to one channel, brought to one rate and one length. Throws FileError for a
 * folder that cannot be listed, and naming a broken file when its turn comes; DataError when there are no classes or no sounds.
 * @example
 * const { all, classes } = await loadSoundFolder("birds", { rate: 16_000, seconds: 2 });
 * all.shuffle(keyOf(1)).batch(32).prefetch(2);
 */
export async function loadSoundFolder(dir: string, options: SoundFolderOptions = {}): Promise<SoundFolder> {
  const { rate = 16_000, seconds = 1, unreadable = "error" } = checkOptions(options);
  const length = Math.round(rate * seconds);
  if (length < 1)
    throw new OptionError(`loadSoundFolder: ${seconds} s at ${rate} Hz are less than one sample; pass more seconds`);
  const readClip = clipReader(rate, length);
  return loadClassFolders(dir, {
    what: "sound",
    endings: [".wav"],
    skipsUnreadable: unreadable === "skip",
    read: async (path) => new Tensor("float32", [length], (await readClip(path)).samples),
  });
}
