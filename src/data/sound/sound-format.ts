/** What a model of sounds takes of a clip: its samples, or its log-mel features. */
import { logMel } from "./mel.ts";

/** Clips of one rate and length, and what is made of each. */
export interface SoundFormat {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of a clip. */
  readonly samples: number;
  /** Set for log-mel features of so many bands, of frames of 25 ms every 10 ms; default the samples themselves. */
  readonly bands?: number;
}

/**
 * A function from the samples of a clip to what a model takes: the samples, or log-mel features [frames · bands] of mean 0 and deviation 1,
 * since how loud a recording is says nothing of what it is of. Throws what `logMel` throws.
 */
export function soundPreparation({ rate, bands }: SoundFormat): (samples: Float32Array) => Float32Array<ArrayBuffer> {
  if (bands === undefined) return (samples) => Float32Array.from(samples);
  const mel = logMel({ rate, bands });
  return (samples) => {
    const features = mel(samples).data;
    const mean = features.reduce((sum, value) => sum + value, 0) / features.length;
    const variance = features.reduce((sum, value) => sum + (value - mean) ** 2, 0) / features.length;
    return Float32Array.from(features, (value) => (value - mean) / Math.sqrt(variance + 1e-6));
  };
}
