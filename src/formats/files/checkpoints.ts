/** Tensors by name in safetensors files, and those of a run in its model. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { asFloat32, type Tensor } from "../../core/tensor.ts";
import type { AnyModule } from "../../nn/index.ts";
import { packedFrom, unpacked } from "../../nn/packed.ts";
import { readSafetensorsHeader, readSafetensorsTensor, type SafetensorsEntry } from "../../storage/safetensors.ts";
import type { Checkpoint } from "../huggingface-weights.ts";
import { storedTypeOf } from "../stored-types.ts";

/** Names in the checkpoint of a run that are no parameters begin so. */
const memories = ["optimizer/", "callbacks/"] as const;

/** Whether a name in the checkpoint of a run is no parameter: what optimizers and callbacks remember. */
export const isMemory = (name: string): boolean => memories.some((prefix) => name.startsWith(prefix));

/**
 * The tensors of several files together. Throws FileError for a name that two of them have, and for one of an index that none has.
 * @param index names that must be there
 */
export function checkpointOf(files: readonly ByteSource[], index: Readonly<Record<string, unknown>> = {}): Checkpoint {
  const found = new Map<string, { readonly entry: SafetensorsEntry; readonly read: () => Tensor }>();
  for (const file of files) {
    const header = readSafetensorsHeader(file);
    for (const entry of header.entries) {
      if (found.has(entry.name))
        throw new FileError(`the tensor "${entry.name}" lies in two of the files; download them again`);
      found.set(entry.name, { entry, read: () => readSafetensorsTensor(file, header, entry) });
    }
  }
  const missing = Object.keys(index).find((name) => !found.has(name));
  if (missing !== undefined)
    throw new FileError(`its weight_map places "${missing}" in ${index[missing]}, which has no such tensor`);
  return {
    names: [...found.keys()],
    typeOf: (name) => storedTypeOf(known(name).entry),
    read: (name) => known(name).read(),
  };

  function known(name: string) {
    const tensor = found.get(name);
    if (!tensor) throw new FileError(`there is no tensor "${name}"`);
    return tensor;
  }
}

/**
 * Gives a model the parameters of a run's checkpoint by their paths, or by what `trained` calls them there; what optimizers and callbacks remember is passed over, and so is
 * what the model does not have. Throws FileError, with the model as it was, for a parameter that is missing or of another shape.
 */
export function putRunWeights(
  model: AnyModule,
  { names, read }: Checkpoint,
  trained: Readonly<Record<string, unknown>> = {},
): void {
  const known = new Set(names.filter((name) => !isMemory(name)));
  const values = Array.from(model.parameters(), ([own, parameter]) => {
    const path = typeof trained[own] === "string" ? trained[own] : own;
    const packed = packedFrom(path, parameter.shape, (name) => (known.has(name) ? read(name) : undefined));
    if (packed) return [parameter, unpacked(packed, parameter.shape)] as const;
    if (!known.has(path))
      throw new FileError(
        `it lacks the parameter "${path}" of the model.onnx beside it; they belong to different runs, or to different models of one`,
      );
    const value = asFloat32(read(path));
    if (!sameShape(value.shape, parameter.shape))
      throw new FileError(
        `parameter "${path}" is ${showShape(value.shape)} in it and ${showShape(parameter.shape)} in the model.onnx beside it; they belong to different runs`,
      );
    return [parameter, value] as const;
  });
  for (const [parameter, value] of values) parameter.value = value;
}
