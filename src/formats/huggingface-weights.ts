/** Weights of Hugging Face's checkpoints in configured models. */
import { FileError } from "../core/errors.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { asFloat32, copyOf, type Tensor } from "../core/tensor.ts";
import type { TensorType } from "../graph/ir.ts";
import { type AnyModule, isTensorType } from "../nn/index.ts";
import type { ConfiguredModel } from "./family.ts";
import { modelFromConfig } from "./huggingface.ts";
import { type GivenTypes, type NamedTypes, typesByName } from "./input-types.ts";
import type { LoadedModel } from "./loaded-model.ts";

/** The tensors of a checkpoint, of one file or of several. */
export interface Checkpoint {
  readonly names: readonly string[];
  /** The tensor of a name. */
  read(name: string): Tensor;
}

/**
 * The model of a parsed config.json with the weights of a checkpoint, which may be half floats. Tensors of the checkpoint that the
 * class does not have, such as another head, are passed over. `inputs` gives other types of what it takes, such as another length.
 * Throws OptionError for a config or an input that is wrong, FileError for weights that are missing or of another shape.
 */
export function modelFromHuggingFace(config: unknown, checkpoint: Checkpoint, inputs?: GivenTypes): LoadedModel {
  const configured = modelFromConfig(config);
  const model = configured.build();
  // The first trace makes the parameters.
  model.trace(typesOf(model, configured, inputs));
  putWeights(model, configured.name, checkpoint);
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
  const known = new Set(names);
  const parameters = model.parameters();
  const prefix = prefixOf(parameters.keys(), names);
  const missing: string[] = [];
  for (const [path, parameter] of parameters) {
    const name = spellings(path)
      .flatMap((own) => [`${prefix}${own}`, own])
      .find((own) => known.has(own));
    if (name === undefined) {
      missing.push(path);
      continue;
    }
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

/** A parameter's names in checkpoints: those of before 2019 have TensorFlow's names for the vectors of a normalization. */
const spellings = (path: string): readonly string[] => [
  path,
  ...(/LayerNorm\.(weight|bias)$/.test(path) ? [path.replace(/weight$/, "gamma").replace(/bias$/, "beta")] : []),
];

/** What stands before the names in a checkpoint that was saved with a head: `bert.` before those of a BertModel. */
function prefixOf(paths: Iterable<string>, names: readonly string[]): string {
  const [first] = paths;
  if (first === undefined || names.includes(first)) return "";
  const found = names.find((name) => name.endsWith(`.${first}`));
  return found === undefined ? "" : found.slice(0, -first.length);
}
