/** Features of sounds as they are trained on: moved in time, and once more with parts left out. */
import { foldIn, type Key, type Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset, Labelled } from "../../data/pipeline/dataset.ts";
import { rowwise } from "../../data/pipeline/rowwise.ts";
import { type SoundFormat, soundPreparation } from "../../data/sound/sound-format.ts";
import { eitherOrBoth } from "../shared/candidate-objective.ts";

/** The networks of sounds: one hears all of a clip, one with parts left out. */
export const soundChoices = eitherOrBoth(["plain", "masked"]);

/** Share of the frames by which a sound may be moved. */
const moved = 0.1;
/** Shares of the frames and of the bands that are left out at most. */
const masked = { frames: 0.2, bands: 0.2 } as const;

/** Features [N, frames, bands], each clip earlier or later by some frames; what enters repeats the first frame or the last. */
function shifted({ shape, data }: Tensor, random: Random): Tensor<"float32"> {
  const [clips = 0, frames = 0, bands = 0] = shape;
  const most = Math.round(moved * frames);
  const result = new Float32Array(data.length);
  for (let clip = 0; clip < clips; clip++) {
    const shift = random.integer(2 * most + 1) - most;
    for (let frame = 0; frame < frames; frame++) {
      const from = clip * frames + Math.min(frames - 1, Math.max(0, frame - shift));
      result.set((data as Float32Array).subarray(from * bands, (from + 1) * bands), (clip * frames + frame) * bands);
    }
  }
  return new Tensor("float32", shape, result);
}

/** The same with some frames and some bands in a row at their mean, 0 (Park et al. 2019, SpecAugment, sec. 2). */
function withMasks({ shape, data }: Tensor, random: Random): Tensor<"float32"> {
  const [clips = 0, frames = 0, bands = 0] = shape;
  const result = Float32Array.from(data as Float32Array);
  const rangeIn = (extent: number, share: number) => {
    const width = random.integer(Math.floor(share * extent) + 1);
    const from = random.integer(extent - width + 1);
    return [from, from + width] as const;
  };
  for (let clip = 0; clip < clips; clip++) {
    const start = clip * frames * bands;
    const [first, end] = rangeIn(frames, masked.frames);
    result.fill(0, start + first * bands, start + end * bands);
    const [low, high] = rangeIn(bands, masked.bands);
    for (let frame = 0; frame < frames; frame++)
      result.fill(0, start + frame * bands + low, start + frame * bands + high);
  }
  return new Tensor("float32", shape, result);
}

/** Batches of features in both views of the networks, changed at random. */
export const soundViews = (batches: Dataset<Labelled>, key: Key): Dataset<Batch> =>
  batches
    .map(
      rowwise(({ x, y }: Labelled, random: Random) => ({ x: shifted(x, random), y })),
      foldIn(key, "shift"),
    )
    .map(
      rowwise(({ x, y }: Labelled, random: Random) => ({ x, changed: withMasks(x, random), y })),
      foldIn(key, "mask"),
    );

/** Bands of pitch of features, where a base does not say how many. */
export const usualBands = 40;

/**
 * What baselines read of clips in a format: the mean and the standard deviation over time of each band of log-mel features, which of plain
 * samples are computed first.
 */
export function bandFeatures(sound: SoundFormat): (x: Tensor) => Float32Array {
  const { bands = usualBands } = sound;
  const prepare = soundPreparation({ ...sound, bands });
  return ({ data }) =>
    meansOfBands(sound.bands === undefined ? prepare(data as Float32Array) : (data as Float32Array), bands);
}

function meansOfBands(data: Float32Array, bands: number): Float32Array {
  const frames = data.length / bands;
  const result = new Float32Array(2 * bands);
  for (let band = 0; band < bands; band++) {
    const levels = Float64Array.from({ length: frames }, (_, frame) => Number(data[frame * bands + band]));
    const mean = levels.reduce((sum, level) => sum + level, 0) / frames;
    const variance = levels.reduce((sum, level) => sum + (level - mean) ** 2, 0) / frames;
    result[band] = mean;
    result[bands + band] = Math.sqrt(variance);
  }
  return result;
}
