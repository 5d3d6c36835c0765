/** Many outputs as one: each output that the host reads from a device is waited for by itself. */
import type { DType } from "../core/dtype.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { concat, reshape } from "../ops/index.ts";

/** What a graph gives in place of its outputs, and how they are read off it. */
export interface Packed {
  readonly outputs: readonly Value[];
  /** The tensors of the outputs that were asked for, from those that the graph gives. */
  read(results: readonly Tensor[]): readonly Tensor[];
}

/** One vector for the outputs of each dtype. */
export function packed(outputs: readonly Value[]): Packed {
  const byType = new Map<DType, Value[]>();
  const places = outputs.map((output) => {
    const own = byType.get(output.dtype) ?? [];
    byType.set(output.dtype, own);
    const offset = own.reduce((sum, { shape }) => sum + size(shape), 0);
    own.push(output);
    return { output, offset, of: [...byType.keys()].indexOf(output.dtype) };
  });
  return {
    outputs: [...byType.values()].map((own) => {
      const flat = own.map((output) => reshape(output, [size(output.shape)]));
      return flat.length === 1 ? (flat[0] as Value) : concat(flat, 0);
    }),
    read: (results) =>
      places.map(({ output: { dtype, shape }, offset, of }) => {
        const { data } = results[of] as Tensor;
        return new Tensor<DType>(dtype, shape, data.subarray(offset, offset + size(shape)));
      }),
  };
}
