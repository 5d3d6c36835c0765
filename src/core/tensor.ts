/** Host tensors: a dtype, a shape and a typed array, row-major. */

import { type ArrayOf, allocate, arrayTypes, type DType, dtypes, integerRange, isBigInt, isFloat } from "./dtype.ts";
import { atPlace, DTypeError, ShapeError } from "./errors.ts";
import { float16Bits, float16Number, float16ToFloat32 } from "./half.ts";
import { matching, oneOf } from "./option-types.ts";
import { optionsOf } from "./options.ts";
import { type Shape, sameShape, showShape, size, stridesOf } from "./shape.ts";

/** Numbers nested as deep as the rank. */
export type Nested = number | bigint | boolean | readonly Nested[];

/**
 * An array on the host: a dtype, a shape, and the elements row by row. It owns nothing else: the garbage collector
 * frees it. `data` may be a view into a larger buffer. Make one with `tensor`.
 */
export class Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  declare readonly data: ArrayOf<D>;

  /**
   * Throws ShapeError unless `data` holds exactly the elements of `shape`, whose extents are whole numbers, DTypeError when
   * its class is another.
   * @param data the elements, or what gives them whenever they are read, for those that are kept elsewhere
   */
  constructor(dtype: D, shape: Shape, data: ArrayOf<D> | (() => ArrayOf<D>)) {
    if (typeof data === "function") {
      this.dtype = dtype;
      this.shape = shape;
      Object.defineProperty(this, "data", { get: data, enumerable: true });
      return;
    }
    if (!(data instanceof arrayTypes[dtype]))
      throw new DTypeError(
        `a tensor of ${dtype} needs ${arrayTypes[dtype].name} data, got ${(data as object).constructor.name}`,
      );
    if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0))
      throw new ShapeError(
        `shape ${showShape(shape)} is not of whole numbers, of ${data.length} elements; pass extents that divide them`,
      );
    if (data.length !== size(shape))
      throw new ShapeError(
        `shape ${showShape(shape)} needs ${size(shape)} elements, got ${data.length}; pass the shape that the data has`,
      );
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** The single element of a one-element tensor, as a number. Throws ShapeError for any other tensor. */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item() reads one element, this tensor has shape ${showShape(this.shape)}; use toArray()`);
    return this.#numberAt(0);
  }

  /** An element as a number. */
  #numberAt(index: number): number {
    const element = Number(this.data[index]);
    return this.dtype === "float16" ? float16Number(element) : element;
  }

  /**
   * The same elements under another shape, without a copy. One extent may be -1, which the others decide. Throws
   * ShapeError for a shape that does not fit.
   */
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
    return Array.from({ length: this.data.length }, (_, i) => this.#numberAt(i));
  }

  /** Elements as nested arrays of numbers. */
  toArray(): Nested {
    const build = (axis: number, offset: number, stride: number): Nested => {
      const extent = this.shape[axis];
      if (extent === undefined) return this.#numberAt(offset);
      const step = stride / extent;
      return Array.from({ length: extent }, (_, i) => build(axis + 1, offset + i * step, step));
    };
    return build(0, 0, this.data.length);
  }
}

/** Throws ShapeError unless all elements of a list are nested alike. */
function nestedShape(values: Nested): Shape {
  if (!Array.isArray(values)) return [];
  const [first = [], ...others] = values.map(nestedShape);
  if (!others.every((other) => sameShape(other, first)))
    throw new ShapeError("nested rows differ in length; make every row equally long");
  return [values.length, ...first];
}

/** Of the dtypes that share an array class: `float16` and `bool` are raw storage, which only an option can mean. */
const isNatural = (dtype: DType) => dtype !== "float16" && dtype !== "bool";

function dtypeOfArray(data: ArrayBufferView): DType {
  for (const dtype of dtypes) if (isNatural(dtype) && data.constructor === arrayTypes[dtype]) return dtype;
  throw new DTypeError(`no tensor stores a ${data.constructor.name}; pass a typed array such as Float32Array`);
}

const checkOptions = optionsOf<{ readonly dtype?: DType; readonly shape?: Shape }>("tensor", {
  dtype: oneOf(...dtypes),
  shape: matching("a list of extents", Array.isArray),
});

/**
 * Makes a host tensor from nested numbers or a typed array (not copied).
 * Numbers become `float32`, booleans `bool`, bigints `int64`, an array what its class stores, unless `dtype` says otherwise.
 * Throws ShapeError when rows differ in length or `shape` has other elements, DTypeError for another class of array or an
 * element that an integer dtype does not hold.
 * @example tensor([[1, 2], [3, 4]]).shape // [2, 2]
 */
export function tensor<D extends DType>(
  values: Nested | ArrayOf<D>,
  options: { readonly dtype: D; readonly shape?: Shape },
): Tensor<D>;
export function tensor(values: Nested | ArrayOf, options?: { readonly shape?: Shape }): Tensor;
export function tensor<D extends DType>(
  values: Nested | ArrayOf<D>,
  options: { readonly dtype?: D; readonly shape?: Shape } = {},
): Tensor<D> {
  checkOptions(options);
  if (ArrayBuffer.isView(values)) {
    const dtype = options.dtype ?? (dtypeOfArray(values) as D);
    return new Tensor(dtype, options.shape ?? [values.length], values);
  }
  const nested = values as Nested;
  const shape = nestedShape(nested);
  const flat = (Array.isArray(nested) ? nested.flat(Number.POSITIVE_INFINITY) : [nested]) as (
    | number
    | bigint
    | boolean
  )[];
  const first = flat[0];
  const natural = typeof first === "boolean" ? "bool" : typeof first === "bigint" ? "int64" : "float32";
  const dtype = options.dtype ?? (natural as D);
  const data = allocate(dtype, flat.length);
  for (const [i, value] of flat.entries())
    try {
      data[i] = elementOf(dtype, value);
    } catch (error) {
      throw atPlace(`tensor: element ${i}`, error);
    }
  return new Tensor(dtype, options.shape ?? shape, data);
}

/** A number as an array of the dtype stores it. Throws DTypeError for one that the dtype does not hold. */
function elementOf(dtype: DType, value: number | bigint | boolean): number | bigint {
  if (value === null || !["number", "bigint", "boolean"].includes(typeof value))
    throw new DTypeError(`${JSON.stringify(value)} is not a number; pass numbers, bigints or booleans`);
  if (isFloat(dtype)) return dtype === "float16" ? float16Bits(Number(value)) : Number(value);
  const [low, high] = integerRange(dtype);
  const whole = typeof value === "bigint" || Number.isInteger(Number(value)) ? BigInt(value) : undefined;
  if (whole === undefined || whole < low || whole > high)
    throw new DTypeError(
      `${value} is not ${dtype}, which holds whole numbers of ${low} to ${high}; round or clip it, or pass another dtype`,
    );
  return isBigInt(dtype) ? whole : Number(value);
}

/** A zero-filled tensor. */
export const zerosTensor = <D extends DType>(dtype: D, shape: Shape): Tensor<D> =>
  new Tensor(dtype, shape, allocate(dtype, size(shape)));

/** A tensor with every element `value`. */
export function fullTensor<D extends DType>(dtype: D, shape: Shape, value: number): Tensor<D> {
  const result = zerosTensor(dtype, shape);
  (result.data as { fill(value: number | bigint): unknown }).fill(elementOf(dtype, value));
  return result;
}

/** The same tensor with an array of its own. (`slice()` would not copy where the array is a Buffer.) */
export function copyOf<D extends DType>(t: Tensor<D>): Tensor<D> {
  const data = allocate(t.dtype, t.data.length);
  (data as ArrayOf as Float32Array).set(t.data as ArrayOf as Float32Array);
  return new Tensor(t.dtype, t.shape, data);
}

/** The tensor with its axes in another order, copied: axis i of the result is axis `axes[i]` of it. */
export function transposed<D extends DType>({ dtype, shape, data }: Tensor<D>, axes: readonly number[]): Tensor<D> {
  const result = zerosTensor(
    dtype,
    axes.map((axis) => shape[axis] ?? 1),
  );
  const strides = stridesOf(shape);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const position = result.shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = data[at] as number;
    for (let axis = position.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      const extent = result.shape[axis] ?? 1;
      at += steps[axis] ?? 0;
      if (next < extent) {
        position[axis] = next;
        break;
      }
      position[axis] = 0;
      at -= extent * (steps[axis] ?? 0);
    }
  }
  return result;
}

/** The elements as float32: the tensor itself where it has them, else converted. */
export function asFloat32(t: Tensor): Tensor<"float32"> {
  if (t.dtype === "float32") return t as Tensor<"float32">;
  const data = t.dtype === "float16" ? float16ToFloat32(t.data as Uint16Array) : Float32Array.from(t.toNumbers());
  return new Tensor("float32", t.shape, data);
}

/** Whether no element is NaN or infinite. */
export const allFinite = (t: Tensor): boolean =>
  !isFloat(t.dtype) ||
  (t.dtype === "float64" ? (t.data as Float64Array) : asFloat32(t).data).every((element) => Number.isFinite(element));

/** Whether dtype, shape and every bit agree. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  const bytes = (t: Tensor) => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  const [left, right] = [bytes(a), bytes(b)];
  return left.every((byte, i) => byte === right[i]);
}
