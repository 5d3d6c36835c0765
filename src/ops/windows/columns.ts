/**
 * Convolutions on rows, each one product of a matrix: windows are laid out as columns [C · K, positions · N] of values [C, …, N], or as rows
 * [N · positions, K · C] of values [N, …, C], where K is the kernel's positions. Filters [M, C · K] have to be turned for the latter, or the
 * windows, whichever are fewer.
 */
import { type Shape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { Rows } from "../../graph/rows.ts";
import { zeros } from "../constant.ts";
import { add } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { matmul } from "../matmul.ts";
import { concat, reshape, transpose } from "../movement.ts";
import type { Window } from "./geometry.ts";
import {
  indexTensor,
  keyOf,
  mostReaders,
  paddedRows,
  phaseRows,
  placePhases,
  readersOf,
  readsPadding,
  sourceRows,
} from "./rows.ts";

/** Elements up to which windows are laid out as columns (512 MB of float32); larger ones take other ways. */
const columnLimit = 1 << 27;
/** Kernel positions up to which columns are added back by gathers. */
const tapLimit = 49;

/** Whether windows over [batch, channels, …spatial] are laid out as columns. */
export const fitsColumns = (batch: number, channels: number, { kernel, output }: Window): boolean =>
  size(kernel) <= tapLimit && channels * size(kernel) * size(output) * batch <= columnLimit;

/** Whether each window is the element at its position. */
const isPointwise = (window: Window, spatial: Shape): boolean =>
  size(window.kernel) === 1 &&
  size(window.output) === size(spatial) &&
  window.begins.every((begin) => begin === 0) &&
  !readsPadding(spatial, window);

/** The last two axes exchanged of as many matrices [rows, columns], in which the channels and the kernel's positions stand. */
const turned = (x: Value, rows: number, columns: number): Value =>
  transpose(reshape(x, [-1, rows, columns]), [0, 2, 1]);

/** A matrix of so many rows with its axes exchanged: one, which the engine turns several times faster on several threads than many small ones. */
const turnedWhole = (x: Value, rows: number): Value => transpose(reshape(x, [rows, -1]), [1, 0]);

/**
 * Whether windows [N, …output] of an image, laid out as rows, are turned rather than `filters`: the windows offset by offset, as one matrix
 * [K, N · positions · C].
 */
const turnsWindows = (batch: number, { output }: Window, filters: number): boolean => batch * size(output) < filters;

/** Windows of x as columns, or as rows. */
function columnsOf(x: Value, window: Window, filters: number, layout: Rows): Value {
  const [outermost = 1] = x.shape;
  const inner = x.shape.at(-1) ?? 1;
  const spatial = x.shape.slice(1, -1);
  const [taps, positions, inputs] = [size(window.kernel), size(window.output), size(spatial)];
  const byTap = layout.innermost === "batch";
  const shape = byTap ? [outermost * taps, positions * inner] : [outermost * positions, taps * inner];
  if (isPointwise(window, spatial)) return reshape(x, shape);
  if (!byTap && turnsWindows(outermost, window, filters))
    return reshape(turnedWhole(phaseRows(x, window, layout), taps), shape);
  const index = layout.shared(keyOf(byTap ? "columns" : "windows", outermost, spatial, window), () => {
    const rows = sourceRows(spatial, window);
    const one = byTap ? rows : rows.map((_, at) => rows[(at % taps) * positions + Math.floor(at / taps)] as number);
    return indexTensor(one, outermost, inputs);
  });
  return reshape(gather(paddedRows(x, window), index), shape);
}

/** w [M, C, …kernel] as the matrix that windows of `batch` images are multiplied by: [M, C · K], or [M, K · C]. */
function matrixOf(w: Value, batch: number, window: Window, { innermost }: Rows): Value {
  const [filters = 1, channels = 1] = w.shape;
  const taps = size(window.kernel);
  const isPlain = innermost === "batch" || taps === 1 || turnsWindows(batch, window, filters);
  return reshape(isPlain ? w : turned(w, channels, taps), [filters, channels * taps]);
}

/** x by w [M, C, …kernel], by rows. */
export function convolveColumns(x: Value, w: Value, window: Window, layout: Rows): Value {
  const [filters = 1] = w.shape;
  const [matrix, columns] = [matrixOf(w, x.shape[0] ?? 1, window, layout), columnsOf(x, window, filters, layout)];
  return layout.innermost === "batch"
    ? reshape(matmul(matrix, columns), [filters, ...window.output, x.shape.at(-1) ?? 1])
    : reshape(matmul(columns, matrix, { transB: true }), [x.shape[0] ?? 1, ...window.output, filters]);
}

/** The transpose of `convolveColumns` in x, of extents `spatial`: g by w [M, C, …kernel], by rows. */
export function scatterColumns(g: Value, w: Value, window: Window, spatial: Shape, layout: Rows): Value {
  const [filters = 1, channels = 1] = w.shape;
  const matrix = matrixOf(w, g.shape[0] ?? 1, window, layout);
  const positions = size(window.output);
  if (layout.innermost === "batch") {
    const batch = g.shape.at(-1) ?? 1;
    const flat = reshape(g, [filters, positions * batch]);
    const shape = [channels, ...spatial, batch];
    if (isPointwise(window, spatial)) return reshape(matmul(matrix, flat, { transA: true }), shape);
    // Behind all are rows of zeros, for positions that no window reaches: of one more column of zeros in w where that is the smaller.
    if (filters <= positions * batch) {
      const columns = matmul(concat([matrix, zeros([filters, 1])], 1), flat, { transA: true });
      return addBack(reshape(columns, [-1, batch]), shape, window, layout);
    }
    const columns = reshape(matmul(matrix, flat, { transA: true }), [-1, batch]);
    return addBack(concat([columns, zeros([1, batch])]), shape, window, layout);
  }
  const [batch = 1] = g.shape;
  const flat = reshape(g, [batch * positions, filters]);
  const shape = [batch, ...spatial, channels];
  if (isPointwise(window, spatial)) return reshape(matmul(flat, matrix), shape);
  if (turnsWindows(batch, window, filters)) {
    const phases = reshape(turnedWhole(matmul(flat, matrix), batch * positions * channels), [-1, channels]);
    return placePhases([phases], shape, window, layout);
  }
  const products = matmul(concat([flat, zeros([1, filters])]), matrix);
  return addBack(reshape(products, [-1, channels]), shape, window, layout);
}

/** Adds rows of columns back to where they were taken from, in a value of a shape; the rows behind all of them are zeros. */
function addBack(rows: Value, shape: Shape, window: Window, { innermost, shared }: Rows): Value {
  const [outermost = 1, ...spatial] = shape.slice(0, -1);
  const [taps, positions] = [size(window.kernel), size(window.output)];
  const isByTap = innermost === "batch";
  let readers: readonly Int32Array[] | undefined;
  const cuts = Array.from({ length: mostReaders(window) }, (_, i) => {
    const index = shared(keyOf(`${innermost} readers ${i}`, outermost, spatial, window), () => {
      // Found once, and only where a table of them is not there yet.
      readers ??= readersOf(spatial, window);
      const one = readers[i] as Int32Array;
      const inOrder = (at: number) => (at < 0 ? at : (at % positions) * taps + Math.floor(at / positions));
      return indexTensor(isByTap ? one : one.map(inOrder), outermost, taps * positions);
    });
    return gather(rows, index);
  });
  return reshape(
    cuts.reduce((sum, cut) => add(sum, cut)),
    shape,
  );
}

/** The gradient of w [M, C, …kernel] by x and g, by rows. */
export function columnsWeightGradient(x: Value, g: Value, shape: Shape, window: Window, layout: Rows): Value {
  const [filters = 1, channels = 1] = shape;
  const columns = columnsOf(x, window, filters, layout);
  if (layout.innermost === "batch") return reshape(matmul(reshape(g, [filters, -1]), columns, { transB: true }), shape);
  const products = matmul(reshape(g, [-1, filters]), columns, { transA: true });
  const taps = size(window.kernel);
  const isPlain = taps === 1 || turnsWindows(x.shape[0] ?? 1, window, filters);
  return reshape(isPlain ? products : turned(products, taps, channels), shape);
}
