/** Random changes of sounds, each drawing from the Random that it is given. */
import { OptionError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Range } from "../images/augment.ts";

/** A change of samples; returns new ones. */
export type SoundTransform = (samples: Float32Array, random: Random) => Float32Array;

/**
 * Moves a sound by a random number of samples, up to `most` earlier or later; what enters is silence. Throws
 * OptionError unless `most` is a whole number from 0.
 */
export function shiftTime(most: number): SoundTransform {
  if (!(Number.isInteger(most) && most >= 0))
    throw new OptionError(`shiftTime(): got ${most}, expected a whole number of samples from 0`);
  return (samples, random) => {
    const shift = random.integer(2 * most + 1) - most;
    const result = new Float32Array(samples.length);
    result.set(samples.subarray(Math.max(0, -shift), samples.length - Math.max(0, shift)), Math.max(0, shift));
    return result;
  };
}

/**
 * Plays a sound faster or slower by a factor from a range, and so higher or lower: other speakers (Ko et al. 2015, "Audio
 * augmentation for speech recognition"). Its middle and its number of samples stay; silence enters or ends are lost.
 */
export function changeSpeed([low, high]: Range): SoundTransform {
  if (!(low > 0 && low <= high))
    throw new OptionError(`changeSpeed(): got [${low}, ${high}], expected factors above 0`);
  return (samples, random) => {
    const factor = random.uniform(low, high);
    const middle = (samples.length - 1) / 2;
    return Float32Array.from(samples, (_, i) => {
      const at = middle + (i - middle) * factor;
      const before = Math.floor(at);
      const part = at - before;
      return (1 - part) * (samples[before] ?? 0) + part * (samples[before + 1] ?? 0);
    });
  };
}

/** Makes a sound louder or softer by decibels from a range: 20 log10 of the factor. */
export function gain([low, high]: Range): SoundTransform {
  if (!(low <= high)) throw new OptionError(`gain(): got [${low}, ${high}], expected [low, high] in decibels`);
  return (samples, random) => {
    const factor = 10 ** (random.uniform(low, high) / 20);
    return samples.map((sample) => factor * sample);
  };
}

/** Adds white noise of a level from a range in decibels: 20 log10 of its standard deviation, full scale being 1. */
export function whiteNoise([low, high]: Range): SoundTransform {
  if (!(low <= high)) throw new OptionError(`whiteNoise(): got [${low}, ${high}], expected [low, high] in decibels`);
  return (samples, random) => {
    const deviation = 10 ** (random.uniform(low, high) / 20);
    return samples.map((sample) => sample + deviation * random.normal());
  };
}
