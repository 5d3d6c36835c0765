/**
 * Convolution of 3x3 windows at stride 1 with a quarter of the multiplications, and its gradients: F(4x4, 3x3) of Winograd's minimal
 * filtering (Winograd 1980; Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4). An output of 4x4 comes from an
 * input of 6x6, both as vectors of another basis, in which windows are elementwise products: over all channels, 36 matrix products.
 *
 * Values are by rows, [C, H, W, N] or [N, H, W, C]. In the other basis they are [36, C, tiles · N], or [36, N · tiles, C].
 */
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { Rows } from "../../graph/rows.ts";
import { zeros } from "../constant.ts";
import { gather } from "../indexing.ts";
import { matmul } from "../matmul.ts";
import { concat, reshape } from "../movement.ts";
import type { Window } from "./geometry.ts";
import { asRows } from "./rows.ts";

/** Bᵀ: 6 elements of the input in the other basis (equation 15). */
const fromInput = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
/** G: 3 elements of the filter in the other basis. */
const fromFilter = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
/** Aᵀ: back to 4 elements of the output. */
const toOutput = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Extent of a tile of outputs, and of the inputs that it reads. */
const [outputTile, inputTile] = [4, 6];
/** Channels below which moving tiles takes more than their products save. */
const leastChannels = 16;
/** Multiplications that are to be saved for each channel and filter: as many as it takes to put a filter into the other basis and back. */
const leastSaved = 1500;
/** Elements of tiles up to which they are made (512 MB of float32). */
const tileLimit = 1 << 27;

const tilesAlong = ({ output }: Window): readonly [number, number] => [
  Math.ceil((output[0] ?? 1) / outputTile),
  Math.ceil((output[1] ?? 1) / outputTile),
];

/** Whether the convolution of x [N, …] by w [M, C, …kernel], or its transpose, gains by it. */
export function fitsWinograd(
  { shape: [batch = 1] }: Value,
  [filters = 1, channels = 1]: Shape,
  window: Window,
): boolean {
  const { kernel, strides, dilations, output } = window;
  if (kernel.length !== 2 || kernel.some((extent) => extent !== 3)) return false;
  if ([...strides, ...dilations].some((step) => step !== 1)) return false;
  const [down, across] = tilesAlong(window);
  const products = inputTile ** 2 * down * across * batch;
  const saved = 9 * size(output) * batch - products;
  return (
    Math.min(channels, filters) >= leastChannels &&
    saved >= leastSaved &&
    products * Math.max(channels, filters) <= tileLimit
  );
}

/** The window of the gradient of its input, of spatial extents `spatial`: that of a convolution with the mirrored filter. */
export const mirrored = (window: Window, spatial: readonly number[]): Window => ({
  ...window,
  begins: window.begins.map((begin) => 2 - begin),
  ends: window.ends.map((end) => 2 - end),
  output: spatial,
});

/** A matrix of one axis as that of both: what it makes of the rows of a tile, and then of its columns. */
const bothAxes = (matrix: readonly (readonly number[])[]): number[][] =>
  matrix.flatMap((down) => matrix.map((across) => down.flatMap((a) => across.map((b) => a * b))));

const basis = ({ shared }: Rows, name: string, matrix: readonly (readonly number[])[]): Value =>
  shared(`winograd ${name}`, () => {
    const rows = bothAxes(matrix);
    return new Tensor("float32", [rows.length, rows[0]?.length ?? 0], Float32Array.from(rows.flat()));
  });

/** Rows of [outermost, height, width, …] in the order (position in a tile, outermost, tile); the row behind all is that of zeros. */
function tileIndex(
  outermost: number,
  [height = 1, width = 1]: readonly number[],
  [down, across]: readonly [number, number],
  tile: number,
  [top = 0, left = 0]: readonly number[],
): Tensor {
  const index = new Int32Array(tile * tile * outermost * down * across);
  let at = 0;
  for (let a = 0; a < tile; a++)
    for (let b = 0; b < tile; b++)
      for (let o = 0; o < outermost; o++)
        for (let i = 0; i < down; i++)
          for (let j = 0; j < across; j++) {
            const [y, x] = [i * outputTile + a - top, j * outputTile + b - left];
            const isInside = y >= 0 && y < height && x >= 0 && x < width;
            index[at++] = isInside ? (o * height + y) * width + x : outermost * height * width;
          }
  return new Tensor("int32", [index.length], index);
}

/** Rows of outputs, in tiles as above, in the order of [outermost, height, width]. */
function outputIndex(outermost: number, [height = 1, width = 1]: readonly number[], tiles: readonly [number, number]) {
  const [down, across] = tiles;
  const index = new Int32Array(outermost * height * width);
  let at = 0;
  for (let o = 0; o < outermost; o++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const position = (y % outputTile) * outputTile + (x % outputTile);
        const tile = Math.floor(y / outputTile) * across + Math.floor(x / outputTile);
        index[at++] = (position * outermost + o) * down * across + tile;
      }
  return new Tensor("int32", [index.length], index);
}

