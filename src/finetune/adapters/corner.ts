/** Tensors that adapters of several sizes share. */
import { type Shape, sameShape, size, stridesOf } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";

/** The extents that hold all of these. */
export const largestShape = (shapes: readonly Shape[]): Shape =>
  (shapes[0] ?? []).map((_, axis) => Math.max(...shapes.map((shape) => shape[axis] ?? 1)));

/** The first elements along each axis, as many as a shape has, and zeros beyond them: a copy. */
export function corner(tensor: Tensor, shape: Shape): Tensor<"float32"> {
  const source = tensor.data as Float32Array;
  if (sameShape(tensor.shape, shape)) return new Tensor("float32", shape, source.slice());
  const data = new Float32Array(size(shape));
  const [from, to] = [stridesOf(tensor.shape), stridesOf(shape)];
  const shared = shape.map((extent, axis) => Math.min(extent, tensor.shape[axis] ?? 1));
  const copy = (axis: number, start: number, target: number) => {
    if (axis === shape.length) data[target] = source[start] ?? 0;
    else
      for (let i = 0; i < (shared[axis] ?? 1); i++)
        copy(axis + 1, start + i * (from[axis] ?? 1), target + i * (to[axis] ?? 1));
  };
  copy(0, 0, 0);
  return new Tensor("float32", shape, data);
}
