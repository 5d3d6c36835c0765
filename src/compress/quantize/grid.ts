/** Whole numbers that stand for real ones: real = (stored - zero) · scale. */
import { type ArrayOf, allocate } from "../../core/dtype.ts";
import { Tensor } from "../../core/tensor.ts";

/** From where to where numbers lie; it holds 0. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** A dtype of 8 bits. */
export type Byte = "uint8" | "int8";

/** How a tensor of 8 bits is read. */
export interface Grid {
  readonly dtype: Byte;
  readonly scale: number;
  readonly zero: number;
}

const limitsOf = { uint8: [0, 255], int8: [-128, 127] } as const;

/** The smallest scale: the normal number of float32 that is nearest to 0, so that nothing is divided by 0. */
const smallest = 2 ** -126;

/**
 * The grid that covers a range. A symmetric one has its zero in the middle. With zero in the range it stands for 0 exactly, so that what is padded
 * with 0 stays exact (Jacob et al. 2018, sec. 2.1).
 */
export function gridOf({ low, high }: Range, dtype: Byte, symmetric: boolean): Grid {
  const [first, last] = limitsOf[dtype];
  if (symmetric) {
    const scale = Math.fround(Math.max(Math.max(-low, high) / 127, smallest));
    return { dtype, scale, zero: dtype === "uint8" ? 128 : 0 };
  }
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround(Math.max((to - from) / (last - first), smallest));
  return { dtype, scale, zero: Math.min(last, Math.max(first, Math.round(first - from / scale))) };
}

/** To the nearest, halves to the even number, as ONNX's QuantizeLinear does. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** A weight in 8 bits, with a scale for each index of an axis or one for all. */
export interface QuantizedWeight {
  readonly numbers: Tensor<"int8">;
  /** [channels], or [] where all share one. */
  readonly scale: Tensor<"float32">;
  readonly zero: Tensor<"int8">;
}

/** The largest absolute value of each index of an axis of a matrix or kernel, axis 0 or 1; of all of them where it is `undefined`. */
export function extremesOf({ shape, data }: Tensor<"float32">, axis: 0 | 1 | undefined): Float32Array {
  const found = new Float32Array(axis === undefined ? 1 : (shape[axis] ?? 1));
  const place = placeAlong(shape, axis);
  for (const [i, w] of data.entries()) {
    const at = place(i);
    if (Math.abs(w) > (found[at] as number)) found[at] = Math.abs(w);
  }
  return found;
}

/** The index along an axis of each element. */
export function placeAlong(shape: readonly number[], axis: 0 | 1 | undefined): (i: number) => number {
  if (axis === undefined) return () => 0;
  const [rows = 1, columns = 1] = shape;
  const rest = shape.slice(2).reduce((product, extent) => product * extent, 1);
  return axis === 0 ? (i) => Math.floor(i / (columns * rest)) % rows : (i) => Math.floor(i / rest) % columns;
}

/**
 * A weight in int8 around 0: scale = max |w| / 127, by index of an axis or of all. The numbers reach to 127 less than the lowest, -128, so that the
 * grid is symmetric.
 * @param most the largest number that is used: 127, or 63 where products must not saturate
 * @param least scales below which none lies, by index; default none
 */
export function quantizedWeight(
  weight: Tensor<"float32">,
  axis: 0 | 1 | undefined,
  most: number,
  least: ArrayLike<number> = [],
): QuantizedWeight {
  const scales = extremesOf(weight, axis).map((extreme, c) => Math.max(extreme / most, least[c] ?? 0, smallest));
  const place = placeAlong(weight.shape, axis);
  const numbers = allocate("int8", weight.data.length) as Int8Array;
  for (const [i, w] of weight.data.entries())
    numbers[i] = Math.min(most, Math.max(-most, roundHalfEven(w / (scales[place(i)] as number))));
  const shape = axis === undefined ? [] : [scales.length];
  return {
    numbers: new Tensor("int8", weight.shape, numbers as ArrayOf<"int8">),
    scale: new Tensor("float32", shape, scales),
    zero: new Tensor("int8", shape, new Int8Array(scales.length)),
  };
}

/** What each stored number of a weight stands for, by its place. @param axis along which scales differ, where they do */
export function realNumbers({ numbers, scale }: QuantizedWeight, axis: 0 | 1): (i: number) => number {
  const place = placeAlong(numbers.shape, scale.data.length === 1 ? undefined : axis);
  return (i) => (numbers.data[i] as number) * (scale.data[place(i)] as number);
}
