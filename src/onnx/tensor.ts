/** Tensors as ONNX files store them: type, shape and place are checked at once, elements are read on demand. */
import { type ByteSource, requireRange } from "../core/byte-source.ts";
import { type ArrayOf, allocate, arrayTypes, bytesPerElement, type DType, isBigInt } from "../core/dtype.ts";
import { FileError } from "../core/errors.ts";
import { bfloat16ToFloat32 } from "../core/half.ts";
import { requireName, requireRank } from "../core/limits.ts";
import { type Shape, showShape, size, stridesOf } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { ElementType } from "../import/declared.ts";
import { type Blob, type Decoded, type DecodedValue, decodePacked } from "./decode.ts";
import { number, numbers, record, records, text } from "./fields.ts";

const own = (name: DType): ElementType => ({ name, bits: 8 * bytesPerElement(name), dtype: name });
const narrow = (name: string, bits: number, dtype: DType): ElementType => ({ name, bits, dtype });

/** By their number in TensorProto.DataType. Text and complex numbers are no tensors of a model that we know. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: own("float32"),
  2: own("uint8"),
  3: own("int8"),
  4: own("uint16"),
  5: own("int16"),
  6: own("int32"),
  7: own("int64"),
  9: own("bool"),
  10: own("float16"),
  11: own("float64"),
  12: own("uint32"),
  13: own("uint64"),
  16: narrow("bfloat16", 16, "float32"),
  17: narrow("float8e4m3fn", 8, "float32"),
  18: narrow("float8e4m3fnuz", 8, "float32"),
  19: narrow("float8e5m2", 8, "float32"),
  20: narrow("float8e5m2fnuz", 8, "float32"),
  21: narrow("uint4", 4, "uint8"),
  22: narrow("int4", 4, "int8"),
  23: narrow("float4e2m1", 4, "float32"),
};

/** The element type of a number, `undefined` when there is none that we know. */
export const elementTypeOf = (code: number): ElementType | undefined => elementTypes[code];

/** A tensor of a file. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  /** Bytes that it takes in the file. */
  readonly bytes: number;
  /** Throws FileError for an element type that no tensor here holds. */
  read(): Tensor;
}

/** Opens the file beside the model that holds a tensor's bytes. Throws FileError for a place that it must not open. */
export type OpenExternal = (location: string) => ByteSource;

/** Describes a TensorProto. Throws FileError when its type, shape and bytes do not agree. */
export function storedTensor(proto: Decoded, external: OpenExternal): StoredTensor {
  const name = text(proto, "name");
  requireName("onnx: a tensor", name);
  const fail = (problem: string) => new FileError(`onnx: tensor "${name}" ${problem}`);
  const code = number(proto, "data_type") ?? 0;
  const type = elementTypeOf(code);
  if (!type) throw fail(`has element type ${code}, which is no number; text and complex numbers cannot be read`);
  const shape = numbers(proto, "dims");
  requireRank(`onnx: tensor "${name}"`, shape.length);
  const elements = size(shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || !Number.isSafeInteger(elements))
    throw fail(`has shape ${showShape(shape)}; extents must be whole numbers from 0`);
  const needed = Math.ceil((elements * type.bits) / 8);
  const content = contentOf(proto, type, external, fail);
  if (content.bytes !== undefined && content.bytes !== needed)
    throw fail(
      `of shape ${showShape(shape)} and type ${type.name} needs ${needed} bytes, the file has ${content.bytes}`,
    );
  if (content.most !== undefined && content.most < elements)
    throw fail(`of shape ${showShape(shape)} needs ${elements} elements, the file has at most ${content.most}`);
  return {
    name,
    shape,
    type,
    bytes: needed,
    read() {
      const unpack = type.name === type.dtype ? undefined : unpackers[type.name];
      if (type.name !== type.dtype && !unpack)
        throw fail(`is ${type.name}, which no tensor here holds; convert it to float32 first`);
      const data = content.read();
      const expected = type.bits === 4 ? needed : elements;
      if (data.length !== expected)
        throw fail(`of shape ${showShape(shape)} needs ${expected} elements, the file has ${data.length}`);
      return new Tensor(type.dtype, shape, unpack ? unpack(data, elements) : data);
    },
  };
}

