/** Sounds made alike: mixed to one channel, brought to one rate, cut or filled up to one length. */
import { OptionError } from "../../core/errors.ts";
import type { Sound } from "./wav.ts";

/** One channel from several: the mean of their samples, sample by sample. */
export function mixDown({ channels }: Sound): Float32Array {
  const [first = new Float32Array(0), ...others] = channels;
  if (others.length === 0) return first;
  return first.map((sample, i) => others.reduce((sum, channel) => sum + (channel[i] ?? 0), sample) / channels.length);
}

/** Zero crossings of the sinc on each side that are summed: leaves some -60 dB of what cannot be represented. */
const crossings = 16;

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/**
 * A function from samples taken at rate `from` to what they would be at rate `to`: the band-limited signal through them
 * (Shannon 1949), read between the samples by a sinc under a Hann window (Smith 2002, "Digital Audio Resampling"). What lies
 * above half of the lower rate is filtered out; outside the samples is silence. Throws OptionError for a rate that is no
 * whole number above 0.
 */
export function resampler(from: number, to: number): (samples: Float32Array) => Float32Array {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from > 0 && to > 0))
    throw new OptionError(`resampler(): got rates of ${from} and ${to}, expected whole numbers above 0`);
  if (from === to) return (samples) => samples;
  // y(t) = Σ x[n] h(t - n), h(d) = c sinc(c d) w(d), the cutoff c = 1 or, going down, to / from.
  const cutoff = Math.min(1, to / from);
  const reach = crossings / cutoff;
  const side = Math.ceil(reach);
  const weight = (distance: number): number => {
    if (Math.abs(distance) >= reach) return 0;
    const angle = Math.PI * cutoff * distance;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / reach));
  };
  // Times t = i up / down in input samples fall on `down` different places between two of them.
  const divisor = greatestDivisor(from, to);
  const [up, down] = [from / divisor, to / divisor];
  const taps = Array.from({ length: down }, (_, place) =>
    Float64Array.from({ length: 2 * side }, (_, k) => weight(place / down - (k - side + 1))),
  );
  return (samples) =>
    new Float32Array(Math.round((samples.length * down) / up)).map((_, i) => {
      const own = taps[(i * up) % down] as Float64Array;
      const first = Math.floor((i * up) / down) - side + 1;
      const end = Math.min(own.length, samples.length - first);
      let sum = 0;
      for (let k = Math.max(0, -first); k < end; k++) sum += (samples[first + k] as number) * (own[k] as number);
      return sum;
    });
}

/**
 * Exactly `length` samples: the middle of what is shorter is kept in the middle of silence, of what is longer the loudest
 * segment.
 */
export function fitLength(samples: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(length);
  if (samples.length <= length) result.set(samples, Math.floor((length - samples.length) / 2));
  else {
    const start = loudest(samples, length);
    result.set(samples.subarray(start, start + length));
  }
  return result;
}

/** Where the segment of `length` samples with the most energy begins. */
function loudest(samples: Float32Array, length: number): number {
  const energy = (i: number) => (samples[i] ?? 0) ** 2;
  let sum = 0;
  let [best, start] = [Number.NEGATIVE_INFINITY, 0];
  for (let end = 0; end < samples.length; end++) {
    sum += energy(end) - (end >= length ? energy(end - length) : 0);
    if (end >= length - 1 && sum > best) [best, start] = [sum, end - length + 1];
  }
  return start;
}
