/** Frozen parameters in fewer bits: float16, or blocks of 8 or 4 bits with a scale each. */
import type { DType } from "../core/dtype.ts";
import { FileError } from "../core/errors.ts";
import { float16Bits, float16ToFloat32 } from "../core/half.ts";
import { type Shape, sameShape, showShape, size } from "../core/shape.ts";
import { copyOf, Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { cast, reshape, UnpackBlocks } from "../ops/index.ts";
import type { Parameter } from "./parameter.ts";

/** Bits of an element. */
export type StorageBits = 4 | 8 | 16;

/** Elements of a parameter in fewer bits. Everything computes with the same float32 numbers, which `unpacked` gives. */
export interface Packed {
  readonly bits: StorageBits;
  /** What is stored, by name; as graph inputs, in this order. */
  readonly parts: Readonly<Record<string, Tensor>>;
}

/** Rows of the first axis, or one row of a vector. */
const rowsOf = (shape: Shape): readonly [rows: number, columns: number] => {
  const rows = shape.length > 1 ? (shape[0] ?? 1) : 1;
  return [rows, size(shape) / rows];
};

/**
 * Rounds elements to fewer bits. Each block of a row has the scale max |w| / (2^(bits - 1) - 1), and its elements are whole multiples of
 * that (Dettmers and Zettlemoyer 2023, sec. 3, block-wise quantization); 16 bits are float16. A row that is shorter than a block is one. Elements
 * that were rounded so before, or by ggml's formats of the same blocks, stay what they are.
 */
export function pack({ shape, data }: Tensor<"float32">, bits: StorageBits, longest: number): Packed {
  if (bits === 16) return { bits, parts: { half: new Tensor("float16", shape, Uint16Array.from(data, float16Bits)) } };
  const [rows, columns] = rowsOf(shape);
  const shapes = partShapes(shape, bits, longest);
  const [, blocks = 1, bytes = 1] = shapes.elements;
  const block = (bytes * 8) / bits;
  const limit = 2 ** (bits - 1) - 1;
  const elements = new Uint8Array(rows * blocks * bytes);
  const scales = new Float32Array(rows * blocks);
  for (let at = 0; at < rows * blocks; at++) {
    const start = Math.floor(at / blocks) * columns + (at % blocks) * block;
    const length = Math.min(block, columns - (at % blocks) * block);
    const own = data.subarray(start, start + length);
    let extreme = 0;
    for (const element of own) if (Math.abs(element) > Math.abs(extreme)) extreme = element;
    const scale = scaleOfWhole(own, extreme, limit + 1) ?? Math.fround(Math.abs(extreme) / limit);
    scales[at] = scale;
    for (let i = 0; i < block; i++) {
      const steps = i < length && scale !== 0 ? Math.round((data[start + i] ?? 0) / scale) : 0;
      const stored = Math.min(limit, Math.max(-limit - 1, steps)) + limit + 1;
      if (bits === 8) elements[at * bytes + i] = stored;
      else elements[at * bytes + (i >> 1)] = (elements[at * bytes + (i >> 1)] ?? 0) | (stored << (4 * (i & 1)));
    }
  }
  return {
    bits,
    parts: {
      elements: new Tensor("uint8", shapes.elements, elements),
      scales: new Tensor("float32", shapes.scales, scales),
    },
  };
}

/**
 * The scale by which elements are whole numbers from `-half` to `half - 1`, the first of which is the extreme one: blocks that come from ggml's
 * formats, such as q4_0, stay as they are. `undefined` for other elements.
 */
function scaleOfWhole(elements: Float32Array, extreme: number, half: number): number | undefined {
  const scale = -extreme / half;
  if (scale === 0) return undefined;
  const isWhole = (element: number) => Number.isInteger(element / scale) && element / scale < half;
  return elements.every(isWhole) ? scale : undefined;
}

/** The elements as float32. */
export function unpacked({ bits, parts }: Packed, shape: Shape): Tensor<"float32"> {
  const { half, elements, scales } = parts;
  if (half) return new Tensor("float32", shape, float16ToFloat32(half.data as Uint16Array));
  const [rows, columns] = rowsOf(shape);
  const [, blocks = 0, bytes = 0] = elements?.shape ?? [];
  const stored = (elements?.data ?? []) as Uint8Array;
  const block = (bytes * 8) / bits;
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = row * blocks + Math.floor(column / block);
    const within = column % block;
    const byte = stored[at * bytes + (bits === 8 ? within : within >> 1)] ?? 0;
    const number = bits === 8 ? byte : (byte >> (4 * (within & 1))) & 15;
    data[i] = (number - 2 ** (bits - 1)) * ((scales?.data[at] as number | undefined) ?? 0);
  }
  return new Tensor("float32", shape, data);
}