/** A sparse tensor is written out where it is read, unless it would be larger than this. */
const maxDenseElements = 1 << 28;

/** Describes a SparseTensorProto: values of some elements, zeros elsewhere. Throws FileError when its parts do not agree. */
export function sparseTensor(proto: Decoded, external: OpenExternal): StoredTensor {
  const [values, indices] = ["values", "indices"].map((part) => {
    const tensor = record(proto, part);
    if (!tensor) throw new FileError(`onnx: a sparse tensor lacks its ${part}; the file is damaged`);
    return storedTensor(tensor, external);
  }) as [StoredTensor, StoredTensor];
  const { name, type } = values;
  const fail = (problem: string) => new FileError(`onnx: sparse tensor "${name}" ${problem}; export the model again`);
  const shape = numbers(proto, "dims");
  requireRank(`onnx: sparse tensor "${name}"`, shape.length);
  const elements = size(shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || !Number.isSafeInteger(elements))
    throw fail(`has shape ${showShape(shape)}; extents must be whole numbers from 0`);
  const [count = 0, ...others] = values.shape;
  const isByAxis = indices.shape.length === 2 && indices.shape[1] === shape.length;
  const fits = indices.shape[0] === count && (isByAxis || indices.shape.length === 1);
  if (others.length > 0 || !fits || indices.type.name !== "int64")
    throw fail(
      `of shape ${showShape(shape)} has values ${showShape(values.shape)} and indices ${indices.type.name}${showShape(indices.shape)}, expected [n] and int64 [n] or [n, ${shape.length}]`,
    );
  return {
    name,
    shape,
    type,
    bytes: values.bytes + indices.bytes,
    read() {
      if (elements > maxDenseElements) throw fail(`has ${elements} elements, too many to write out`);
      const [given, places] = [values.read(), indices.read().toNumbers()];
      const data = allocate(given.dtype, elements);
      const strides = isByAxis ? stridesOf(shape) : [1];
      for (let i = 0; i < count; i++) {
        const position = places.slice(i * strides.length, (i + 1) * strides.length);
        const at = position.reduce((sum, index, axis) => sum + index * (strides[axis] ?? 0), 0);
        const isInside = isByAxis ? position.every((index, axis) => index >= 0 && index < (shape[axis] ?? 0)) : at >= 0;
        if (!isInside || at >= elements) throw fail(`has an element at [${position}], outside ${showShape(shape)}`);
        data[at] = given.data[i] as number;
      }
      return new Tensor(given.dtype, shape, data);
    },
  };
}

/** Elements of types that no tensor has, in those that it has, by name. */
const unpackers: Readonly<Record<string, (stored: ArrayOf, elements: number) => ArrayOf>> = {
  bfloat16: (stored) => bfloat16ToFloat32(stored as Uint16Array),
  uint4: (stored, elements) => Uint8Array.from({ length: elements }, (_, i) => nibble(stored, i)),
  int4: (stored, elements) => Int8Array.from({ length: elements }, (_, i) => (nibble(stored, i) << 28) >> 28),
};

/** Two numbers of 4 bits stand in a byte, the first in its low half. */
const nibble = (stored: ArrayOf, i: number): number => (Number(stored[i >> 1]) >> (4 * (i & 1))) & 15;

interface Content {
  /** Bytes of the elements where they are stored raw. */
  readonly bytes?: number;
  /** How many elements there can be at most, where they are stored as a list. */
  readonly most?: number;
  read(): ArrayOf;
}

type Fail = (problem: string) => FileError;

