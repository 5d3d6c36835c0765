/** Putting saved tensors into a model. */
import { FileError } from "../core/errors.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { asFloat32, Tensor } from "../core/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import { packedFrom } from "../nn/packed.ts";

/** Prefix of the names under which a checkpoint holds what optimizers and transforms remember, beside the parameters. */
export const memoryPrefix = "optimizer/";

/**
 * Sets the parameters and buffers of a model from tensors by path, which are copied; half floats are converted, frozen parameters that were
 * packed come back so, and what an optimizer remembers is passed over. Throws FileError, with the model as it was, for a name or shape that does not fit and
 * for one that is missing.
 */
export function loadParameters(model: AnyModule, tensors: Readonly<Record<string, Tensor>>): void {
  const unread = new Set(Object.keys(tensors).filter((name) => !name.startsWith(memoryPrefix)));
  const read = (name: string): Tensor | undefined => {
    unread.delete(name);
    return Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  };
  const found = Array.from(model.parameters(), ([path, parameter]) => {
    const [value, packed] = [read(path), packedFrom(path, parameter.shape, read)];
    if (value && !sameShape(parameter.shape, value.shape))
      throw new FileError(
        `parameter "${path}" is ${showShape(value.shape)} in the checkpoint and ${showShape(parameter.shape)} in this model; load it into the model it was saved from`,
      );
    return { path, parameter, value, packed };
  });
  const [stray] = unread;
  if (stray !== undefined)
    throw new FileError(
      `the checkpoint has a parameter "${stray}", which this model has not; load it into the model it was saved from`,
    );
  const missing = found.find(({ value, packed }) => !value && !packed);
  if (missing) throw new FileError(`the checkpoint lacks the parameter "${missing.path}" of this model`);
  for (const { parameter, value, packed } of found) {
    if (value) parameter.value = new Tensor("float32", parameter.shape, Float32Array.from(asFloat32(value).data));
    else parameter.packed = packed;
  }
}
