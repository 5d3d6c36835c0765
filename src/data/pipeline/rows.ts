/** Rows of tensors copied in bulk: gathered by index, stacked from single elements. */
import { type ArrayOf, allocate, type DType } from "../../core/dtype.ts";
import { DataError } from "../../core/errors.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";

/** An object whose every property is a tensor: one sample, or a batch of them along the leading axis. */
export type TensorRecord<T> = { readonly [K in keyof T]: Tensor };

/** Rows up to this many elements are copied one by one: cheaper than making a view for each. */
const SHORT_ROW = 16;

/**
 * Rows `indices` of a tensor of shape [N, …], as a new tensor of shape [indices.length, …].
 * @example gatherRows(tensor([[1, 2], [3, 4]]), [1, 1]).toArray() // [[3, 4], [3, 4]]
 */
export function gatherRows<D extends DType>(t: Tensor<D>, indices: ArrayLike<number>): Tensor<D> {
  const rowShape = t.shape.slice(1);
  const width = size(rowShape);
  const result = allocate(t.dtype, indices.length * width);
  // One number class stands for all: elements are only moved, and never between classes.
  const [from, to] = [t.data as ArrayOf as Float32Array, result as ArrayOf as Float32Array];
  for (let row = 0; row < indices.length; row++) {
    const start = (indices[row] as number) * width;
    if (width > SHORT_ROW) to.set(from.subarray(start, start + width), row * width);
    else for (let i = 0; i < width; i++) to[row * width + i] = from[start + i] as number;
  }
  return new Tensor(t.dtype, [indices.length, ...rowShape], result);
}

/** Tensors [n, …] of one dtype and row shape, one after the other. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts as readonly [Tensor];
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const joined = allocate(first.dtype, rows * size(first.shape.slice(1)));
  let at = 0;
  for (const { data } of parts) {
    // Elements are only moved, and never between classes.
    (joined as Float32Array).set(data as Float32Array, at);
    at += data.length;
  }
  return new Tensor(first.dtype, [rows, ...first.shape.slice(1)], joined);
}

/** Row `index` of a tensor of shape [N, …], as a view of shape […]. */
export function rowOf<D extends DType>(t: Tensor<D>, index: number): Tensor<D> {
  const rowShape = t.shape.slice(1);
  const width = size(rowShape);
  return new Tensor(t.dtype, rowShape, t.data.subarray(index * width, (index + 1) * width) as ArrayOf<D>);
}

/** Tensors of one shape and dtype along a new leading axis. Throws DataError when they differ, naming the element. */
function stackTensors(tensors: readonly Tensor[], name: string): Tensor {
  const first = tensors[0] as Tensor;
  const width = first.data.length;
  const result = allocate(first.dtype, tensors.length * width);
  for (const [i, t] of tensors.entries()) {
    if (t.dtype !== first.dtype || !sameShape(t.shape, first.shape))
      throw new DataError(
        `batch(): "${name}" of element ${i} in the batch is ${t.dtype} ${showShape(t.shape)}, that of element 0 is ` +
          `${first.dtype} ${showShape(first.shape)}; map them to one shape first`,
      );
    (result as Float32Array).set(t.data as Float32Array, i * width); // same class on both sides, checked above
  }
  return new Tensor(first.dtype, [tensors.length, ...first.shape], result);
}

/** Samples of equal shapes as one batch, property by property. Throws DataError when they do not stack. */
export function stackRecords<T extends TensorRecord<T>>(samples: readonly T[]): T {
  const stacked = Object.keys(samples[0] as object).map((name) => {
    const tensors = samples.map((sample) => sample[name as keyof T] as unknown);
    const odd = tensors.find((t) => !(t instanceof Tensor));
    if (odd !== undefined)
      throw new DataError(
        `batch(): "${name}" is a ${typeof odd}, expected a tensor; map the elements to tensors first`,
      );
    return [name, stackTensors(tensors as Tensor[], name)];
  });
  return Object.fromEntries(stacked) as T;
}

/** The same rows of each tensor of a record. */
export function gatherRecord<T extends TensorRecord<T>>(tensors: T, indices: ArrayLike<number>): T {
  return mapRecord(tensors, (t) => gatherRows(t, indices));
}

/** A record with each tensor replaced. */
export function mapRecord<T extends TensorRecord<T>>(tensors: T, change: (t: Tensor, name: string) => Tensor): T {
  return Object.fromEntries(Object.entries<Tensor>(tensors).map(([name, t]) => [name, change(t, name)])) as T;
}

/** Rows along the leading axis that all tensors of a record share. Throws DataError when they disagree or there are none. */
export function rowCount<T extends TensorRecord<T>>(tensors: T, where: string): number {
  const entries = Object.entries<Tensor>(tensors);
  const [firstName, first] = entries[0] ?? ["", undefined];
  if (first === undefined)
    throw new DataError(`${where}: no tensors were passed, expected at least one such as { x, y }`);
  for (const [name, { shape }] of entries) {
    if (shape.length === 0)
      throw new DataError(`${where}: "${name}" is a scalar, expected rows along a leading axis; reshape it to [1]`);
    if (shape[0] !== first.shape[0])
      throw new DataError(
        `${where}: "${name}" has ${shape[0]} rows, "${firstName}" has ${first.shape[0]}; pass one row a sample in each`,
      );
  }
  return first.shape[0] as number;
}
