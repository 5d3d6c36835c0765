/** Presets: published architectures by name, with the input they were published for. */

import { OptionError } from "../../core/errors.ts";
import { count, flag } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import type { TensorType } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/index.ts";

/** Options of `Preset.build`. */
export interface PresetOptions {
  /** Outputs of the classifier, where there is one; default those of the publication. */
  readonly classes?: number;
  /** Build the auxiliary heads that help training; default true where the architecture has some. */
  readonly auxiliary?: boolean;
}

const presetTypes: OptionTypes<PresetOptions> = { classes: count(), auxiliary: flag };
/** A published architecture with its sizes, by name. `presetOf` finds one. */
export interface Preset {
  readonly name: string;
  /** One line on what sets the architecture apart. */
  readonly summary: string;
  /** The publication. */
  readonly source: string;
  /** Types of what the model takes, by name, for one sample. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** A new model without weights. Throws OptionError for auxiliary heads or a classifier that the architecture lacks. */
  build(options?: PresetOptions): AnyModule;
}

/** A float32 batch of one image. */
export const imageInputs = (channels: number, rows: number, columns = rows): { readonly x: TensorType } => ({
  x: { dtype: "float32", shape: [1, channels, rows, columns] },
});

/** A preset of an architecture without auxiliary heads. */
export const plainPreset = (
  preset: Omit<Preset, "build">,
  build: (options: { readonly classes?: number }) => AnyModule,
): Preset => ({
  ...preset,
  build: (options = {}) => {
    const { auxiliary, classes } = optionsOf(preset.name, presetTypes)(options);
    if (auxiliary) throw new OptionError(`${preset.name} has no auxiliary heads; leave the option auxiliary out`);
    return build(classes === undefined ? {} : { classes });
  },
});

/** int64 ids of one sequence, [1, T]. */
export const tokenType = (length: number): TensorType => ({ dtype: "int64", shape: [1, length] });

/** The length that presets of tokens are shown with: their longest, at most that which BERT was published for. */
export const shownLength = (positions: number): number => Math.min(512, positions);

/** A preset that takes token ids and has no classifier; `decoder` adds the ids that a decoder takes. */
export const tokenPreset = (
  preset: Pick<Preset, "name" | "summary" | "source">,
  { positions, decoder = false }: { readonly positions: number; readonly decoder?: boolean },
  build: () => AnyModule,
): Preset => {
  const ids = tokenType(shownLength(positions));
  return {
    ...plainPreset({ ...preset, inputs: { x: ids, ...(decoder && { decoder: ids }) } }, ({ classes }) => {
      if (classes !== undefined)
        throw new OptionError(
          `${preset.name} has no classifier whose classes could be set; leave the option classes out, or build a model with a head by modelFromConfig`,
        );
      return build();
    }),
  };
};
