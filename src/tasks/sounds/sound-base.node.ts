/** A pretrained model of sounds as what own sounds are learned on: its features, with a new head. */
import type { SoundFormat } from "../../data/sound/sound-format.ts";
import { featureLayer } from "../../finetune/heads/feature-layer.ts";
import { withHead } from "../../finetune/heads/with-head.ts";
import { soundFormatOf, soundInput } from "../../finetune/tasks/audio-classification.ts";
import { type BaseOptions, openBase, samplingRateBeside, usualRate } from "../../finetune/tasks/base.node.ts";
import { type Module, sequential, type TensorModule } from "../../nn/index.ts";
import { asItIs, headOf } from "../shared/base-head.ts";

/** A pretrained model of sounds. */
export interface SoundBase {
  /** What it takes of a clip. */
  readonly sound: SoundFormat;
  /** The shape of that: [samples], [1, samples], [frames, bands] or [1, frames, bands]. */
  readonly shape: readonly number[];
  /** What is to be known of it. */
  readonly note: string;
  /** The model with a new head on its features: from clips [N, …shape] to scores [N, outputs]. */
  classifier(outputs: number): TensorModule;
  /** Its features alone, [N, features]. */
  readonly features: Module;
}

/** How a base of sounds is opened. */
export interface SoundBaseOptions extends BaseOptions {
  /** Samples a second of what it reads; default what the files beside it say, or 16,000. */
  readonly rate?: number | undefined;
}

/**
 * Opens a pretrained model of sounds: a file, a folder, a run, or `owner/name` on the hub. Throws what `openBase` throws, OptionError for a
 * model of something else and for a rate that is none.
 */
export async function openSoundBase(name: string, options: SoundBaseOptions = {}): Promise<SoundBase> {
  const opened = await openBase(name, options);
  const rate = options.rate ?? (await samplingRateBeside(opened)) ?? usualRate;
  const sound = soundFormatOf(opened.model, rate);
  const layer = featureLayer(opened.model);
  const on = (head: TensorModule): Module => {
    const base = opened.model as Module<never, unknown>;
    // The first layer takes one tensor, whatever the base calls its own.
    return sequential([asItIs(), withHead(base, head, layer === undefined ? {} : { at: layer })]);
  };
  return {
    sound,
    shape: soundInput(opened.model).type.shape.slice(1),
    note: `a new head takes ${layer === undefined ? "what the base gives" : `what ${layer} of the base gives`}`,
    classifier: (outputs) => on(headOf(outputs)),
    features: on(asItIs()),
  };
}
