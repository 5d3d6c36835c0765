/** Weights of Hugging Face's checkpoints in configured models. */
import { FileError } from "../core/errors.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { asFloat32, copyOf, type Tensor } from "../core/tensor.ts";
import type { TensorType } from "../graph/ir.ts";
import { type AnyModule, isTensorType } from "../nn/index.ts";
import type { ConfiguredModel } from "./families/family.ts";
import { modelFromConfig } from "./huggingface.ts";
import { type GivenTypes, type NamedTypes, typesByName } from "./input-types.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { packingOptions, unpackedCheckpoint } from "./packed-tensors.ts";
import type { StoredTensor } from "./stored-tensors.ts";
import { matchNames } from "./tensor-names.ts";

/** The tensors of a checkpoint, of one file or of several. */
export interface Checkpoint {
  readonly names: readonly string[];
  /** How the tensor of a name is stored. */
  typeOf(name: string): Pick<StoredTensor, "shape" | "type" | "bits">;
  /** The tensor of a name. */
  read(name: string): Tensor;
}

/**
 * The model of a parsed config.json with the weights of a checkpoint, which may be half floats, or packed in few bits. Tensors of the checkpoint that the
 * class does not have, such as another head, are passed over. `inputs` gives other types of what it takes, such as another length.
 * Throws OptionError for a config or an input that is wrong, FileError for weights that are missing or of another shape.
 */
export function modelFromHuggingFace(config: unknown, checkpoint: Checkpoint, inputs?: GivenTypes): LoadedModel {
  const configured = modelFromConfig(config);
  const model = configured.build();
  // The first trace makes the parameters.
  model.trace(typesOf(model, configured, inputs));
  putWeights(model, configured.name, unpackedCheckpoint(checkpoint, packingOptions(config)));
  return model as LoadedModel;
}

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

function putWeights(model: AnyModule, type: string, { names, read }: Checkpoint): void {
  const parameters = model.parameters();
  const { names: found, missing } = matchNames([...parameters.keys()], names);
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
}
