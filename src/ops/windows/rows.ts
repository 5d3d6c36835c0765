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
import type { Window } from "./geometry.ts";

/** [outermost, …spatial, innermost] as [outermost · positions, innermost]. */
export const asRows = (x: Value): Value => reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

/** The row that is read at each offset of each window, [offsets · positions]; -1 in the padding. */
export function sourceRows(spatial: Shape, { kernel, output, strides, dilations, begins }: Window): Int32Array {
  let rows = Int32Array.of(0);
  let positions = 1;
  for (const [i, extent] of spatial.entries()) {
    const [offsets = 1, steps = 1, stride = 1, dilation = 1, begin = 0] = [
      kernel,
      output,
      strides,
      dilations,
      begins,
    ].map((own) => own[i]);
    const next = new Int32Array(rows.length * offsets * steps);
    let to = 0;
    for (let first = 0; first < rows.length; first += positions)
      for (let offset = 0; offset < offsets; offset++)
        for (const row of rows.subarray(first, first + positions))
          for (let step = 0; step < steps; step++) {
            const at = step * stride + offset * dilation - begin;
            next[to++] = row < 0 || at < 0 || at >= extent ? -1 : row * extent + at;
          }
    rows = next;
    positions *= steps;
  }
  return rows;
}

export const keyOf = (
  what: string,
  outermost: number,
  spatial: Shape,
  { kernel, strides, dilations, begins, output }: Window,
) => JSON.stringify([what, outermost, spatial, kernel, strides, dilations, begins, output]);

/** Rows to gather: those of one of what is outermost, repeated for each, and the row behind all of them where one has none (-1). */
export function indexTensor(one: Int32Array, outermost: number, inputs: number): Tensor {
  const index = new Int32Array(outermost * one.length);
  for (let o = 0; o < outermost; o++)
    for (let i = 0; i < one.length; i++) {
      const row = one[i] as number;
      index[o * one.length + i] = row < 0 ? outermost * inputs : o * inputs + row;
    }
  return new Tensor("int32", [index.length], index);
}

/** The elements at each offset of the windows of x [outermost, …spatial, innermost]: one value of rows an offset. */
export function phasesOf(x: Value, window: Window, { shared }: Rows): Value[] {
  const [outermost = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  const [taps, positions] = [size(window.kernel), size(window.output)];
  let rows: Int32Array | undefined;
  return Array.from({ length: taps }, (_, phase) =>
    gather(
      asRows(x),
      shared(keyOf(`phase ${phase}`, outermost, spatial, window), () => {
        requireTable("a window's elements", outermost, ...window.output);
        // Found once, and only where a table of them is not there yet.
        rows ??= sourceRows(spatial, window);
        return indexTensor(rows.subarray(phase * positions, (phase + 1) * positions), outermost, size(spatial));
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
    const inputs = size(spatial);
    const rows = new Int32Array(outermost * inputs).fill(phases.length * outermost * positions);
    for (const [at, target] of sourceRows(spatial, window).entries()) {
      if (target < 0) continue;
      const position = at % positions;
      for (let o = 0; o < outermost; o++)
        rows[o * inputs + target] = (at - position) * outermost + o * positions + position;
    }
    return new Tensor("int32", [rows.length], rows);
  });
  return reshape(gather(concat([...phases, zeros([1, shape.at(-1) ?? 1])]), index), shape);
}
