/** Elementwise functions of one operand: signs and rounding, exponentials, trigonometric and hyperbolic functions. */
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat, requireNumbers } from "../graph/op.ts";
import { scalar } from "./constant.ts";
import { add, div, mul, sub } from "./elementwise.ts";
import { each, floatFunction } from "./float-function.ts";

/** A function that is constant almost everywhere: its derivative is zero. */
const stepwise = (type: string, takes: (op: string, x: Value) => Value, fold: (x: number) => number) =>
  defineOp(type, { arity: "1", infer: ([x]) => takes(type, x), grad: () => [undefined], flops: each, fold });

/** The nearest whole number; halves go to the even one. */
const roundEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

export const Neg: OpDef = defineOp("Neg", {
  arity: "1",
  simd: "neg",
  infer: ([x]) => requireNumbers("Neg", x),
  grad: ({ g }) => [neg(g)],
  flops: each,
  fold: (x) => -x,
  simplify: ({ inputs: [x] }) => (x.producer?.op === Neg && x.producer.inputs[0] ? [x.producer.inputs[0]] : undefined),
});
export const Abs: OpDef = defineOp("Abs", {
  arity: "1",
  simd: "abs",
  infer: ([x]) => requireNumbers("Abs", x),
  grad: ({ g, inputs: [x] }) => [mul(g, sign(x))],
  flops: each,
  fold: Math.abs,
});
export const Sign: OpDef = stepwise("Sign", requireNumbers, Math.sign);
export const Floor: OpDef = stepwise("Floor", requireFloat, Math.floor);
export const Ceil: OpDef = stepwise("Ceil", requireFloat, Math.ceil);
export const Round: OpDef = stepwise("Round", requireFloat, roundEven);

export const Exp: OpDef = floatFunction("Exp", (g, _, y) => mul(g, y), { fold: Math.exp });
export const Log: OpDef = floatFunction("Log", (g, x) => div(g, x), { fold: Math.log });
export const Sqrt: OpDef = floatFunction("Sqrt", (g, _, y) => mul(g, div(0.5, y)), { fold: Math.sqrt, simd: "sqrt" });
export const Reciprocal: OpDef = floatFunction("Reciprocal", (g, _, y) => mul(g, neg(mul(y, y))), {
  fold: (x) => 1 / x,
});
/** Vulkan lets sines and cosines err by 2^-11 ("Precision and Operation of SPIR-V Instructions"). */
export const Sin: OpDef = floatFunction("Sin", (g, x) => mul(g, cos(x)), {
  fold: Math.sin,
  onWebGpu: (x) => sine(x, 0),
});
export const Cos: OpDef = floatFunction("Cos", (g, x) => mul(g, neg(sin(x))), {
  fold: Math.cos,
  onWebGpu: (x) => sine(x, 0.5),
});

/**
 * sin(x + ahead π) to float32's precision for |x| below some thousands: x less a multiple k π, taken off in two parts, so that the second is
 * what the first loses to rounding; then the series of the sine, turned where k is odd.
 */