/** Tiles of x as the columns of a matrix: [tile², outermost · tiles · innermost]. */
function tilesOf(x: Value, window: Window, tile: number, begins: readonly number[], { shared }: Rows): Value {
  const [outermost = 1, height = 1, width = 1, innermost = 1] = x.shape;
  const tiles = tilesAlong(window);
  const key = JSON.stringify(["tiles", tile, outermost, height, width, tiles, begins]);
  const index = shared(key, () => tileIndex(outermost, [height, width], tiles, tile, begins));
  return reshape(gather(concat([asRows(x), zeros([1, innermost])]), index), [tile * tile, -1]);
}

/** Columns of `tilesOf` as a matrix for each of 36, whose axis of channels is there. */
const matricesOf = (columns: Value, channels: number, { innermost }: Rows): Value =>
  reshape(columns, innermost === "batch" ? [inputTile ** 2, channels, -1] : [inputTile ** 2, -1, channels]);

/** The tiles of an input of `channels` in the other basis. */
function inputsOf(x: Value, window: Window, layout: Rows): Value {
  const columns = matmul(basis(layout, "B", fromInput), tilesOf(x, window, inputTile, window.begins, layout));
  return matricesOf(columns, channelsOf(x, layout), layout);
}

const channelsOf = (x: Value, { innermost }: Rows): number => x.shape[innermost === "batch" ? 0 : 3] ?? 1;

/** Outputs by rows, of a shape, from products in the other basis. */
function outputsOf(products: Value, shape: Shape, window: Window, layout: Rows): Value {
  const [outermost = 1] = shape;
  const tiles = tilesAlong(window);
  const outputs = matmul(basis(layout, "A", toOutput), reshape(products, [inputTile ** 2, -1]));
  const key = JSON.stringify(["outputs", outermost, window.output, tiles]);
  const index = layout.shared(key, () => outputIndex(outermost, window.output, tiles));
  return reshape(gather(reshape(outputs, [-1, shape.at(-1) ?? 1]), index), shape);
}

/** Filters [M, C, 3, 3] in the other basis: [36, M, C]. */
function filtersOf(w: Value, layout: Rows, isMirrored = false): Value {
  const [filters = 1, channels = 1] = w.shape;
  const matrix = isMirrored ? fromFilter.map((row) => row.toReversed()) : fromFilter;
  const columns = matmul(basis(layout, isMirrored ? "G mirrored" : "G", matrix), reshape(w, [-1, 9]), { transB: true });
  return reshape(columns, [inputTile ** 2, filters, channels]);
}

/** x by w [M, C, 3, 3], by rows. */
export function winograd(x: Value, w: Value, window: Window, layout: Rows): Value {
  const [filters = 1] = w.shape;
  const [inputs, kernels] = [inputsOf(x, window, layout), filtersOf(w, layout)];
  const products = layout.innermost === "batch" ? matmul(kernels, inputs) : matmul(inputs, kernels, { transB: true });
  return outputsOf(products, shapeOf(x, filters, window.output, layout), window, layout);
}

/** The transpose of `winograd` in x, of extents `spatial`: g by w [M, C, 3, 3], by rows. */
export function winogradTransposed(g: Value, w: Value, window: Window, spatial: Shape, layout: Rows): Value {
  const [, channels = 1] = w.shape;
  const back = mirrored(window, spatial);
  const [inputs, kernels] = [inputsOf(g, back, layout), filtersOf(w, layout, true)];
  const products = layout.innermost === "batch" ? matmul(kernels, inputs, { transA: true }) : matmul(inputs, kernels);
  return outputsOf(products, shapeOf(g, channels, spatial, layout), back, layout);
}

/** The shape by rows of what has the samples of x and other channels and extents. */
const shapeOf = (x: Value, channels: number, spatial: Shape, { innermost }: Rows): Shape =>
  innermost === "batch" ? [channels, ...spatial, x.shape[3] ?? 1] : [x.shape[0] ?? 1, ...spatial, channels];

/** The gradient of w [M, C, 3, 3] by x and g, by rows. */
export function winogradWeightGradient(x: Value, g: Value, shape: Shape, window: Window, layout: Rows): Value {
  const [filters = 1, channels = 1] = shape;
  const columns = matmul(basis(layout, "A", toOutput), tilesOf(g, window, outputTile, [0, 0], layout), {
    transA: true,
  });
  const [outputs, inputs] = [matricesOf(columns, filters, layout), inputsOf(x, window, layout)];
  const kernels = matmul(outputs, inputs, layout.innermost === "batch" ? { transB: true } : { transA: true });
  const flat = reshape(kernels, [inputTile ** 2, filters * channels]);
  return reshape(matmul(flat, basis(layout, "G", fromFilter), { transA: true }), shape);
}
