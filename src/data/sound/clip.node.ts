/** Clips: WAV files mixed to one channel, brought to one rate and to one length. */
import { readBytes } from "../../storage/atomic.node.ts";
import { fitLength, mixDown, resampler } from "./sound.ts";
import { readWav } from "./wav.ts";

/** A clip of sound, and what was done to make it one. */
export interface Clip {
  /** Its samples, of full scale from -1 to 1. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** What was done, such as "resampled from 8000 Hz". */
  readonly changes: readonly string[];
}

/**
 * Reads WAV files as clips of `length` samples, `rate` a second: the middle of silence for shorter ones, the loudest part of longer
 * ones. What it returns throws FileError for a broken file.
 */
export function clipReader(rate: number, length: number): (path: string) => Promise<Clip> {
  const resamplers = new Map<number, ReturnType<typeof resampler>>();
  const resamplerFrom = (from: number) => {
    const known = resamplers.get(from) ?? resampler(from, rate);
    resamplers.set(from, known);
    return known;
  };
  const shown = (samples: number) => (samples / rate).toFixed(2);
  const span = length === rate ? "second" : `${shown(length)} s`;
  return async (path) => {
    const sound = readWav(await readBytes(path, "sound"), path);
    const whole = resamplerFrom(sound.rate)(mixDown(sound));
    const changes = [
      sound.channels.length > 1 && `mixed from ${sound.channels.length} channels`,
      sound.rate !== rate && `resampled from ${sound.rate} Hz`,
      whole.length > length && `the loudest ${span} of ${shown(whole.length)}`,
      whole.length < length && `${shown(whole.length)} s filled up with silence`,
    ];
    return { samples: fitLength(whole, length), changes: changes.filter((change) => change !== false) };
  };
}