/** The field that holds the elements of a type which is not stored raw (onnx.proto, TensorProto). */
const listFields = {
  float_data: ["float32"],
  int32_data: [
    ...["int32", "int16", "int8", "uint16", "uint8", "bool", "float16", "bfloat16"],
    // Of 4 bits, two to a number.
    ...["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1"],
  ],
  int64_data: ["int64"],
  double_data: ["float64"],
  uint64_data: ["uint64", "uint32"],
} as const satisfies Record<string, readonly string[]>;
type ListField = keyof typeof listFields;

/** The dtype that holds the elements as they are stored. */
const storedAs = ({ name, dtype }: ElementType): DType => (name === "bfloat16" ? "uint16" : dtype);

function contentOf(proto: Decoded, type: ElementType, external: OpenExternal, fail: Fail): Content {
  if (number(proto, "data_location") === 1) return externalContent(proto, type, external, fail);
  const raw = proto["raw_data"] as Blob | undefined;
  if (raw) return { bytes: raw.length, read: () => rawElements(raw.read(), storedAs(type)) };
  const field = (Object.keys(listFields) as ListField[]).find((name) => proto[name] !== undefined);
  const list = field ? (proto[field] as readonly DecodedValue[]) : [];
  if (field && !(listFields[field] as readonly string[]).includes(type.name))
    throw fail(`of type ${type.name} has its elements in "${field}"`);
  // A whole number takes a byte at least; which then says enough to refuse a shape that the file cannot fill.
  const width = field === "float_data" ? 4 : field === "double_data" ? 8 : 1;
  const most = list.reduce<number>(
    (sum, item) => sum + (typeof item === "object" ? (item as Blob).length / width : 1),
    0,
  );
  return {
    most: type.bits === 4 ? 2 * most : most,
    read: () => listedElements(list, field ?? "int32_data", storedAs(type)),
  };
}

function externalContent(proto: Decoded, type: ElementType, external: OpenExternal, fail: Fail): Content {
  const entries = new Map(records(proto, "external_data").map((entry) => [text(entry, "key"), text(entry, "value")]));
  const location = entries.get("location");
  if (!location) throw fail("is said to lie in another file, which is not named; export the model again");
  const source = external(location);
  const count = (key: string, otherwise: number): number => {
    const value = Number(entries.get(key) ?? otherwise);
    if (!Number.isSafeInteger(value) || value < 0) throw fail(`has ${key} "${entries.get(key)}" in ${location}`);
    return value;
  };
  const offset = count("offset", 0);
  const length = count("length", source.size - offset);
  requireRange(source, offset, length, `onnx: tensor "${text(proto, "name")}" in ${location}`);
  return { bytes: length, read: () => rawElements(source.read(offset, length), storedAs(type)) };
}

/** Little-endian elements as a typed array of their own memory. */
function rawElements(bytes: Uint8Array, dtype: DType): ArrayOf {
  const copy = new Uint8Array(bytes); // slice() of a Buffer does not copy
  return new arrayTypes[dtype](copy.buffer, 0, copy.length / bytesPerElement(dtype));
}

const packedKinds = {
  float_data: "float",
  int32_data: "int32",
  int64_data: "int64",
  double_data: "double",
  uint64_data: "uint64",
} as const satisfies Record<ListField, string>;

/** Elements of a list field: packed ones, or numbers one by one. */
function listedElements(list: readonly DecodedValue[], field: ListField, dtype: DType): ArrayOf {
  const [first] = list;
  if (list.length === 1 && typeof first === "object" && (field === "float_data" || field === "double_data"))
    return rawElements((first as Blob).read(), dtype);
  const values = list.flatMap((item) =>
    typeof item === "object" ? decodePacked((item as Blob).read(), packedKinds[field]) : [item as number | bigint],
  );
  const data = allocate(dtype, values.length);
  for (const [i, value] of values.entries()) data[i] = isBigInt(dtype) ? BigInt(value) : Number(value);
  return data;
}
