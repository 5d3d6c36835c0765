/** Log-mel features: how loud each band of pitch is, in short frames of a sound. */

import FFT from "fft.js";
import { OptionError } from "../../core/errors.ts";
import { count, pairType, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";

/** Options of `logMel` and `melOf`. */
export interface MelOptions {
  /** Samples a second. */
  readonly rate: number;
  /** Bands; default 40. */
  readonly bands?: number;
  /** Seconds of a frame; default 0.025. */
  readonly window?: number;
  /** Seconds from a frame to the next; default 0.01. */
  readonly hop?: number;
  /** Lowest and highest frequency, Hz; default 20 to half the rate. */
  readonly range?: readonly [low: number, high: number];
}

const checkOptions = optionsOf<MelOptions>("logMel", {
  rate: required(positive),
  bands: count(),
  window: positive,
  hop: positive,
  range: pairType("[low, high] in Hz"),
});

/** The mel scale: m = 2595 log10(1 + f / 700) (O'Shaughnessy 1987, "Speech Communication"; HTK Book, sec. 5.4). */
export const melOf = (frequency: number): number => 2595 * Math.log10(1 + frequency / 700);
const frequencyOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Power below which nothing is told apart: a hundred times that of the rounding of 16-bit samples in a frame of 25 ms. */
const floor = 1e-6;

/** A band's weights of the bins of a spectrum, from the first that is not 0. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangles evenly spaced in mel, each from its left neighbour's peak to its right one's. */
function bandsOf(count: number, [low, high]: readonly [number, number], rate: number, bins: number): Band[] {
  const step = (melOf(high) - melOf(low)) / (count + 1);
  const edges = Array.from({ length: count + 2 }, (_, i) => frequencyOf(melOf(low) + i * step));
  return Array.from({ length: count }, (_, band) => {
    const [left = 0, peak = 0, right = 0] = edges.slice(band, band + 3);
    const heights = Array.from({ length: bins }, (_, bin) => {
      const frequency = (bin * rate) / (2 * (bins - 1));
      return Math.max(0, Math.min((frequency - left) / (peak - left), (right - frequency) / (right - peak)));
    });
    const first = Math.max(
      0,
      heights.findIndex((height) => height > 0),
    );
    return { first, weights: Float64Array.from(heights.slice(first, heights.findLastIndex((h) => h > 0) + 1)) };
  });
}

/**
 * A function from samples to their log-mel features, float32 [frames, bands]: frames under a Hann window, their power
 * spectrum by an FFT of the next power of two, its sum under triangles evenly spaced on HTK's mel scale, the natural
 * logarithm. Frames lie wholly within the samples: 1 + ⌊(samples - window) / hop⌋. Throws OptionError for options that leave
 * no band, and when given fewer samples than a window.
 * @example logMel({ rate: 16_000 })(samples).shape // [98, 40] for a second
 */
export function logMel(options: MelOptions): (samples: Float32Array) => Tensor<"float32"> {
  const { rate, bands: count = 40, window = 0.025, hop = 0.01, range = [20, rate / 2] } = checkOptions(options);
  const [width, step] = [Math.round(window * rate), Math.round(hop * rate)];
  if (!(width > 1 && step > 0 && Number.isInteger(count) && count > 0))
    throw new OptionError(`logMel(): ${count} bands, windows of ${width} samples every ${step}; pass more of each`);
  if (!(range[0] >= 0 && range[0] < range[1] && range[1] <= rate / 2))
    throw new OptionError(`logMel(): the range is ${range.join(" to ")} Hz, expected one from 0 up to ${rate / 2}`);
  const size = 2 ** Math.ceil(Math.log2(width));
  const fft = new FFT(size);
  const bands = bandsOf(count, range, rate, size / 2 + 1);
  const hann = Float64Array.from({ length: width }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / width));
  const [frame, power] = [new Float64Array(size), new Float64Array(size / 2 + 1)];
  const spectrum = new Float64Array(2 * size); // real and imaginary parts in turn
  return (samples) => {
    const frames = 1 + Math.floor((samples.length - width) / step);
    if (frames < 1)
      throw new OptionError(`logMel(): got ${samples.length} samples, expected ${width} or more; pad with silence`);
    const features = new Float32Array(frames * count);
    for (let t = 0; t < frames; t++) {
      for (let i = 0; i < width; i++) frame[i] = (samples[t * step + i] ?? 0) * (hann[i] ?? 0);
      fft.realTransform(spectrum, frame);
      for (let bin = 0; bin < power.length; bin++)
        power[bin] = (spectrum[2 * bin] ?? 0) ** 2 + (spectrum[2 * bin + 1] ?? 0) ** 2;
      for (const [band, { first, weights }] of bands.entries()) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (power[first + i] ?? 0);
        features[t * count + band] = Math.log(Math.max(sum, floor));
      }
    }
    return new Tensor("float32", [frames, count], features);
  };
}
