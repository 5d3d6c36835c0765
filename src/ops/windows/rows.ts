/**
 * Convolution and pooling on rows: a value [C, …spatial, N] is the matrix [C · positions, N], one row for each channel
 * and position. Windows are then gathered rows, whatever the stride, dilation or padding.
 */
import { type Shape, size, stridesOf } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { cast } from "../cast.ts";
import { zeros } from "../constant.ts";
import { add, maximum, mul, sub } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { greaterOrEqual } from "../logic.ts";
import { matmul } from "../matmul.ts";
import { concat, reshape } from "../movement.ts";
import { offsetsOf, type Window } from "./geometry.ts";

/** Elements up to which windows are laid out as columns (512 MB of float32); larger ones take other ways. */
const columnLimit = 1 << 27;
/** Kernel positions up to which columns are added back by one gather each. */
const tapLimit = 49;
/** Shorter rows gather slowly. */
const leastBatch = 8;

/** A constant by its key, made once for a graph. */
export type Shared = (key: string, make: () => Tensor) => Value;

/** Whether windows over [batch, channels, …spatial] are laid out as rows. */
export const fitsRows = (batch: number, channels: number, { kernel, output }: Window): boolean =>
  batch >= leastBatch && size(kernel) <= tapLimit && channels * size(kernel) * size(output) * batch <= columnLimit;

/** [C, …spatial, N] as [C · positions, N]. */
export const asRows = (x: Value): Value => reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

/** Row of a position that is read at an offset of its window; `undefined` in the padding. */
function sourceRow(position: Shape, offset: Shape, spatial: Shape, window: Window): number | undefined {
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

const keyOf = (
  what: string,
  channels: number,
  spatial: Shape,
  { kernel, strides, dilations, begins, output }: Window,
) => JSON.stringify([what, channels, spatial, kernel, strides, dilations, begins, output]);

const indexTensor = (rows: readonly number[]): Tensor => new Tensor("int32", [rows.length], Int32Array.from(rows));

/** Windows of x [C, …spatial, N] as columns [C · K, positions · N], the kernel's offset innermost in a row's index. */
export function columnsOf(x: Value, window: Window, shared: Shared): Value {
  const [channels = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  const batch = x.shape.at(-1) ?? 1;
  const inputs = size(spatial);
  const columns = [channels * size(window.kernel), size(window.output) * batch];
  const pointwise = size(window.kernel) === 1 && inputs === size(window.output);
  if (pointwise) return reshape(x, columns);
  const index = shared(keyOf("columns", channels, spatial, window), () => {
    const positions = offsetsOf(window.output);
    const one = offsetsOf(window.kernel).flatMap((offset) =>
      positions.map((position) => sourceRow(position, offset, spatial, window)),
    );
    const rows: number[] = [];
    for (let c = 0; c < channels; c++)
      for (const row of one) rows.push(row === undefined ? channels * inputs : c * inputs + row);
    return indexTensor(rows);
  });
  const padded = [...window.begins, ...window.ends].some((width) => width > 0);
  const rows = padded ? concat([asRows(x), zeros([1, batch])]) : asRows(x);
  return reshape(gather(rows, index), columns);
}

/** Adds columns back to where they were taken from: w [M, C · K] and g [M, positions, N] → [C, …spatial, N]. */
export function scatterColumns(
  w: Value,
  g: Value,
  channels: number,
  spatial: Shape,
  window: Window,
  shared: Shared,
): Value {
  const batch = g.shape.at(-1) ?? 1;
  const [filters = 1] = w.shape;
  const taps = size(window.kernel);
  const positions = size(window.output);
  const flat = reshape(g, [filters, positions * batch]);
  if (taps === 1 && positions === size(spatial))
    return reshape(matmul(w, flat, { transA: true }), [channels, ...spatial, batch]);
  // One more column of zeros in w gives rows of zeros, for positions that no window reaches.
  const columns = matmul(concat([w, zeros([filters, 1])], 1), flat, { transA: true });
  const rows = reshape(columns, [(channels * taps + 1) * positions, batch]);
  const strides = stridesOf(window.output);
  const cuts = offsetsOf(window.kernel).map((offset, tap) =>
    gather(
      rows,
      shared(keyOf(`tap ${tap}`, channels, spatial, window), () => {
        const one = offsetsOf(spatial).map((target) => {
          let position = 0;
          for (const [i, at] of target.entries()) {
            const shifted = at + (window.begins[i] ?? 0) - (offset[i] ?? 0) * (window.dilations[i] ?? 1);
            const step = shifted / (window.strides[i] ?? 1);
            if (!Number.isInteger(step) || step < 0 || step >= (window.output[i] ?? 0)) return undefined;
            position += step * (strides[i] ?? 1);
          }
          return position;
        });
        const found: number[] = [];
        for (let c = 0; c < channels; c++)
          for (const position of one)
            found.push(position === undefined ? channels * taps * positions : (c * taps + tap) * positions + position);
        return indexTensor(found);
      }),
    ),
  );
  return reshape(
    cuts.reduce((sum, cut) => add(sum, cut)),
    [channels, ...spatial, batch],
  );
}

/** The elements at each offset of the windows of x [C, …spatial, N]: one value [C · positions, N] an offset. */
export function phasesOf(x: Value, window: Window, shared: Shared): Value[] {
  const [channels = 1] = x.shape;
  const spatial = x.shape.slice(1, -1);
  return offsetsOf(window.kernel).map((offset, phase) =>
    gather(
      asRows(x),
      shared(keyOf(`phase ${phase}`, channels, spatial, window), () => {
        requireTable("a window's elements", channels, ...window.output);
        const one = offsetsOf(window.output).map((position) => sourceRow(position, offset, spatial, window) ?? 0);
        return indexTensor(
          Array.from({ length: channels }, (_, c) => one.map((row) => c * size(spatial) + row)).flat(),
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
export function placePhases(
  phases: readonly Value[],
  channels: number,
  spatial: Shape,
  window: Window,
  shared: Shared,
): Value {
  const batch = phases[0]?.shape.at(-1) ?? 1;
  const positions = size(window.output);
  const index = shared(keyOf("place", channels, spatial, window), () => {
    const nothing = phases.length * channels * positions;
    const rows = new Array<number>(channels * size(spatial)).fill(nothing);
    for (const [phase, offset] of offsetsOf(window.kernel).entries())
      for (const [at, position] of offsetsOf(window.output).entries()) {
        const target = sourceRow(position, offset, spatial, window);
        if (target === undefined) continue;
        for (let c = 0; c < channels; c++) rows[c * size(spatial) + target] = (phase * channels + c) * positions + at;
      }
    return indexTensor(rows);
  });
  return reshape(gather(concat([...phases, zeros([1, batch])]), index), [channels, ...spatial, batch]);
}
