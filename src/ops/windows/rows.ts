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
import { scalar, zeros } from "../constant.ts";
import { add, maximum, mul, sub } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { greaterOrEqual } from "../logic.ts";
import { concat, expand, reshape } from "../movement.ts";
import { reachOf, type Window } from "./geometry.ts";

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

/** Whether windows read beyond an input of these extents. */
export const readsPadding = (spatial: Shape, window: Window): boolean =>
  reachOf(window).some((reach, i) => {
    const begin = window.begins[i] ?? 0;
    return begin > 0 || reach - begin > (spatial[i] ?? 0);
  });

/** x [outermost, …spatial, innermost] as rows, with one of `padding` behind them where windows read beyond the input. */
export function paddedRows(x: Value, window: Window, padding = 0): Value {
  if (!readsPadding(x.shape.slice(1, -1), window)) return asRows(x);
  return concat([asRows(x), expand(scalar(padding, x.dtype), [1, x.shape.at(-1) ?? 1])]);
}

/** All that `phasesOf` gives as one matrix, offset by offset: [offsets · outermost · positions, innermost]. */
export function phaseRows(x: Value, window: Window, { shared }: Rows): Value {
  const [outermost = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  const positions = size(window.output);
  const index = shared(keyOf("phases", outermost, spatial, window), () => {
    const rows = sourceRows(spatial, window);
    const all = new Int32Array(outermost * rows.length);
    for (let from = 0; from < rows.length; from += positions) {
      const { data } = indexTensor(rows.subarray(from, from + positions), outermost, size(spatial));
      all.set(data as Int32Array, outermost * from);
    }
    return new Tensor("int32", [all.length], all);
  });
  return gather(paddedRows(x, window), index);
}

/**
 * The elements at each offset of the windows of x [outermost, …spatial, innermost]: one value of rows an offset, of `padding` beyond the input.
 */
export function phasesOf(x: Value, window: Window, { shared }: Rows, padding = 0): Value[] {
  const [outermost = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  const [taps, positions] = [size(window.kernel), size(window.output)];
  const from = paddedRows(x, window, padding);
  let rows: Int32Array | undefined;
  return Array.from({ length: taps }, (_, phase) =>
    gather(
      from,
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

/** At how many offsets the windows read one position, at the most: of those along an axis every so many fall on the same steps. */
export const mostReaders = ({ kernel, strides, dilations }: Window): number =>
  size(kernel.map((extent, i) => (dilations[i] === 1 ? Math.ceil(extent / (strides[i] ?? 1)) : extent)));

/** What reads each position, in order, as entries of `sourceRows`; -1 where a position has fewer readers than others. */
export function readersOf(spatial: Shape, window: Window): readonly Int32Array[] {
  const tables = Array.from({ length: mostReaders(window) }, () => new Int32Array(size(spatial)).fill(-1));
  const counts = new Uint8Array(size(spatial));
  for (const [at, target] of sourceRows(spatial, window).entries()) {
    if (target < 0) continue;
    (tables[counts[target] as number] as Int32Array)[target] = at;
    counts[target] = (counts[target] as number) + 1;
  }
  return tables;
}

/** Adds each phase's elements, in one matrix or several, to their positions, zeros elsewhere: the transpose of phasesOf and phaseRows. */
export function placePhases(phases: readonly Value[], shape: Shape, window: Window, { shared }: Rows): Value {
  const [outermost = 1, ...spatial] = shape.slice(0, -1);
  const [inputs, taps, positions] = [size(spatial), size(window.kernel), size(window.output)];
  const rows = concat([...phases, zeros([1, shape.at(-1) ?? 1])]);
  let readers: readonly Int32Array[] | undefined;
  const cuts = Array.from({ length: mostReaders(window) }, (_, i) => {
    const index = shared(keyOf(`place ${i}`, outermost, spatial, window), () => {
      // Found once, and only where a table of them is not there yet.
      readers ??= readersOf(spatial, window);
      const sources = new Int32Array(outermost * inputs).fill(taps * outermost * positions);
      for (const [target, at] of (readers[i] as Int32Array).entries()) {
        if (at < 0) continue;
        const position = at % positions;
        for (let o = 0; o < outermost; o++)
          sources[o * inputs + target] = (at - position) * outermost + o * positions + position;
      }
      return new Tensor("int32", [sources.length], sources);
    });
    return gather(rows, index);
  });
  return reshape(
    cuts.reduce((sum, cut) => add(sum, cut)),
    shape,
  );
}
