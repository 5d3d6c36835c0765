/** What a command is asked to inspect: an architecture by name, or what is given otherwise. */
import { moduleNetwork } from "../../analyze/networks/module-network.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { OptionError } from "../../core/errors.ts";
import { presets } from "../../models/index.ts";
import { type OptionValues, toggle, wholeNumber } from "../command.ts";
import type { Output } from "../output.ts";
import { chooseInputs, type ShapeOptions } from "./shapes.ts";

/** What the argument of these commands may be, for their help. */
export const targetDescription =
  "an architecture (resnet50), a recipe, your own .ts or .js module, an .onnx, .safetensors, .gguf, .keras, .h5, config.json or model.json file, a folder with one, or the name of a model in Hugging Face's cache (owner/name; see download)";

/** What changes an architecture that is named. */
export const architectureOptions = {
  classes: wholeNumber("of a named architecture: outputs of its classifier", 1),
  withoutAuxiliary: toggle("of a named architecture: leave its auxiliary heads out"),
} as const;

export type TargetOptions = ShapeOptions & OptionValues<typeof architectureOptions>;

/** Opens a target. Throws SardonyxError that says what was found instead. */
export async function openTarget(
  target: string,
  { classes, withoutAuxiliary, ...shapes }: TargetOptions,
  output: Output,
): Promise<Network> {
  const preset = Object.hasOwn(presets, target) ? presets[target] : undefined;
  if (preset) {
    const { name, source, inputs, build } = preset;
    const model = build({ ...(classes !== undefined && { classes }), ...(withoutAuxiliary && { auxiliary: false }) });
    return moduleNetwork({ name, source, model, inputs: chooseInputs(inputs, shapes), limits: shapes.limit });
  }
  if (classes !== undefined || withoutAuxiliary)
    throw new OptionError(
      `${classes === undefined ? "--without-auxiliary" : "--classes"} applies to named architectures such as googlenet, and ${target} is not one; leave it out`,
    );
  // The readers of all formats and the recipes are twice as much code as the architectures.
  const { openGiven } = await import("./given.ts");
  return openGiven(target, shapes, output);
}
