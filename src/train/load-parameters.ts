/** Putting saved tensors into a model. */
import { isFloat } from "../core/dtype.ts";
import { FileError, NonFiniteError } from "../core/errors.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { allFinite, asFloat32, Tensor } from "../core/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import { packedFrom } from "../nn/packed.ts";
import type { Parameter } from "../nn/parameter.ts";

/** Prefix of the names under which a checkpoint holds what optimizers and transforms remember, beside the parameters. */
export const memoryPrefix = "optimizer/";

/**
 * Holds what a checkpoint remembers of parameters, by `name/path`, against the parameters. Throws FileError for a type, a shape or numbers
 * that cannot have been saved; what is remembered of parameters that are not here now may be anything.
 */
export function requireMemories(
  parameters: ReadonlyMap<string, Parameter>,
  memories: Readonly<Record<string, Tensor>>,
): void {
  for (const [key, tensor] of Object.entries(memories)) {
    const [name, path] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
    const parameter = parameters.get(path);
    if (!parameter) continue;
    const what = `"${name}", which the checkpoint remembers of the parameter "${path}",`;
    const mend = "the checkpoint is damaged; go back to an earlier one";
    if (!isFloat(tensor.dtype)) throw new FileError(`${what} is ${tensor.dtype}, expected float32; ${mend}`);
    if (!sameShape(tensor.shape, parameter.shape))
      throw new FileError(
        `${what} is ${showShape(tensor.shape)}, expected ${showShape(parameter.shape)} as the parameter; ${mend}`,
      );
    if (!allFinite(tensor)) throw new NonFiniteError(`${what} holds NaN or Infinity; ${mend}`);
  }
}

/** Throws NonFiniteError naming a parameter or buffer that holds NaN or Infinity, and how to go on. */
export function requireFinite(model: AnyModule, mend: string): void {
  for (const [path, { value }] of model.parameters())
    if (value && !allFinite(value)) throw new NonFiniteError(`"${path}" holds NaN or Infinity; ${mend}`);
}

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
    if (value && !isFloat(value.dtype))
      throw new FileError(
        `parameter "${path}" is ${value.dtype} in the checkpoint, expected float32 or float16; it is damaged, or of another program`,
      );
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
