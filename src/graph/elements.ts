/** Elements of host tensors: moved to other places whatever their dtype, or computed as numbers where those are exact. */
import { isBigInt, isFloat } from "../core/dtype.ts";
import { type Shape, size, stridesOf } from "../core/shape.ts";
import { type Tensor, zerosTensor } from "../core/tensor.ts";
import type { TensorType } from "./ir.ts";

/** One index for each axis. */
export type Position = readonly number[];

/** Calls `visit` with every position of a shape, row-major. */
export function forEachPosition(shape: Shape, visit: (position: Position, offset: number) => void): void {
  const position = shape.map(() => 0);
  for (let offset = 0; offset < size(shape); offset++) {
    visit([...position], offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis] = ((position[axis] ?? 0) + 1) % (shape[axis] ?? 1);
      if (position[axis] !== 0) break;
    }
  }
}

/** Where the element of a position lies in row-major order. */
export const offsetOf = (position: Position, strides: readonly number[]): number =>
  position.reduce((sum, index, axis) => sum + index * (strides[axis] ?? 0), 0);

/** Position in a tensor of `shape` that broadcasting puts at `position` of the result. */
export const broadcastPosition = (position: Position, shape: Shape): Position =>
  shape.map((extent, axis) => (extent === 1 ? 0 : (position[axis + position.length - shape.length] ?? 0)));

/** A tensor that takes each element from where `from` says: a source and a position in it. */
export function moveElements(
  { dtype, shape }: TensorType,
  from: (position: Position) => readonly [Tensor, Position],
): Tensor {
  const result = zerosTensor(dtype, shape);
  forEachPosition(shape, (position, offset) => {
    const [source, at] = from(position);
    result.data[offset] = source.data[offsetOf(at, stridesOf(source.shape))] as number;
  });
  return result;
}

/** The elements as numbers; `undefined` when those would not be exact: large int64, float16, which is raw bits. */
export function exactNumbers({ dtype, data }: Tensor): number[] | undefined {
  if (dtype === "float16") return undefined;
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
  return isBigInt(dtype) && !numbers.every(Number.isSafeInteger) ? undefined : numbers;
}

/** A tensor of numbers, cut to whole ones in an integer type as ONNX does; `undefined` when one is out of its range. */
export function exactTensor({ dtype, shape }: TensorType, numbers: readonly number[]): Tensor | undefined {
  if (dtype === "float16") return undefined;
  const result = zerosTensor(dtype, shape);
  for (const [i, number] of numbers.entries()) {
    const whole = isFloat(dtype) ? number : Math.trunc(number) + 0; // + 0 turns -0 into 0
    if (!isFloat(dtype) && !Number.isSafeInteger(whole)) return undefined;
    result.data[i] = isBigInt(dtype) ? BigInt(whole) : whole;
    if (!isFloat(dtype) && Number(result.data[i]) !== whole) return undefined;
  }
  return result;
}

/** A tensor of what `compute` makes of one element of each operand, under broadcasting; `undefined` when not exact. */
export function mapElements(
  type: TensorType,
  operands: readonly Tensor[],
  compute: (...elements: number[]) => number,
): Tensor | undefined {
  const sources = operands.map((operand) => ({ operand, numbers: exactNumbers(operand) }));
  if (sources.some(({ numbers }) => numbers === undefined)) return undefined;
  const results: number[] = [];
  forEachPosition(type.shape, (position) => {
    const elements = sources.map(({ operand: { shape }, numbers = [] }) => {
      const at = offsetOf(broadcastPosition(position, shape), stridesOf(shape));
      return numbers[at] ?? 0;
    });
    results.push(compute(...elements));
  });
  return exactTensor(type, results);
}

/** The outputs of an operator with one, if that could be computed. */
export const oneOutput = (result: Tensor | undefined): readonly Tensor[] | undefined => result && [result];

/** Outputs of an elementwise rule that needs more than its elements; `undefined` when they would not be exact. */
export function evaluateElements(
  y: TensorType,
  operands: readonly (Tensor | undefined)[],
  compute: (...elements: number[]) => number,
): readonly Tensor[] | undefined {
  const known = operands.filter((operand) => operand !== undefined);
  return known.length === operands.length ? oneOutput(mapElements(y, known, compute)) : undefined;
}
