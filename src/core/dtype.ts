/** Element types of tensors: their names, storage arrays, sizes and classes. */

export const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Name of an element type. `float16` is stored as its raw 16 bits, `bool` as one byte. */
export type DType = keyof typeof arrayTypes;

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

/** The typed array that stores elements of `D`, over memory of its own or shared. */
export type ArrayOf<D extends DType = DType> = Arrays[D];

export const dtypes = Object.keys(arrayTypes) as readonly DType[];

/** Bytes of one element. */
export const bytesPerElement = (dtype: DType): number => arrayTypes[dtype].BYTES_PER_ELEMENT;

export const isFloat = (dtype: DType): boolean => dtype.startsWith("float");

export const isBigInt = (dtype: DType): boolean => dtype === "int64" || dtype === "uint64";

/** A zero-filled array for `length` elements. */
export const allocate = <D extends DType>(dtype: D, length: number): ArrayOf<D> =>
  new arrayTypes[dtype](length) as ArrayOf<D>;

/** The least and the greatest element of an integer dtype; of bool, 0 and 1. */
export function integerRange(dtype: DType): readonly [bigint, bigint] {
  if (dtype === "bool") return [0n, 1n];
  const bits = BigInt(8 * bytesPerElement(dtype));
  return dtype.startsWith("u") ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}
