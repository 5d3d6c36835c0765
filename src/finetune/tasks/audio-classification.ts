/** Classes of sounds, by a pretrained model of samples or of log-mel features with a new head. */
import { OptionError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { type SoundFormat, soundPreparation } from "../../data/index.ts";
import type { TensorType } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/index.ts";
import { type NamedInput, onlyInput, type SamplesWithLabels, sampleClassification } from "./labelled-samples.ts";
import type { BatchSettings, FinetuneTask } from "./task.ts";

/** How sounds are read, and where the head stands. */
export interface AudioClassificationOptions extends BatchSettings {
  /** Samples a second of what the model reads. */
  readonly rate: number;
  /** The layer whose output the head takes; default what the model's own scores are made of. */
  readonly at?: string | undefined;
}

/** The task, and how further sounds are read. */
export interface AudioTask extends FinetuneTask {
  /** What becomes of a clip. */
  readonly sound: SoundFormat;
}

/** Fewer samples or frames are no sound. */
const fewest = { samples: 400, frames: 4, bands: 8 } as const;

/** Bands of features [..., frames, bands]; `undefined` for samples [N, T] or [N, 1, T]; `false` for what is neither. */
function bandsOf({ dtype, shape }: TensorType): number | undefined | false {
  const [rank, last = 0, before = 0] = [shape.length, shape.at(-1), shape.at(-2)];
  if (dtype !== "float32" || rank < 2 || rank > 4) return false;
  if (rank < 4 && (rank === 2 || before === 1)) return last >= fewest.samples ? undefined : false;
  if (rank === 4 && shape[1] !== 1) return false;
  return before >= fewest.frames && last >= fewest.bands && last <= 256 ? last : false;
}

/** The only input of a model of sounds. Throws OptionError for a model of something else. */
export const soundInput = (base: AnyModule): NamedInput =>
  onlyInput(
    base,
    (type) => bandsOf(type) !== false,
    "expected samples [N, T] or [N, 1, T], or log-mel features [N, frames, bands]; pass a model of sounds",
  );

/**
 * What a model takes of a clip, by the shape of its input: samples, or features of frames of 25 ms every 10 ms. Throws OptionError for a model
 * that takes no sound.
 */
export function soundFormatOf(base: AnyModule, rate: number): SoundFormat {
  if (!(Number.isInteger(rate) && rate >= 1000 && rate <= 192_000))
    throw new OptionError(
      `the rate is ${rate} samples a second; pass a whole number from 1000 to 192000, such as 16000`,
    );
  const { type } = soundInput(base);
  const bands = bandsOf(type);
  if (bands === undefined || bands === false) return { rate, samples: type.shape.at(-1) as number };
  const frames = type.shape.at(-2) as number;
  const [window, hop, tenth] = [Math.round(0.025 * rate), Math.round(0.01 * rate), Math.round(rate / 10)];
  const least = window + (frames - 1) * hop;
  // A second where 98 frames are of one: what is left behind the last frame does not count.
  const whole = Math.ceil(least / tenth) * tenth;
  return { rate, samples: whole < least + hop ? whole : least, bands };
}

/** A task of labelled clips of the format that the model takes. Throws DataError for too few, OptionError for a model of something else. */
export function audioClassification(
  base: AnyModule,
  sounds: SamplesWithLabels,
  options: AudioClassificationOptions,
): AudioTask {
  const sound = soundFormatOf(base, options.rate);
  const input = soundInput(base);
  const shape = input.type.shape.slice(1);
  const prepare = soundPreparation(sound);
  const seconds = (sound.samples / sound.rate).toFixed(2);
  const made = sampleClassification(base, sounds, {
    ...options,
    input: { ...input, type: { dtype: "float32", shape: [1, ...shape] } },
    prepare: ({ data }) => new Tensor("float32", shape, prepare(data as Float32Array)),
    notes: [
      `clips of ${seconds} s at ${sound.rate} Hz: shorter ones lie in silence, of longer ones the loudest part is taken`,
      ...(sound.bands === undefined
        ? []
        : [
            `log-mel features of ${sound.bands} bands, of mean 0 and deviation 1 in each clip, as the recipe keywords has them`,
          ]),
    ],
  });
  return { ...made, sound };
}