/** The elements in a graph, from its inputs that are the parts: one of float16, or the elements of blocks and their scales. */
export function unpackedValue(bits: StorageBits, inputs: readonly Value[], shape: Shape): Value {
  const [first, scales] = inputs as readonly [Value, Value | undefined];
  if (!scales) return cast(first, "float32");
  const [, columns] = rowsOf(shape);
  return reshape(apply(UnpackBlocks, [first, scales], { bits, columns }), shape);
}

/** Extents of the parts of a value that is packed in blocks, as `pack` makes them. */
export function partShapes(
  shape: Shape,
  bits: 4 | 8,
  longest: number,
): { readonly elements: Shape; readonly scales: Shape } {
  const [rows, columns] = rowsOf(shape);
  // Two elements of 4 bits fill a byte.
  const block = Math.min(longest, columns + (columns % 2));
  const blocks = Math.ceil(columns / block);
  return { elements: [rows, blocks, (block * bits) / 8], scales: [rows, blocks] };
}

/** Names of the parts by how many bits, with their dtypes. */
const partTypes: readonly (readonly [StorageBits, Readonly<Record<string, DType>>])[] = [
  [4, { elements: "uint8", scales: "float32" }],
  [8, { elements: "uint8", scales: "float32" }],
  [16, { half: "float16" }],
];

const partName = (path: string, bits: StorageBits, part: string): string => `${path}#${bits}.${part}`;

/** The tensors that hold a parameter in a file: itself under its path, or the parts of one that is packed. */
export function storedTensors(path: string, { packed, value }: Parameter): Readonly<Record<string, Tensor>> {
  if (!packed) return value ? { [path]: value } : {};
  const { bits, parts } = packed;
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [partName(path, bits, name), part]));
}

/** The packed parameter of a path that the tensors of a file hold, copied; `undefined` where there is none. Throws FileError for parts that do not fit. */
export function packedFrom(path: string, shape: Shape, read: (name: string) => Tensor | undefined): Packed | undefined {
  for (const [bits, types] of partTypes) {
    const found = Object.entries(types).map(([name, dtype]) => ({
      name,
      dtype,
      part: read(partName(path, bits, name)),
    }));
    if (found.every(({ part }) => part === undefined)) continue;
    const parts: Record<string, Tensor> = {};
    for (const { name, dtype, part } of found) {
      if (part?.dtype !== dtype)
        throw new FileError(
          `of the parameter "${path}" in ${bits} bits ${name} is ${part ? part.dtype : "missing"}, not ${dtype}`,
        );
      parts[name] = copyOf(part);
    }
    requireHolds(path, { bits, parts }, shape);
    return { bits, parts };
  }
  return undefined;
}

function requireHolds(path: string, { bits, parts }: Packed, shape: Shape): void {
  const [rows, columns] = rowsOf(shape);
  const { half, elements, scales } = parts;
  const [ownRows, blocks = 0, bytes = 0] = elements?.shape ?? [];
  const fits = half
    ? sameShape(half.shape, shape)
    : ownRows === rows && blocks * bytes * 8 >= columns * bits && sameShape(scales?.shape ?? [], [rows, blocks]);
  if (!fits)
    throw new FileError(
      `the parameter "${path}" in ${bits} bits is ${showShape((half ?? elements)?.shape ?? [])}, which is not ${showShape(shape)}; load it into the model it was saved from`,
    );
}