function sine(x: Value, ahead: number): Value {
  const halfTurns = sub(round(add(mul(x, 1 / Math.PI), ahead)), ahead);
  const [coarse, fine] = [3.140625, Math.PI - 3.140625];
  const r = sub(sub(x, mul(halfTurns, coarse)), mul(halfTurns, fine));
  const square = mul(r, r);
  const [first = 0, ...others] = [-1 / 39_916_800, 1 / 362_880, -1 / 5040, 1 / 120, -1 / 6];
  const series = others.reduce((sum, term) => add(mul(sum, square), term), scalar(first));
  const magnitude = add(r, mul(mul(r, square), series));
  // 1 for an even number of half turns, -1 for an odd one.
  const turns = add(halfTurns, ahead);
  const odd = sub(turns, mul(floor(mul(turns, 0.5)), 2));
  return mul(magnitude, sub(1, mul(odd, 2)));
}
export const Tan: OpDef = floatFunction("Tan", (g, _, y) => mul(g, add(1, mul(y, y))), {
  fold: Math.tan,
  composite: (x) => div(sin(x), cos(x)),
});
export const Asin: OpDef = floatFunction("Asin", (g, x) => div(g, sqrt(sub(1, mul(x, x)))), { fold: Math.asin });
export const Acos: OpDef = floatFunction("Acos", (g, x) => neg(div(g, sqrt(sub(1, mul(x, x))))), { fold: Math.acos });
export const Atan: OpDef = floatFunction("Atan", (g, x) => div(g, add(1, mul(x, x))), { fold: Math.atan });
export const Sinh: OpDef = floatFunction("Sinh", (g, x) => mul(g, cosh(x)), {
  fold: Math.sinh,
  composite: (x) => mul(0.5, sub(exp(x), exp(neg(x)))),
});
export const Cosh: OpDef = floatFunction("Cosh", (g, x) => mul(g, sinh(x)), {
  fold: Math.cosh,
  composite: (x) => mul(0.5, add(exp(x), exp(neg(x)))),
});
export const Asinh: OpDef = floatFunction("Asinh", (g, x) => div(g, sqrt(add(1, mul(x, x)))), {
  fold: Math.asinh,
  composite: (x) => mul(sign(x), log(add(abs(x), sqrt(add(1, mul(x, x)))))),
});
export const Acosh: OpDef = floatFunction("Acosh", (g, x) => div(g, sqrt(sub(mul(x, x), 1))), {
  fold: Math.acosh,
  composite: (x) => log(add(x, sqrt(sub(mul(x, x), 1)))),
});
export const Atanh: OpDef = floatFunction("Atanh", (g, x) => div(g, sub(1, mul(x, x))), {
  fold: Math.atanh,
  composite: (x) => mul(0.5, log(div(add(1, x), sub(1, x)))),
});
export const Tanh: OpDef = floatFunction("Tanh", (g, _, y) => mul(g, sub(1, mul(y, y))), { fold: Math.tanh });
export const Erf: OpDef = floatFunction("Erf", (g, x) => mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))));

const one = (op: OpDef) => (x: Value) => apply(op, [x]);

/** -x, each element of a signed number. */
export const neg = one(Neg);
/** |x|, each element. Its gradient at 0 is 0. */
export const abs = one(Abs);
/** -1, 0 or 1 by the sign of each element. Its gradient is 0 everywhere. */
export const sign = one(Sign);
/** The greatest whole number not above each element. Its gradient is 0 everywhere. */
export const floor = one(Floor);
/** The least whole number not below each element. Its gradient is 0 everywhere. */
export const ceil = one(Ceil);
/** The nearest whole number of each element, halves to the even one. Its gradient is 0 everywhere. */
export const round = one(Round);
/** e to each element. */
export const exp = one(Exp);
/** The natural logarithm of each element: -∞ of 0, NaN below. */
export const log = one(Log);
/** The square root of each element: NaN below 0. Its gradient at 0 is infinite. */
export const sqrt = one(Sqrt);
/** 1 / x, each element. */
export const reciprocal = one(Reciprocal);
/** The sine of each element, in radians. */
export const sin = one(Sin);
/** The cosine of each element, in radians. */
export const cos = one(Cos);
/** The tangent of each element, in radians. */
export const tan = one(Tan);
/** The angle in [-π/2, π/2] whose sine each element is: NaN outside [-1, 1]. */
export const asin = one(Asin);
/** The angle in [0, π] whose cosine each element is: NaN outside [-1, 1]. */
export const acos = one(Acos);
/** The angle in (-π/2, π/2) whose tangent each element is. */
export const atan = one(Atan);
/** The hyperbolic sine of each element, (e^x - e^-x) / 2. */
export const sinh = one(Sinh);
/** The hyperbolic cosine of each element, (e^x + e^-x) / 2. */
export const cosh = one(Cosh);
/** The inverse hyperbolic sine of each element. */
export const asinh = one(Asinh);
/** The inverse hyperbolic cosine of each element: NaN below 1. */
export const acosh = one(Acosh);
/** The inverse hyperbolic tangent of each element: infinite at ±1, NaN beyond. */
export const atanh = one(Atanh);
/** The hyperbolic tangent of each element, in (-1, 1). */
export const tanh = one(Tanh);
/** The error function of each element, 2/√π ∫₀ˣ e^-t² dt, in (-1, 1). */
export const erf = one(Erf);
