/** Weights of Hugging Face's checkpoints in configured models. */
import { FileError } from "../core/errors.ts";
import { plural } from "../core/number-text.ts";
import { functionOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { asFloat32, copyOf, type Tensor } from "../core/tensor.ts";
import type { TensorType } from "../graph/ir.ts";
import { type AnyModule, isTensorType } from "../nn/index.ts";
import type { ConfiguredModel } from "./families/family.ts";
import { modelFromConfig } from "./huggingface.ts";
import { type GivenTypes, givenTypes, type NamedTypes, typesByName } from "./input-types.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { packingOptions, unpackedCheckpoint } from "./packed-tensors.ts";
import { isBuffer, type StoredTensor } from "./stored-tensors.ts";
import { matchNames } from "./tensor-names.ts";

/** The tensors of a checkpoint, of one file or of several. */
export interface Checkpoint {
  readonly names: readonly string[];
  /** How the tensor of a name is stored. */
  typeOf(name: string): Pick<StoredTensor, "shape" | "type" | "bits">;
  /** The tensor of a name. */
  read(name: string): Tensor;
}

/** Options of `modelFromHuggingFace`. */
export interface HuggingFaceOptions {
  /** Other types of what the model takes, such as another length; default those of the config. */
  readonly inputs?: GivenTypes | undefined;
  /** Is told which tensors of the checkpoint the class does not have, such as another head; default they are passed over. */
  readonly report?: ((note: string) => void) | undefined;
}

const checkOptions = optionsOf<HuggingFaceOptions>("modelFromHuggingFace", {
  inputs: givenTypes,
  report: functionOf("(note) => void"),
});

/**
 * The model of a parsed config.json with the weights of a checkpoint, which may be half floats, or packed in few bits.
 * Throws OptionError for a config or an input that is wrong, FileError for weights that are missing or of another shape.
 */
export function modelFromHuggingFace(
  config: unknown,
  checkpoint: Checkpoint,
  options: HuggingFaceOptions = {},
): LoadedModel {
  const { inputs, report } = checkOptions(options);
  const configured = modelFromConfig(config);
  const model = configured.build();
  // The first trace makes the parameters.
  model.trace(typesOf(model, configured, inputs));
  const beyond = putWeights(model, configured.name, unpackedCheckpoint(checkpoint, packingOptions(config)));
  const unexpected = beyond.filter((name) => !copied.test(name) && !isBuffer({ name, ...checkpoint.typeOf(name) }));
  if (unexpected.length > 0)
    report?.(
      `Not in a ${configured.name}: ${plural(unexpected.length, "tensor")} of the checkpoint, ${unexpected.slice(0, 3).join(", ")}${unexpected.length > 3 ? ", …" : ""}. Name the class that it was saved from in config.json where they are to be loaded.`,
    );
  return model as LoadedModel;
}

/** Names under which checkpoints hold a weight again that a model has once, since it is tied. */
const copied =
  /(^|\.)(lm_head|embed_out|proj_out|generator_lm_head|vocab_projector|predictions\.decoder|lm_head\.decoder)\.(weight|bias)$|(^|\.)(encoder|decoder)\.embed_tokens\.weight$/;

/** The types of what a config says, and those that are given. Masks and kinds of tokens are whole numbers as the tokens are. */
function typesOf(model: AnyModule, { inputs }: ConfiguredModel, given: GivenTypes | undefined): NamedTypes {
  const names = typeof model.inputs === "object" ? Object.keys(model.inputs) : Object.keys(inputs);
  const isOne = given !== undefined && (Array.isArray(given) || isTensorType(given));
  const types = typesByName(isOne ? names.slice(0, 1) : names, given);
  const whole = Array.from(types, ([name, type]) => {
    const { dtype } = inputs[name] ?? (inputs[names[0] ?? ""] as TensorType);
    return [name, isTensorType(type) ? type : { dtype, shape: type }] as const;
  });
  return { ...inputs, ...Object.fromEntries(whole) };
}

/** Gives the parameters their tensors, and returns the names of those that are left. */
function putWeights(model: AnyModule, type: string, { names, read }: Checkpoint): readonly string[] {
  const parameters = model.parameters();
  const { names: found, missing, beyond } = matchNames([...parameters.keys()], names);
  for (const [path, parameter] of parameters) {
    const name = found.get(path);
    if (name === undefined) continue;
    const tensor = read(name);
    if (!sameShape(tensor.shape, parameter.shape))
      throw new FileError(
        `the tensor "${name}" is ${showShape(tensor.shape)}, and the config.json beside it wants ${showShape(parameter.shape)}: they belong to different models`,
      );
    // Not a view into the whole file.
    parameter.value = tensor.dtype === "float32" ? copyOf(tensor) : asFloat32(tensor);
  }
  if (missing.length > 0)
    throw new FileError(
      `the checkpoint lacks ${missing.length} of the ${parameters.size} tensors of a ${type}: ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ", …" : ""}; name the class that it was saved from in config.json: "architectures": ["…"]`,
    );
  return beyond;
}
