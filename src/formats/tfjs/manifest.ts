/** The weightsManifest of a model.json: the stored tensors, how they are stored, and where in which files. */
import * as z from "zod";
import { type ByteSource, memorySource, requireRange } from "../../core/byte-source.ts";
import { type ArrayOf, allocate, arrayTypes, type DType } from "../../core/dtype.ts";
import { FileError } from "../../core/errors.ts";
import { float16ToFloat32 } from "../../core/half.ts";
import { limits } from "../../core/limits.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { name, readPart } from "./fields.ts";

/** A tensor that the manifest lists. */
export interface StoredWeight {
  readonly name: string;
  readonly shape: Shape;
  /** As the file has its elements: `uint8` for a quantized float32. */
  readonly type: { readonly name: string; readonly bits: number };
  /** In which it is computed with; `undefined` for text and complex numbers, which no tensor here holds. */
  readonly dtype: DType | undefined;
  /** Its elements, `undefined` when the files of weights are not there or no tensor here holds them. */
  read(): Tensor | undefined;
}

/** Opens a file that the manifest names, beside model.json; `undefined` when it is not there. */
export type OpenShard = (path: string) => Uint8Array | ByteSource | undefined;

/** Element types by the format's names: bits of an element, and the dtype here. */
const elementTypes = {
  float32: { bits: 32, dtype: "float32" },
  int32: { bits: 32, dtype: "int32" },
  bool: { bits: 8, dtype: "bool" },
  // Text is stored with its length; a byte is the least that an element takes.
  string: { bits: 8, dtype: undefined },
  complex64: { bits: 64, dtype: undefined },
} as const satisfies Record<string, { bits: number; dtype: DType | undefined }>;

/** How quantized elements are stored; uint8 and uint16 stand for scale · q + min. */
const quantizedBits = { uint8: 8, uint16: 16, float16: 16 } as const;

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) => Object.keys(table) as [K, ...K[]];
const oneOf = (table: object) => `one of ${Object.keys(table).join(", ")}`;
const extents = "a list of whole numbers from 0";
const finite = z.number({ error: "a number" });

const entrySchema = z.object({
  name: name(),
  shape: z
    .array(z.int({ error: extents }).min(0, { error: extents }), { error: extents })
    .max(limits.rank, { error: `at most ${limits.rank} extents` })
    .refine(
      // Beyond 2^53 a number of elements is no longer exact.
      (shape) => Number.isSafeInteger(size(shape)),
      { error: "extents whose product is a number of elements" },
    ),
  dtype: z.enum(keysOf(elementTypes), { error: oneOf(elementTypes) }),
  quantization: z
    .object(
      {
        dtype: z.enum(keysOf(quantizedBits), { error: oneOf(quantizedBits) }),
        scale: finite.default(1),
        min: finite.default(0),
      },
      { error: "an object with a dtype" },
    )
    .optional(),
});
type Entry = z.output<typeof entrySchema>;

const manifestSchema = z.array(
  z.object({
    paths: z.array(name(), { error: "a list of file names" }).default([]),
    weights: z.array(entrySchema, { error: "a list of weights" }),
  }),
  { error: "the list of the files of weights and what is in them" },
);

/**
 * The stored tensors by name. Throws FileError for a manifest that is missing or wrong, and when a name is listed twice;
 * reading a tensor throws it for files that are cut off.
 */
export function readManifest(manifest: unknown, open: OpenShard = () => undefined): ReadonlyMap<string, StoredWeight> {
  const weights = new Map<string, StoredWeight>();
  for (const group of readPart("weightsManifest", manifestSchema, manifest)) {
    const file = joined(group.paths, open);
    let offset: number | undefined = 0;
    for (const entry of group.weights) {
      if (weights.has(entry.name))
        throw new FileError(
          `tfjs: weightsManifest lists "${entry.name}" twice, the second time as ${showShape(entry.shape)}; names must differ, convert the model again`,
        );
      const weight: StoredWeight = storedWeight(entry, offset, file);
      weights.set(entry.name, weight);
      // Only the file says how long text is: what follows it is not read.
      offset = entry.dtype === "string" || offset === undefined ? undefined : offset + bytesOf(weight);
    }
  }
  return weights;
}

const bytesOf = ({ shape, type }: StoredWeight): number => (size(shape) * type.bits) / 8;

function storedWeight(
  { name: own, shape, dtype: written, quantization }: Entry,
  offset: number | undefined,
  file: () => ByteSource | undefined,
): StoredWeight {
  const { bits, dtype } = elementTypes[written];
  const type = quantization
    ? { name: quantization.dtype, bits: quantizedBits[quantization.dtype] }
    : { name: written, bits };
  const weight: StoredWeight = {
    name: own,
    shape,
    type,
    dtype,
    read() {
      if (!dtype || offset === undefined) return undefined;
      const source = file();
      if (!source) return undefined;
      requireRange(source, offset, bytesOf(weight), `tfjs: "${own}" in the files of weights`);
      const elements = elementsOf(source.read(offset, bytesOf(weight)), type.name as DType);
      const data = quantization ? dequantized(elements, dtype, quantization) : elements;
      return new Tensor<DType>(dtype, shape, data);
    },
  };
  return weight;
}

/** Little-endian elements as a typed array of their own memory. */
function elementsOf(bytes: Uint8Array, dtype: DType): ArrayOf {
  const copy = new Uint8Array(bytes);
  return new arrayTypes[dtype](copy.buffer);
}

function dequantized(
  elements: ArrayOf,
  dtype: DType,
  { dtype: type, scale, min }: { readonly dtype: string; readonly scale: number; readonly min: number },
): ArrayOf {
  // A narrower float, which has no scale.
  const stored = type === "float16" ? float16ToFloat32(elements as Uint16Array) : elements;
  if (type === "float16" && dtype === "float32") return stored;
  const data = allocate(dtype, stored.length);
  for (const [i, q] of stored.entries()) {
    const element = Number(q) * scale + min;
    data[i] = dtype === "float32" ? element : Math.round(element);
  }
  return data;
}

/** The files of a group as one, opened when the first of its bytes is asked for; `undefined` when one is not there. */
function joined(paths: readonly string[], open: OpenShard): () => ByteSource | undefined {
  let known: { readonly source: ByteSource | undefined } | undefined;
  return () => {
    if (!known) {
      const parts = paths.map(open);
      const there = parts.flatMap((part) => (part instanceof Uint8Array ? memorySource(part) : (part ?? [])));
      known = { source: there.length === parts.length && parts.length > 0 ? concatenated(there) : undefined };
    }
    return known.source;
  };
}

/** Sources one after the other: tensors may begin in one and end in another. */
function concatenated(parts: readonly ByteSource[]): ByteSource {
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let begin = 0;
      for (const part of parts) {
        const [from, to] = [Math.max(offset, begin), Math.min(offset + length, begin + part.size)];
        if (from < to) bytes.set(part.read(from - begin, to - from), from - offset);
        begin += part.size;
      }
      return bytes;
    },
  };
}
