/** Copies of a model's parameters and buffers, for callbacks that put others in their places. */
import { Tensor } from "../../core/tensor.ts";
import type { AnyModule } from "../../nn/module.ts";

/** Arrays of parameters and buffers, by path. */
export type SavedParameters = Readonly<Record<string, Float32Array>>;

export const saveParameters = (model: AnyModule): SavedParameters =>
  Object.fromEntries(
    [...model.parameters()].flatMap(([path, { packed, value }]) =>
      // What is packed is frozen.
      value && !packed ? [[path, Float32Array.from(value.data as Float32Array)] as const] : [],
    ),
  );

/** Puts copies of saved arrays into the parameters; who trains the model takes them up at the next step. */
export function putParameters(model: AnyModule, saved: SavedParameters): void {
  for (const [path, parameter] of model.parameters()) {
    const data = saved[path];
    if (data) parameter.value = new Tensor("float32", parameter.shape, data.slice());
  }
}
