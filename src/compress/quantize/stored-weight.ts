/** Weights in int8 as a graph reads them. */
import type { Tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { constant, DequantizeLinear } from "../../ops/index.ts";

/** Whole numbers with their scales, and with zeros where those are written. */
export interface Stored {
  readonly numbers: Tensor;
  readonly scale: Tensor<"float32">;
  readonly zero?: Tensor;
}

/** The real numbers of what is stored in place of a weight, in a graph; adds what is stored to the weights. */
export function dequantized(value: Value, stored: Stored, axis: number, weights: Map<Value, Tensor>): Value {
  const store = (tensor: Tensor, part: string): Value => {
    const own = input(tensor.dtype, tensor.shape, `${value.name}_${part}`);
    weights.set(own, tensor);
    return own;
  };
  const { numbers, scale, zero } = stored;
  const parts = [store(numbers, numbers.dtype), store(scale, "scale")];
  return apply(DequantizeLinear, zero ? [...parts, constant(zero)] : parts, { axis });
}
