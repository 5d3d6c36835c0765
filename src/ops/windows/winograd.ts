/**
 * Convolution of 3x3 windows at stride 1 with a quarter of the multiplications, and its gradients: F(4x4, 3x3) of Winograd's minimal
 * filtering (Winograd 1980; Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4). An output of 4x4 comes from an
 * input of 6x6, both as vectors of another basis, in which windows are elementwise products: over all channels, 36 matrix products.
 *
 * Values are [C, H, W, N], rows of N as in rows.ts.
 */
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { zeros } from "../constant.ts";
import { gather } from "../indexing.ts";
import { matmul } from "../matmul.ts";
import { concat, reshape } from "../movement.ts";
import type { Window } from "./geometry.ts";
import { asRows, type Shared } from "./rows.ts";

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

/** Whether a convolution of `channels` to `filters` gains by it. */
export function fitsWinograd(batch: number, channels: number, filters: number, window: Window): boolean {
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

const basis = (shared: Shared, name: string, matrix: readonly (readonly number[])[]): Value =>
  shared(`winograd ${name}`, () => {
    const rows = bothAxes(matrix);
    return new Tensor("float32", [rows.length, rows[0]?.length ?? 0], Float32Array.from(rows.flat()));
  });

/** Rows of [channels, height, width, N] in the order (position in a tile, channel, tile); the row behind all is that of zeros. */
function tileIndex(
  channels: number,
  [height = 1, width = 1]: readonly number[],
  [down, across]: readonly [number, number],
  tile: number,
  [top = 0, left = 0]: readonly number[],
): Tensor {
  const index = new Int32Array(tile * tile * channels * down * across);
  let at = 0;
  for (let a = 0; a < tile; a++)
    for (let b = 0; b < tile; b++)
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < down; i++)
          for (let j = 0; j < across; j++) {
            const [y, x] = [i * outputTile + a - top, j * outputTile + b - left];
            const isInside = y >= 0 && y < height && x >= 0 && x < width;
            index[at++] = isInside ? (c * height + y) * width + x : channels * height * width;
          }
  return new Tensor("int32", [index.length], index);
}

/** Rows of outputs, in tiles as above, in the order of [filters, height, width]. */
function outputIndex(filters: number, [height = 1, width = 1]: readonly number[], tiles: readonly [number, number]) {
  const [down, across] = tiles;
  const index = new Int32Array(filters * height * width);
  let at = 0;
  for (let m = 0; m < filters; m++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const position = (y % outputTile) * outputTile + (x % outputTile);
        const tile = Math.floor(y / outputTile) * across + Math.floor(x / outputTile);
        index[at++] = (position * filters + m) * down * across + tile;
      }
  return new Tensor("int32", [index.length], index);
}

/** Tiles of x [C, H, W, N] as the columns of a matrix: [tile², C · tiles · N]. */
function tilesOf(x: Value, window: Window, tile: number, begins: readonly number[], shared: Shared): Value {
  const [channels = 1, height = 1, width = 1, batch = 1] = x.shape;
  const tiles = tilesAlong(window);
  const key = JSON.stringify(["tiles", tile, channels, height, width, tiles, begins]);
  const index = shared(key, () => tileIndex(channels, [height, width], tiles, tile, begins));
  return reshape(gather(concat([asRows(x), zeros([1, batch])]), index), [tile * tile, -1]);
}

/** The tiles of an input in the other basis: [36, C, tiles · N]. */
const inputsOf = (x: Value, window: Window, shared: Shared): Value =>
  reshape(matmul(basis(shared, "B", fromInput), tilesOf(x, window, inputTile, window.begins, shared)), [
    inputTile ** 2,
    x.shape[0] ?? 1,
    -1,
  ]);

/** Outputs [filters, …output, N] of products [36, filters, tiles · N]. */
function outputsOf(products: Value, window: Window, batch: number, shared: Shared): Value {
  const [positions = 1, filters = 1] = products.shape;
  const tiles = tilesAlong(window);
  const outputs = matmul(basis(shared, "A", toOutput), reshape(products, [positions, -1]));
  const key = JSON.stringify(["outputs", filters, window.output, tiles]);
  const index = shared(key, () => outputIndex(filters, window.output, tiles));
  return reshape(gather(reshape(outputs, [-1, batch]), index), [filters, ...window.output, batch]);
}

/** x [C, H, W, N] by w [M, C, 3, 3]: [M, …output, N]. */
export function winograd(x: Value, w: Value, window: Window, shared: Shared): Value {
  const [filters = 1, channels = 1] = w.shape;
  const kernels = matmul(basis(shared, "G", fromFilter), reshape(w, [filters * channels, 9]), { transB: true });
  const products = matmul(reshape(kernels, [inputTile ** 2, filters, channels]), inputsOf(x, window, shared));
  return outputsOf(products, window, x.shape[3] ?? 1, shared);
}

/** The transpose of `winograd` in its input, of a window of it: g [M, …output, N] by w [M, C, 3, 3] → [C, …spatial, N]. */
export function winogradTransposed(
  g: Value,
  w: Value,
  window: Window,
  spatial: readonly number[],
  shared: Shared,
): Value {
  const [filters = 1, channels = 1] = w.shape;
  const back = mirrored(window, spatial);
  const turned = fromFilter.map((row) => row.toReversed());
  const kernels = matmul(basis(shared, "G mirrored", turned), reshape(w, [filters * channels, 9]), { transB: true });
  const products = matmul(reshape(kernels, [inputTile ** 2, filters, channels]), inputsOf(g, back, shared), {
    transA: true,
  });
  return outputsOf(products, back, g.shape[3] ?? 1, shared);
}

/** The gradient of w [M, C, 3, 3] by x [C, H, W, N] and g [M, …output, N]. */
export function winogradWeightGradient(x: Value, g: Value, window: Window, shared: Shared): Value {
  const [channels = 1] = x.shape;
  const [filters = 1] = g.shape;
  const tiles = matmul(basis(shared, "A", toOutput), tilesOf(g, window, outputTile, [0, 0], shared), { transA: true });
  const kernels = matmul(reshape(tiles, [inputTile ** 2, filters, -1]), inputsOf(x, window, shared), { transB: true });
  const flat = reshape(kernels, [inputTile ** 2, filters * channels]);
  return reshape(matmul(flat, basis(shared, "G", fromFilter), { transA: true }), [filters, channels, 3, 3]);
}
