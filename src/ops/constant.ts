/** Constants in a graph, and scalars that adopt the dtype of the operand beside them. */
import { type DType, isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError, UnsupportedError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import { requireTable } from "../core/tables.ts";
import { fullTensor, Tensor, tensor } from "../core/tensor.ts";
import { numbersOf } from "../graph/attributes.ts";
import { constantOf, nodesOf, Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";

/** Attributes that may stand for a tensor of numbers, and its dtype. */
const numberForms = [
  ["value_float", "float32"],
  ["value_floats", "float32"],
  ["value_int", "int64"],
  ["value_ints", "int64"],
] as const;

/** A tensor known while tracing; becomes an initializer of the model. */
export const Constant: OpDef = defineOp("Constant", {
  arity: "0",
  attributes: { value: "tensor" },
  infer: (_, { value }) => {
    if (!value) throw new DTypeError('Constant needs a tensor in its attribute "value"');
    return { dtype: value.dtype, shape: value.shape };
  },
  grad: "none",
  flops: () => 0,
  read: ({ attributes }) => {
    if (attributes.value !== undefined) return undefined;
    for (const [name, dtype] of numberForms) {
      const numbers = numbersOf("Constant", attributes, name);
      if (numbers) return [constant(tensor(Array.isArray(attributes[name]) ? numbers : (numbers[0] ?? 0), { dtype }))];
    }
    throw new UnsupportedError(`Constant: its attribute ${Object.keys(attributes).join(", ")} is not supported`);
  },
});

/** A value in a graph, or a number that becomes a scalar of its neighbour's dtype. */
export type Operand = Value | number;

/** A host tensor as a graph value. */
export const constant = (value: Tensor): Value => apply(Constant, [], { value });

/** A scalar constant. */
export function scalar(value: number, dtype: DType = "float32"): Value {
  if (!isFloat(dtype) && dtype !== "bool" && !Number.isInteger(value))
    throw new DTypeError(
      `${value} is not a whole number but meets a ${dtype} tensor; cast that tensor to float32 first`,
    );
  return constant(fullTensor(dtype, [], value));
}

/** Turns numbers among operands into scalars of the first value's dtype. */
export function asValues(...operands: readonly Operand[]): Value[] {
  const dtype = operands.find((operand) => operand instanceof Value)?.dtype ?? "float32";
  return operands.map((operand) => (typeof operand === "number" ? scalar(operand, dtype) : operand));
}

/** An int64 vector, as ONNX takes shapes, axes and offsets. Throws ShapeError for what is no whole number. */
export function int64s(values: readonly number[]): Value {
  const broken = values.find((value) => !Number.isSafeInteger(value));
  if (broken !== undefined)
    throw new ShapeError(`${broken} is no whole number, as shapes, axes and offsets are; pass one up to 2^53`);
  return constant(new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt)));
}

/** A tensor of one repeated value. Throws ShapeError for extents that are none, UnsupportedError for more than 2^26 elements. */
export function full(shape: Shape, value: number, dtype: DType = "float32"): Value {
  requireTable("a constant of one value", ...shape);
  return constant(fullTensor(dtype, shape, value));
}

/** A constant of zeros; float32 by default. */
export const zeros = (shape: Shape, dtype?: DType): Value => full(shape, 0, dtype);
/** A constant of ones; float32 by default. */
export const ones = (shape: Shape, dtype?: DType): Value => full(shape, 1, dtype);

/** The numbers of an integer constant, `undefined` for any other value. */
export function constantNumbers(value: Value | undefined): number[] | undefined {
  return constantOf(value)?.toNumbers();
}

/** An operand that must be known while tracing, and is computed. */
export class ComputedError extends DTypeError {
  /** Names of the graph inputs that it is computed from. */
  readonly inputs: readonly string[];

  constructor(op: string, what: string, value: Value | undefined) {
    super(`${op}: ${what} must be known while tracing, got a computed value; pass plain numbers`);
    const read = [value, ...nodesOf([value]).flatMap((node) => node.inputs)];
    this.inputs = [...new Set(read.flatMap((own) => (own && !own.producer && own.name) || []))];
  }
}

/** Throws ComputedError unless an operand that must be known while tracing (a shape, axes) is a constant. */
export function requireConstant(op: string, what: string, value: Value | undefined): number[] {
  return requireTensor(op, what, value).toNumbers();
}

/** The same operand as a tensor. */
export function requireTensor(op: string, what: string, value: Value | undefined): Tensor {
  const known = constantOf(value);
  if (!known) throw new ComputedError(op, what, value);
  return known;
}

/** 0 … length-1 as a constant. */
export function iota(length: number, dtype: DType = "int64"): Value {
  requireTable("the numbers of an axis", length);
  return constant(
    tensor(
      Array.from({ length }, (_, i) => i),
      { dtype },
    ),
  );
}
