/** Comparisons, logic and bits, element by element under broadcasting. */
import { DTypeError } from "../core/errors.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../graph/op.ts";
import { asValues, type Operand } from "./constant.ts";
import { arithmetic, broadcast } from "./elementwise.ts";
import { each } from "./float-function.ts";
import { through } from "./kernels.ts";

/** A broadcasting comparison. */
const predicate = (type: string, takes: typeof broadcast, holds: (a: number, b: number) => boolean) =>
  defineOp(type, {
    arity: "2",
    infer: ([a, b]) => ({ ...takes(type, a, b), dtype: "bool" }),
    grad: "none",
    flops: each,
    fold: (a, b) => Number(holds(a, b)),
  });

/** Throws DTypeError unless x is bool. */
export function requireBool(op: string, x: Value): Value {
  if (x.dtype !== "bool") throw new DTypeError(`${op} takes bools, got ${x.dtype}; compare first, e.g. greater(x, 0)`);
  return x;
}

/** A broadcasting logical operator. */
const connective = (type: string, holds: (a: number, b: number) => boolean) =>
  defineOp(type, {
    arity: "2",
    infer: ([a, b]) => broadcast(type, requireBool(type, a), requireBool(type, b)),
    grad: "none",
    flops: each,
    fold: (a, b) => Number(holds(a, b)),
  });

/** A broadcasting integer or boolean operator without a gradient. */
const bitwise = (type: string) =>
  defineOp(type, {
    arity: "2",
    attributes: type === "BitShift" ? { direction: "string" } : {},
    infer: ([a, b]) => broadcast(type, a, b),
    grad: "none",
    flops: each,
    ...(type === "BitShift" && { lower: through({ uint16: "uint32" }, [0, 1]) }),
  });

export const Equal: OpDef = predicate("Equal", broadcast, (a, b) => a === b);
export const Greater: OpDef = predicate("Greater", arithmetic, (a, b) => a > b);
export const GreaterOrEqual: OpDef = predicate("GreaterOrEqual", arithmetic, (a, b) => a >= b);
export const Less: OpDef = predicate("Less", arithmetic, (a, b) => a < b);
export const LessOrEqual: OpDef = predicate("LessOrEqual", arithmetic, (a, b) => a <= b);
export const And: OpDef = connective("And", (a, b) => a !== 0 && b !== 0);
export const Or: OpDef = connective("Or", (a, b) => a !== 0 || b !== 0);
export const Xor: OpDef = connective("Xor", (a, b) => a !== b);
export const Not: OpDef = defineOp("Not", {
  arity: "1",
  infer: ([x]) => requireBool("Not", x),
  grad: "none",
  flops: each,
  fold: (x) => Number(x === 0),
});
export const IsNaN: OpDef = defineOp("IsNaN", {
  arity: "1",
  infer: ([x]) => ({ dtype: "bool", shape: requireFloat("IsNaN", x).shape }),
  grad: "none",
  flops: each,
  fold: (x) => Number(Number.isNaN(x)),
});
/** Whether an element is infinite, of the signs asked for. */
export const IsInf: OpDef = defineOp("IsInf", {
  arity: "1",
  attributes: { detect_negative: "int", detect_positive: "int" },
  infer: ([x]) => ({ dtype: "bool", shape: requireFloat("IsInf", x).shape }),
  grad: "none",
  flops: each,
});
export const BitwiseAnd: OpDef = bitwise("BitwiseAnd");
export const BitwiseXor: OpDef = bitwise("BitwiseXor");
export const BitShift: OpDef = bitwise("BitShift");

const two = (op: OpDef) => (a: Operand, b: Operand) => apply(op, asValues(a, b));

/** Whether a = b, element by element, as bool. Shapes broadcast; a number takes the dtype of the other operand. */
export const equal = two(Equal);
/** Whether a > b, element by element, as bool; operands as those of `equal`. */
export const greater = two(Greater);
/** Whether a ≥ b, element by element, as bool; operands as those of `equal`. */
export const greaterOrEqual = two(GreaterOrEqual);
/** Whether a < b, element by element, as bool; operands as those of `equal`. */
export const less = two(Less);
/** Whether a ≤ b, element by element, as bool; operands as those of `equal`. */
export const lessOrEqual = two(LessOrEqual);
/** Whether both of two bools hold, element by element; shapes broadcast. */
export const and = two(And);
/** Whether one at least of two bools holds, element by element; shapes broadcast. */
export const or = two(Or);
/** Whether exactly one of two bools holds, element by element; shapes broadcast. */
export const xor = two(Xor);
/** Whether a bool does not hold, each element. */
export const not = (x: Value) => apply(Not, [x]);
/** Whether an element is NaN, as bool. Throws DTypeError for what is no float. */
export const isNan = (x: Value) => apply(IsNaN, [x]);
/** Whether an element is infinite, of either sign, as bool. Throws DTypeError for what is no float. */
export const isInf = (x: Value) => apply(IsInf, [x]);
/** The bits that both of two integers have, element by element; shapes broadcast. */
export const bitwiseAnd = two(BitwiseAnd);
/** The bits that exactly one of two integers has, element by element; shapes broadcast. */
export const bitwiseXor = two(BitwiseXor);
/** The bits of a moved b places up, each integer without a sign; shapes broadcast. */
export const shiftLeft = (a: Operand, b: Operand) => apply(BitShift, asValues(a, b), { direction: "LEFT" });
/** The bits of a moved b places down, each integer without a sign; shapes broadcast. */
export const shiftRight = (a: Operand, b: Operand) => apply(BitShift, asValues(a, b), { direction: "RIGHT" });
