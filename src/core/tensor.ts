/** Host tensors: a dtype, a shape and a typed array, row-major. */
import { type ArrayOf, allocate, arrayTypes, type DType, isBigInt } from "./dtype.ts";
import { DTypeError, ShapeError } from "./errors.ts";
import { type Shape, sameShape, showShape, size } from "./shape.ts";

/** Numbers nested as deep as the rank. */
export type Nested = number | bigint | boolean | readonly Nested[];

/**
 * An array on the host. It owns nothing else: the garbage collector frees it.
 * `data` may be a view into a larger buffer.
 */
export class Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: ArrayOf<D>;

  /** Throws ShapeError when `data` does not hold exactly the elements of `shape`, DTypeError when its class is another. */
  constructor(dtype: D, shape: Shape, data: ArrayOf<D>) {
    if (!(data instanceof arrayTypes[dtype]))
      throw new DTypeError(
        `a ${dtype} tensor needs ${arrayTypes[dtype].name} data, got ${(data as object).constructor.name}`,
      );
    if (data.length !== size(shape))
      throw new ShapeError(
        `shape ${showShape(shape)} needs ${size(shape)} elements, got ${data.length}; pass the shape that the data has`,
      );
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** The single element of a one-element tensor, as a number. */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item() reads one element, this tensor has shape ${showShape(this.shape)}`);
    return Number(this.data[0]);
  }

  /** The same elements under another shape, without a copy. One extent may be -1. */
  reshape(shape: Shape): Tensor<D> {
    const known = shape.reduce((product, extent) => (extent < 0 ? product : product * extent), 1);
    return new Tensor(
      this.dtype,
      shape.map((extent) => (extent < 0 ? this.data.length / known : extent)),
      this.data,
    );
  }

  /** Elements in row-major order, as numbers. */
  toNumbers(): number[] {
    return Array.from(this.data as ArrayLike<number | bigint>, Number);
  }

  /** Elements as nested arrays of numbers. */
  toArray(): Nested {
    const build = (axis: number, offset: number, stride: number): Nested => {
      const extent = this.shape[axis];
      if (extent === undefined) return Number(this.data[offset]);
      const step = stride / extent;
      return Array.from({ length: extent }, (_, i) => build(axis + 1, offset + i * step, step));
    };
    return build(0, 0, this.data.length);
  }
}

function nestedShape(values: Nested): number[] {
  return Array.isArray(values) ? [values.length, ...(values.length ? nestedShape(values[0]) : [])] : [];
}

function dtypeOfArray(data: ArrayBufferView): DType {
  for (const [dtype, type] of Object.entries(arrayTypes)) if (data.constructor === type) return dtype as DType;
  throw new DTypeError(`no tensor stores a ${data.constructor.name}; pass a typed array such as Float32Array`);
}

/**
 * Makes a host tensor from nested numbers or a typed array (not copied).
 * Numbers become `float32`, booleans `bool`, bigints `int64` unless `dtype` says otherwise.
 * @example tensor([[1, 2], [3, 4]]).shape // [2, 2]
 */
export function tensor<D extends DType = "float32">(
  values: Nested | ArrayOf<D>,
  options: { readonly dtype?: D; readonly shape?: Shape } = {},
): Tensor<D> {
  if (ArrayBuffer.isView(values)) {
    const dtype = options.dtype ?? (dtypeOfArray(values) as D);
    return new Tensor(dtype, options.shape ?? [values.length], values);
  }
  const nested = values as Nested;
  const shape = nestedShape(nested);
  const flat = Array.isArray(nested)
    ? (nested.flat(Number.POSITIVE_INFINITY) as (number | bigint | boolean)[])
    : [nested];
  if (flat.length !== size(shape)) throw new ShapeError("nested rows differ in length; make every row equally long");
  const first = flat[0];
  const natural = typeof first === "boolean" ? "bool" : typeof first === "bigint" ? "int64" : "float32";
  const dtype = options.dtype ?? (natural as D);
  const data = allocate(dtype, flat.length);
  for (const [i, value] of flat.entries()) data[i] = isBigInt(dtype) ? BigInt(value as number) : Number(value);
  return new Tensor(dtype, options.shape ?? shape, data);
}

/** A zero-filled tensor. */
export const zerosTensor = <D extends DType>(dtype: D, shape: Shape): Tensor<D> =>
  new Tensor(dtype, shape, allocate(dtype, size(shape)));

/** A tensor with every element `value`. */
export function fullTensor<D extends DType>(dtype: D, shape: Shape, value: number): Tensor<D> {
  const result = zerosTensor(dtype, shape);
  (result.data as { fill(value: number | bigint): unknown }).fill(isBigInt(dtype) ? BigInt(value) : value);
  return result;
}

/** Whether dtype, shape and every bit agree. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  const bytes = (t: Tensor) => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  const [left, right] = [bytes(a), bytes(b)];
  return left.every((byte, i) => byte === right[i]);
}
