/** Conversion of elements to another dtype. */
import { type DType, dtypes, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { evaluateElements } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";

/** ONNX's numbers of dtypes (TensorProto.DataType). */
export const dtypeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

const bfloat16Code = 16;

/** The dtype of ONNX's number. Throws DTypeError for one that tensors here do not have, such as strings. */
export function dtypeOfCode(op: string, code: number | undefined): DType {
  const dtype = dtypes.find((name) => dtypeCodes[name] === code);
  if (!dtype) throw new DTypeError(`${op}: no dtype has ONNX number ${code}`);
  return dtype;
}

export const Cast: OpDef = defineOp("Cast", {
  arity: "1",
  attributes: { to: "int", saturate: "int" },
  infer: ([x], { to }) => {
    return { dtype: dtypeOfCode("Cast", to), shape: x.shape };
  },
  grad: ({ g, inputs: [x] }) => [isFloat(x.dtype) ? cast(g, x.dtype) : undefined],
  flops: () => 0,
  // What files have as bfloat16 is computed in float32, as their tensors are.
  read: ({ inputs: [x], attributes: { to } }) => (x && to === bfloat16Code ? [cast(x, "float32")] : undefined),
  evaluate: ([x], { outputs: [y] }) =>
    evaluateElements(y, [x], (element) => (y.dtype === "bool" ? Number(element !== 0) : element)),
});
/**
 * The elements as another dtype; x itself where it has that. A float becomes an integer by leaving its fraction out, a
 * number a bool by being other than 0. Gradients pass between floats only.
 */
export const cast = (x: Value, dtype: DType) => (x.dtype === dtype ? x : apply(Cast, [x], { to: dtypeCodes[dtype] }));
