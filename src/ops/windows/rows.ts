/**
 * Windows on rows: a value is the matrix [outermost · positions, innermost] of [C, …spatial, N] or [N, …spatial, C], one row for each
 * position of what is outermost. Windows are then gathered rows, whatever the stride, dilation or padding.
 */
import { type Shape, size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Rows } from "../../graph/rows.ts";
import { cast } from "../cast.ts";
import { zeros } from "../constant.ts";
import { maximum, mul, sub } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { greaterOrEqual } from "../logic.ts";
import { concat, reshape } from "../movement.ts";
import { offsetsOf, type Window } from "./geometry.ts";

/** [outermost, …spatial, innermost] as [outermost · positions, innermost]. */
export const asRows = (x: Value): Value => reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

/** Row of a position that is read at an offset of its window; `undefined` in the padding. */
export function sourceRow(position: Shape, offset: Shape, spatial: Shape, window: Window): number | undefined {
  let row = 0;
  for (const [i, extent] of spatial.entries()) {
    const at =
      (position[i] ?? 0) * (window.strides[i] ?? 1) +
      (offset[i] ?? 0) * (window.dilations[i] ?? 1) -
      (window.begins[i] ?? 0);
    if (at < 0 || at >= extent) return undefined;
    row = row * extent + at;
  }
  return row;
}

export const keyOf = (
  what: string,
  outermost: number,
  spatial: Shape,
  { kernel, strides, dilations, begins, output }: Window,
) => JSON.stringify([what, outermost, spatial, kernel, strides, dilations, begins, output]);

export const indexTensor = (rows: readonly number[]): Tensor =>
  new Tensor("int32", [rows.length], Int32Array.from(rows));

/** The elements at each offset of the windows of x [outermost, …spatial, innermost]: one value of rows an offset. */
export function phasesOf(x: Value, window: Window, { shared }: Rows): Value[] {
  const [outermost = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  return offsetsOf(window.kernel).map((offset, phase) =>
    gather(
      asRows(x),
      shared(keyOf(`phase ${phase}`, outermost, spatial, window), () => {
        requireTable("a window's elements", outermost, ...window.output);
        const one = offsetsOf(window.output).map((position) => sourceRow(position, offset, spatial, window) ?? 0);
        return indexTensor(
          Array.from({ length: outermost }, (_, o) => one.map((row) => o * size(spatial) + row)).flat(),
        );
      }),
    ),
  );
}

/** The maximum of several values, and the way back: each gradient goes to the first value that was the maximum. */
export function tournament(values: readonly Value[]): {
  readonly best: Value;
  readonly route: (g: Value) => readonly Value[];
} {
  const [only] = values;
  if (values.length === 1 && only) return { best: only, route: (g) => [g] };
  const half = values.length >> 1;
  const [first, second] = [tournament(values.slice(0, half)), tournament(values.slice(half))];
  return {
    best: maximum(first.best, second.best),
    route(g) {
      const toFirst = mul(g, cast(greaterOrEqual(first.best, second.best), g.dtype));
      return [...first.route(toFirst), ...second.route(sub(g, toFirst))];
    },
  };
}

/** Puts each phase's elements back to their positions, zeros elsewhere: the transpose of phasesOf. */
export function placePhases(phases: readonly Value[], shape: Shape, window: Window, { shared }: Rows): Value {
  const [outermost = 1, ...spatial] = shape.slice(0, -1);
  const positions = size(window.output);
  const index = shared(keyOf("place", outermost, spatial, window), () => {
    const nothing = phases.length * outermost * positions;
    const rows = new Array<number>(outermost * size(spatial)).fill(nothing);
    for (const [phase, offset] of offsetsOf(window.kernel).entries())
      for (const [at, position] of offsetsOf(window.output).entries()) {
        const target = sourceRow(position, offset, spatial, window);
        if (target === undefined) continue;
        for (let o = 0; o < outermost; o++) rows[o * size(spatial) + target] = (phase * outermost + o) * positions + at;
      }
    return indexTensor(rows);
  });
  return reshape(gather(concat([...phases, zeros([1, shape.at(-1) ?? 1])]), index), shape);
}
