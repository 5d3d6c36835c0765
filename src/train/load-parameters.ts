/** Putting saved tensors into a model. */
import { FileError } from "../core/errors.ts";
import { sameShape, showShape } from "../core/shape.ts";
import { asFloat32, Tensor } from "../core/tensor.ts";
import type { AnyModule } from "../nn/module.ts";

/** Prefix of the names under which a checkpoint holds what optimizers and transforms remember, beside the parameters. */
export const memoryPrefix = "optimizer/";

/**
 * Sets the parameters and buffers of a model from tensors by path, which are copied; half floats are converted, and what an optimizer
 * remembers is passed over. Throws FileError, with the model as it was, for a name or shape that does not fit and for one that is
 * missing.
 */
export function loadParameters(model: AnyModule, tensors: Readonly<Record<string, Tensor>>): void {
  const parameters = model.parameters();
  const given = Object.entries(tensors).filter(([path]) => !path.startsWith(memoryPrefix));
  for (const [path, tensor] of given) {
    const parameter = parameters.get(path);
    if (!parameter)
      throw new FileError(
        `the checkpoint has a parameter "${path}", which this model has not; load it into the model it was saved from`,
      );
    if (!sameShape(parameter.shape, tensor.shape))
      throw new FileError(
        `parameter "${path}" is ${showShape(tensor.shape)} in the checkpoint and ${showShape(parameter.shape)} in this model; load it into the model it was saved from`,
      );
  }
  for (const path of parameters.keys())
    if (!Object.hasOwn(tensors, path))
      throw new FileError(`the checkpoint lacks the parameter "${path}" of this model`);
  for (const [path, tensor] of given) {
    const parameter = parameters.get(path);
    if (parameter) parameter.value = new Tensor("float32", parameter.shape, Float32Array.from(asFloat32(tensor).data));
  }
}
