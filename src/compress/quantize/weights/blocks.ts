/** Rows of a weight in blocks of 4 or 8 bits, each with a scale and a zero: the form of ONNX Runtime's MatMulNBits. */
import { Tensor } from "../../../core/tensor.ts";

/** How numbers are laid in blocks. */
export interface BlockForm {
  readonly bits: 4 | 8;
  /** Numbers of a row that share a scale: 16, 32, 64, 128 or 256. */
  readonly block: number;
  /** The zero is in the middle, and not stored. */
  readonly symmetric: boolean;
}

/** Scale and zero of a block. */
interface BlockGrid {
  readonly scale: number;
  readonly zero: number;
}

/** A weight [rows, columns] in blocks; the last of a row may be longer than the row. */
export class BlockWeight {
  readonly form: BlockForm;
  readonly rows: number;
  readonly columns: number;
  /** Of a row. */
  readonly blocks: number;
  readonly #numbers: Uint8Array;
  readonly #scales: Float32Array;
  readonly #zeros: Uint8Array;

  constructor(rows: number, columns: number, form: BlockForm) {
    this.form = form;
    this.rows = rows;
    this.columns = columns;
    this.blocks = Math.ceil(columns / form.block);
    this.#numbers = new Uint8Array(rows * this.blocks * form.block);
    this.#scales = new Float32Array(rows * this.blocks);
    this.#zeros = new Uint8Array(rows * this.blocks);
  }

  /** Chooses scale and zero of a block by the numbers that it is to hold: from the least, or 0, to the largest, or 0. */
  fit(row: number, block: number, numbers: Float32Array | Float64Array): void {
    const { scale, zero } = gridOfBlock(numbers, this.form);
    this.#scales[row * this.blocks + block] = scale;
    this.#zeros[row * this.blocks + block] = zero;
  }

  /** Rounds a number to the grid of its block, and returns what it stands for from then on. */
  put(row: number, column: number, w: number): number {
    const at = row * this.blocks + Math.floor(column / this.form.block);
    const [scale, zero] = [this.#scales[at] as number, this.#zeros[at] as number];
    const most = 2 ** this.form.bits - 1;
    const stored = Math.min(most, Math.max(0, Math.round(w / scale) + zero));
    this.#numbers[row * this.blocks * this.form.block + column] = stored;
    return (stored - zero) * scale;
  }

  /** What a number stands for. */
  at(row: number, column: number): number {
    const at = row * this.blocks + Math.floor(column / this.form.block);
    const stored = this.#numbers[row * this.blocks * this.form.block + column] as number;
    return (stored - (this.#zeros[at] as number)) * (this.#scales[at] as number);
  }

  /** Elements [rows, blocks, bytes], scales [rows, blocks], and zeros [rows, bytes] where they are stored. */
  tensors(): {
    readonly elements: Tensor<"uint8">;
    readonly scales: Tensor<"float32">;
    readonly zeros: Tensor<"uint8"> | undefined;
  } {
    const { bits, block, symmetric } = this.form;
    const bytes = (block * bits) / 8;
    return {
      elements: new Tensor("uint8", [this.rows, this.blocks, bytes], packed(this.#numbers, bits)),
      scales: new Tensor("float32", [this.rows, this.blocks], this.#scales),
      zeros: symmetric ? undefined : this.#packedZeros(),
    };
  }

  #packedZeros(): Tensor<"uint8"> {
    const { bits } = this.form;
    // Each row begins with a byte of its own.
    const each = this.blocks + (bits === 4 ? this.blocks % 2 : 0);
    const spread = new Uint8Array(this.rows * each);
    for (let row = 0; row < this.rows; row++)
      spread.set(this.#zeros.subarray(row * this.blocks, (row + 1) * this.blocks), row * each);
    const data = packed(spread, bits);
    return new Tensor("uint8", [this.rows, data.length / this.rows], data);
  }
}

/** Numbers of so many bits in bytes, the first in the low half. */
function packed(numbers: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return numbers;
  const bytes = new Uint8Array(numbers.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (numbers[2 * i] as number) | ((numbers[2 * i + 1] as number) << 4);
  return bytes;
}

function gridOfBlock(numbers: Float32Array | Float64Array, { bits, symmetric }: BlockForm): BlockGrid {
  let [low, high] = [0, 0];
  for (const w of numbers) [low, high] = [Math.min(low, w), Math.max(high, w)];
  const most = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  if (symmetric) return { scale: Math.fround(Math.max(-low, high) / (middle - 1)) || 1, zero: middle };
  const scale = Math.fround((high - low) / most) || 1;
  return { scale, zero: Math.min(most, Math.max(0, Math.round(-low / scale))) };
}

/** Rows [rows, columns] rounded to the nearest, block by block. */
export function roundToNearest(weight: Float32Array, rows: number, form: BlockForm): BlockWeight {
  const columns = weight.length / rows;
  const result = new BlockWeight(rows, columns, form);
  for (let row = 0; row < rows; row++) {
    const own = weight.subarray(row * columns, (row + 1) * columns);
    for (let block = 0; block < result.blocks; block++)
      result.fit(row, block, own.subarray(block * form.block, (block + 1) * form.block));
    for (const [column, w] of own.entries()) result.put(row, column, w);
  }
  return result;
}
