/** Sounds of your own as a task: found, read as log-mel features, in parts, with what is predicted of them. */
import { createHash } from "node:crypto";
import { DataError } from "../../core/errors.ts";
import { byteText, count, plural } from "../../core/number-text.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Dataset, fromIndexed, fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import { gatherRows, rowOf } from "../../data/pipeline/rows.ts";
import { clipReader } from "../../data/sound/clip.node.ts";
import { type SoundFormat, soundPreparation } from "../../data/sound/sound-format.ts";
import { readWav } from "../../data/sound/wav.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import type { SampleSplit } from "../shared/feature-rows.ts";
import { findSamples, requireClasses, type SampleRequest } from "../shared/find-samples.node.ts";
import { partSamples } from "../shared/part-samples.ts";
import { brokenNotes, readEach, someOf } from "../shared/read-files.ts";
import type { SoundBase } from "./sound-base.node.ts";
import { usualBands } from "./sound-views.ts";

/** What sounds are loaded, and how. */
export interface SoundRequest extends SampleRequest {
  /** Length of every clip; 0: by the sounds. */
  readonly seconds: number;
  /** What a base takes of a clip, and in which shape; default features by the sounds. */
  readonly taken?: Pick<SoundBase, "sound" | "shape"> | undefined;
}

/** Sounds that are loaded: samples have x float32 of one shape. */
export interface LoadedSounds extends SampleSplit {
  readonly sound: SoundFormat;
  /** Of what is made of a clip: [frames, bands], or as a base takes it. */
  readonly shape: readonly number[];
  /** What they were taken for, in sentences. */
  readonly notes: readonly string[];
}

/** Sounds looked at before all are read. */
const looked = 48;
/** The highest rate that sounds are brought to: speech has little above half of it. */
const highestRate = 16_000;
/** Seconds of a clip that are chosen by themselves. */
const [shortest, longest] = [0.3, 4];
/** Share of the sounds that fit in a clip. */
const fitting = 0.9;
/** Bytes of features that are kept in memory. */
const mostBytes = 1.5 * 2 ** 30;

/** The rate and length that sounds are brought to, by a look at some of them, and why. Throws DataError where none of those can be read. */
async function lookAtSounds(paths: readonly string[], asked: number) {
  const { results, problems } = await readEach(someOf(paths, looked), async (path) => {
    const { rate, channels } = readWav(await readBytes(path, "sound"), path);
    return { rate, seconds: (channels[0]?.length ?? 0) / rate };
  });
  const seen = results.filter((own) => own !== undefined);
  if (seen.length === 0)
    throw new DataError(
      `none of ${plural(results.length, "sound")} that were looked at can be read: ${problems[0]}; replace the files, or check the paths`,
    );
  const at = (values: readonly number[], share: number) =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] as number;
  const lengths = seen.map(({ seconds }) => seconds);
  const usual = at(lengths, fitting);
  const seconds = asked > 0 ? asked : Math.min(longest, Math.max(shortest, Math.ceil(10 * usual) / 10));
  const rates = seen.map(({ rate }) => rate);
  const rate = Math.min(highestRate, at(rates, 0.5));
  const why = asked > 0 ? "as asked" : `nine of ten take ${usual.toFixed(2)} s at most; --seconds says otherwise`;
  return {
    sound: { rate, samples: Math.round(rate * seconds), bands: usualBands },
    note: `clips of ${seconds} s at ${rate} Hz: shorter ones lie in silence, of longer ones the loudest part is taken (${why})`,
  };
}

/** The clips of a base, and what is said of them. */
const asBaseTakes = (sound: SoundFormat) => ({
  sound,
  note: `clips of ${(sound.samples / sound.rate).toFixed(2)} s at ${sound.rate} Hz, as the base takes them: shorter ones lie in silence, of longer ones the loudest part is taken`,
});

/**
 * Finds the WAV files of a folder or table, reads each once, and parts them. What is learned of the target is learned of the sounds to train
 * on. Throws FileError or DataError for what cannot be read, and for too few sounds or classes.
 */
export async function loadSounds(request: SoundRequest): Promise<LoadedSounds> {
  const { path, seed, seconds, taken } = request;
  const { files, choice, what, notes } = await findSamples(request, { what: "sound", endings: [".wav"] });
  const paths = files.map((own) => own.path);
  const { sound, note } = taken ? asBaseTakes(taken.sound) : await lookAtSounds(paths, seconds);
  const readClip = clipReader(sound.rate, sound.samples);
  const prepare = soundPreparation(sound);
  const width = prepare(new Float32Array(sound.samples)).length;
  const { bands } = sound;
  const shape = taken?.shape ?? (bands === undefined ? [width] : [width / bands, bands]);
  const keeps = 4 * width * files.length <= mostBytes;
  const { results, problems } = await readEach(paths, async (own) => {
    const { samples } = await readClip(own);
    const sum = createHash("sha256").update(new Uint8Array(samples.buffer)).digest("base64");
    return { sum, ...(keeps && { features: prepare(samples) }) };
  });
  const sounds = files.flatMap((own, place) => {
    const read = results[place];
    return read ? [{ ...own, ...read, label: choice.classOf?.(own.cells) }] : [];
  });
  const { parts, notes: noted } = partSamples(sounds, { what: "sound", seed });
  const { target, y } = choice.fit(
    sounds.map(({ cells }) => cells),
    parts.train,
  );
  requireClasses(path, target, y);
  const samplesOf = (places: readonly number[]): Dataset<Labelled> => {
    const labels = gatherRows(y, places);
    if (!keeps)
      return fromIndexed(places.length, async (index) => ({
        x: new Tensor("float32", shape, prepare((await readClip(sounds[places[index] as number]?.path ?? "")).samples)),
        y: rowOf(labels, index),
      }));
    const x = new Float32Array(places.length * width);
    for (const [i, place] of places.entries()) x.set(sounds[place]?.features as Float32Array, i * width);
    return fromTensors({ x: new Tensor("float32", [places.length, ...shape], x), y: labels });
  };
  return {
    sound,
    shape,
    target,
    parts: { train: samplesOf(parts.train), validation: samplesOf(parts.validation), test: samplesOf(parts.test) },
    notes: [
      `${what}: ${plural(parts.train.length, "sound")} to train on, ${parts.validation.length} to choose by, ${parts.test.length} to test on`,
      ...notes,
      note,
      ...(bands === undefined
        ? []
        : [
            `log-mel features of ${bands} bands in ${count(width / bands)} frames, of mean 0 and deviation 1 in each clip`,
          ]),
      ...(keeps
        ? []
        : [
            `${bands === undefined ? "clips" : "features"} take ${byteText(4 * width * files.length)}, too much to keep: sounds are read anew in every epoch`,
          ]),
      ...brokenNotes(problems, "sound"),
      ...noted,
    ],
  };
}
