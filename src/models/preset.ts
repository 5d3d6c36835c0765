/** Presets: published architectures by name, with the input they were published for. */
import { OptionError } from "../core/errors.ts";
import type { TensorType } from "../graph/ir.ts";
import type { Module } from "../nn/index.ts";

export interface PresetOptions {
  /** Outputs of the classifier; default those of the publication. */
  readonly classes?: number;
  /** Build the auxiliary heads that help training; default true where the architecture has some. */
  readonly auxiliary?: boolean;
}

export interface Preset {
  readonly name: string;
  /** One line on what sets the architecture apart. */
  readonly summary: string;
  /** The publication. */
  readonly source: string;
  /** What the model takes, for one sample. */
  readonly input: TensorType;
  /** A new model without weights. Throws OptionError for auxiliary heads that the architecture lacks. */
  build(options?: PresetOptions): Module;
}

/** A float32 batch of one image. */
export const imageType = (channels: number, extent: number): TensorType => ({
  dtype: "float32",
  shape: [1, channels, extent, extent],
});

/** A preset of an architecture without auxiliary heads. */
export const plainPreset = (
  preset: Omit<Preset, "build">,
  build: (options: { readonly classes?: number }) => Module,
): Preset => ({
  ...preset,
  build: ({ auxiliary, classes } = {}) => {
    if (auxiliary) throw new OptionError(`${preset.name} has no auxiliary heads; leave the option auxiliary out`);
    return build(classes === undefined ? {} : { classes });
  },
});
