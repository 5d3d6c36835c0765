/** Copies of a model's parameters and buffers, for callbacks that put others in their places. */
import * as z from "zod/mini";
import { FileError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { AnyModule } from "../../nn/module.ts";

/** Arrays of parameters and buffers, by path. */
export type SavedParameters = Readonly<Record<string, Float32Array>>;

/** What a checkpoint gives of them. */
export const savedParametersSchema: z.ZodMiniType<SavedParameters> = z.record(z.string(), z.instanceof(Float32Array));

export const saveParameters = (model: AnyModule): SavedParameters =>
  Object.fromEntries(
    [...model.parameters()].flatMap(([path, { packed, value }]) =>
      // What is packed is frozen.
      value && !packed ? [[path, Float32Array.from(value.data as Float32Array)] as const] : [],
    ),
  );

/**
 * Puts copies of saved arrays into the parameters; who trains the model takes them up at the next step. Throws FileError for an array of
 * another length, which a damaged checkpoint may hold.
 */
export function putParameters(model: AnyModule, saved: SavedParameters): void {
  for (const [path, parameter] of model.parameters()) {
    const data = saved[path];
    if (data && data.length !== size(parameter.shape))
      throw new FileError(
        `what is kept of the parameter "${path}" has ${data.length} elements, expected ${size(parameter.shape)}; the checkpoint is damaged, go back to an earlier one`,
      );
    if (data) parameter.value = new Tensor("float32", parameter.shape, data.slice());
  }
}
