/** Stored tensors that no optimizer made, known by their elements: masks, sinusoids of positions. */
import { FileError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import type { OpDef } from "../graph/op.ts";
import type { StoredTensor } from "./tensor.ts";

/** What the elements of a tensor show. */
export type FixedTable = "mask" | "sinusoid";

/** Operators that masks and tables of positions are operands of: sums and products of elements, choices, lookups. */
const readers: ReadonlySet<string> = new Set(["Add", "Mul", "Where", "Gather", "RotaryEmbedding"]);
/** Larger tensors are not read. */
const maxElements = 1 << 24;
/** Nothing that is learned is as far from 0; masks are, where a softmax is to give nothing. */
const farBelow = -1e4;
/** Tables are rounded to their element type, and positions in the thousands lose digits of their sines. */
const tolerance = 4e-3;

const known = new WeakMap<StoredTensor, FixedTable | "learned">();

/** What a float tensor is that an operator takes; `undefined` where its elements may have been learned. */
export function fixedTableOf(stored: StoredTensor, op: OpDef | undefined): FixedTable | undefined {
  const { shape, type } = stored;
  const [rows = 1, columns = 1] = shape.filter((extent) => extent > 1).slice(-2);
  if (!op || !readers.has(op.type) || shape.length < 2 || rows * columns < 2 || size(shape) > maxElements)
    return undefined;
  if (!/^b?float(16|32|64)?$/.test(type.name)) return undefined;
  const found = known.get(stored) ?? recognized(stored, rows, columns) ?? "learned";
  known.set(stored, found);
  return found === "learned" ? undefined : found;
}

function recognized(stored: StoredTensor, rows: number, columns: number): FixedTable | undefined {
  let elements: readonly number[];
  try {
    elements = stored.read().toNumbers();
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
  if (isMask(elements)) return "mask";
  return isSinusoid(elements, rows, columns) ? "sinusoid" : undefined;
}

/** Zeros and ones, of both some, or zeros and numbers far below. */
function isMask(elements: readonly number[]): boolean {
  const [zeros, ones, low] = [0, 1, farBelow].map(
    (kind) => elements.filter((element) => (kind < 0 ? element <= kind : element === kind)).length,
  ) as [number, number, number];
  return zeros + ones + low === elements.length && (low > 0 || (zeros > 0 && ones > 0));
}

/**
 * Every column of the first matrix is a sine of its row: v[t+1] + v[t-1] = 2 cos θ v[t]. Or, of positions in two dimensions, every row
 * holds sines and cosines of the same angles, as wide as a quarter apart.
 */
function isSinusoid(elements: readonly number[], rows: number, columns: number): boolean {
  if (rows < 5 || columns < 2 || elements.some((element) => !(Math.abs(element) <= 1 + tolerance))) return false;
  const at = (row: number, column: number) => elements[row * columns + column] ?? 0;
  const isSampled = (column: number): boolean => {
    let [products, squares] = [0, 0];
    for (let row = 1; row + 1 < rows; row++) {
      products += at(row, column) * (at(row - 1, column) + at(row + 1, column));
      squares += at(row, column) ** 2;
    }
    const factor = squares === 0 ? 2 : products / squares;
    if (Math.abs(factor) > 2 + tolerance) return false;
    for (let row = 1; row + 1 < rows; row++)
      if (Math.abs(at(row - 1, column) + at(row + 1, column) - factor * at(row, column)) > tolerance) return false;
    return true;
  };
  const all = Array.from({ length: columns }, (_, column) => column);
  const varies = all.some((column) => Math.abs(at(0, column) - at(1, column)) > 0.1);
  if (!varies) return false;
  if (all.every(isSampled)) return true;
  const quarter = columns / 4;
  if (!Number.isInteger(quarter)) return false;
  // A sine and a cosine of one angle: their squares sum to 1.
  return all
    .filter((column) => Math.floor(column / quarter) % 2 === 0)
    .every((column) =>
      Array.from({ length: rows }, (_, row) => at(row, column) ** 2 + at(row, column + quarter) ** 2).every(
        (sum) => Math.abs(sum - 1) <= tolerance,
      ),
    );
}
