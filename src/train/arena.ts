/** Arenas: one flat buffer for many tensors, with a named view of each, so that updates run over long vectors. */

import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Parameter } from "../nn/parameter.ts";

/** Views begin at multiples of this many elements (64 bytes). */
const alignment = 16;

export interface Slot {
  readonly path: string;
  readonly parameter: Parameter;
  readonly offset: number;
  readonly length: number;
}

/** Where each parameter lies in a flat float32 buffer. */
export interface Layout {
  readonly slots: readonly Slot[];
  readonly length: number;
}

/** Lays parameters out one after the other. */
export function layOut(parameters: Iterable<readonly [string, Parameter]>): Layout {
  let offset = 0;
  const slots = Array.from(parameters, ([path, parameter]) => {
    const slot = { path, parameter, offset, length: size(parameter.shape) };
    offset += Math.ceil(slot.length / alignment) * alignment;
    return slot;
  });
  return { slots, length: offset };
}

/** A zero-filled buffer for a layout. */
export const allocateArena = (layout: Layout): Float32Array => new Float32Array(layout.length);

/** The tensor of one parameter inside an arena; writing to it writes to the arena. */
export const viewOf = (arena: Float32Array, { parameter, offset, length }: Slot): Tensor<"float32"> =>
  new Tensor("float32", parameter.shape, arena.subarray(offset, offset + length));

/** Moves the parameters' values into an arena: from now on `parameter.value` is a view of it. */
export function adopt(arena: Float32Array, layout: Layout): void {
  for (const slot of layout.slots) {
    const view = viewOf(arena, slot);
    if (slot.parameter.value) view.data.set(slot.parameter.value.data as Float32Array);
    slot.parameter.value = view;
  }
}
