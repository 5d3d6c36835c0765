/** What ONNX Runtime computes in fewer dtypes than ONNX allows: operators go through another dtype that holds the elements. */
import type { DType } from "../core/dtype.ts";
import type { Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { cast } from "./cast.ts";

/** For each dtype without a kernel, the dtype to compute in. */
type Detours = Partial<Record<DType, DType>>;

export const shortIntegers: Detours = { int16: "int32", uint16: "int32" };
/** Of sums and products: results are those modulo 2^8, 2^16 and 2^32. */
export const smallIntegers: Detours = { ...shortIntegers, int8: "int32", uint8: "int32", uint32: "int64" };
/**
 * The `lower` rule of an operator that computes in another dtype where its own has no kernel: it casts the operands at
 * `positions` (default the first), and casts the outputs back.
 */
export const through =
  (detours: Detours, positions: readonly number[] = [0]) =>
  ({ outputs }: { readonly outputs: readonly Value[] }): readonly Value[] | undefined => {
    const node = outputs[0]?.producer;
    const target = (i: number) => (positions.includes(i) ? detours[node?.inputs[i]?.dtype ?? "float32"] : undefined);
    if (!node?.inputs.some((_, i) => target(i))) return undefined;
    const operands = node.inputs.map((value, i) => value && cast(value, target(i) ?? value.dtype));
    return makeNode(node.op, operands, node.attributes).outputs.map((value, i) =>
      cast(value, outputs[i]?.dtype ?? value.dtype),
    );
  };
