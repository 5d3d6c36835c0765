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

/** The row that each window reads at each of its offsets, [positions · offsets]; -1 in the padding. */
export function sourceRows(spatial: Shape, window: Window): Int32Array {
  let rows = Int32Array.of(0);
  let [positions, taps] = [1, 1];
  for (const [i, extent] of spatial.entries()) {
    const [output = 1, kernel = 1] = [window.output[i], window.kernel[i]];
    const [stride = 1, dilation = 1, begin = 0] = [window.strides[i], window.dilations[i], window.begins[i]];
    const next = new Int32Array(rows.length * output * kernel);
    let to = 0;
    for (let position = 0; position < positions; position++)
      for (let step = 0; step < output; step++)
        for (let tap = 0; tap < taps; tap++)
          for (let offset = 0; offset < kernel; offset++) {
            const before = rows[position * taps + tap] as number;
            const at = step * stride + offset * dilation - begin;
            next[to++] = before < 0 || at < 0 || at >= extent ? -1 : before * extent + at;
          }
    rows = next;
    positions *= output;
    taps *= kernel;
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

/** A matrix [rows, columns], its columns one behind the other. */
export function columnMajor(matrix: Int32Array, columns: number): Int32Array {
  const rows = matrix.length / columns;
  const turned = new Int32Array(matrix.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = matrix[row * columns + column] as number;
  return turned;
}

/** The elements at each offset of the windows of x [outermost, …spatial, innermost]: one value of rows an offset. */
export function phasesOf(x: Value, window: Window, { shared }: Rows): Value[] {
  const [outermost = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  const [taps, positions] = [size(window.kernel), size(window.output)];
  let found: Int32Array | undefined;
  /** Found once, and only where a table of them is not there yet. */
  const rows = () => {
    found ??= columnMajor(sourceRows(spatial, window), taps);
    return found;
  };
  return Array.from({ length: taps }, (_, phase) =>
    gather(
      asRows(x),
      shared(keyOf(`phase ${phase}`, outermost, spatial, window), () => {
        requireTable("a window's elements", outermost, ...window.output);
        return indexTensor(rows().subarray(phase * positions, (phase + 1) * positions), outermost, size(spatial));
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
    const [taps, inputs] = [size(window.kernel), size(spatial)];
    const rows = new Int32Array(outermost * inputs).fill(phases.length * outermost * positions);
    for (const [at, target] of sourceRows(spatial, window).entries()) {
      if (target < 0) continue;
      const [position, phase] = [Math.floor(at / taps), at % taps];
      for (let o = 0; o < outermost; o++) rows[o * inputs + target] = (phase * outermost + o) * positions + position;
    }
    return new Tensor("int32", [rows.length], rows);
  });
  return reshape(gather(concat([...phases, zeros([1, shape.at(-1) ?? 1])]), index), shape);
}
