/** Elementwise operators: one output element from one element of each operand, under broadcasting. */
import { type DType, dtypes, isFloat } from "../core/dtype.ts";
import { atPlace, DTypeError } from "../core/errors.ts";
import { broadcastShapes, sameShape, size } from "../core/shape.ts";
import { constantOf, type TensorType, type Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat, requireSameDType } from "../graph/op.ts";
import { asValues, type Operand, scalar } from "./constant.ts";
import { Expand } from "./movement.ts";
import { sumTo } from "./reduce.ts";

/** Result of a broadcasting operator whose operands share a dtype. */
function broadcast(op: string, ...values: readonly Value[]): TensorType {
  requireSameDType(op, ...values);
  try {
    return { dtype: values[0]?.dtype ?? "float32", shape: broadcastShapes(...values.map((value) => value.shape)) };
  } catch (error) {
    throw atPlace(op, error);
  }
}

const each = ({ outputs: [y] }: { outputs: readonly [Value, ...Value[]] }) => size(y.shape);

/** The operand that an operator returns unchanged: `[kept, other, element]` when every element of `other` is `element`. */
function neutral(y: Value, ...choices: readonly (readonly [Value, Value, number])[]): readonly Value[] | undefined {
  for (const [kept, other, element] of choices) {
    const known = constantOf(other);
    if (
      known &&
      known.dtype !== "float16" && // stored as raw bits
      Number(known.data[0]) === element &&
      sameShape(kept.shape, y.shape) &&
      known.toNumbers().every((item) => item === element)
    )
      return [kept];
  }
  return undefined;
}

/** The operator on what an operand was before it was expanded, when the other one already has the full shape. */
function broadcastLate(op: OpDef, a: Value, b: Value, y: Value): readonly Value[] | undefined {
  const source = (value: Value) => (value.producer?.op === Expand ? value.producer.inputs[0] : undefined);
  const [small, other] = [source(a), source(b)];
  if (small && sameShape(b.shape, y.shape)) return [apply(op, [small, b])];
  if (other && sameShape(a.shape, y.shape)) return [apply(op, [a, other])];
  return undefined;
}

/**
 * A float function of one operand; `derivative` gives dy/dx from x and y, `composite` the same function of other floats
 * than float32, for which ONNX Runtime has no kernel.
 */
function unary(
  type: string,
  derivative: (x: Value, y: Value) => Value,
  { fold, simd, composite }: { fold?: (x: number) => number; simd?: number; composite?: (x: Value) => Value } = {},
): OpDef {
  return defineOp(type, {
    arity: "1",
    infer: ([x]) => requireFloat(type, x),
    grad: ({ g, inputs: [x], outputs: [y] }) => [mul(g, derivative(x, y))],
    flops: each,
    ...(fold && { fold }),
    ...(simd && { simd }),
    lower: ({ inputs: [x] }) => (composite ? otherFloats(x, () => composite(x)) : undefined),
  });
}

/** Outputs for floats other than float32; ONNX Runtime's own kernel runs float32. */
const otherFloats = (x: Value, build: () => Value) => (x.dtype === "float32" ? undefined : [build()]);

/** A function that is constant almost everywhere: its derivative is zero. */
const stepwise = (type: string) =>
  defineOp(type, { arity: "1", infer: ([x]) => x, grad: () => [undefined], flops: each });

/** A broadcasting comparison. */
const predicate = (type: string) =>
  defineOp(type, {
    arity: "2",
    infer: ([a, b]) => ({ ...broadcast(type, a, b), dtype: "bool" }),
    grad: "none",
    flops: each,
  });

/** Throws DTypeError unless x is bool. */
function requireBool(op: string, x: Value): Value {
  if (x.dtype !== "bool") throw new DTypeError(`${op} takes bools, got ${x.dtype}; compare first, e.g. greater(x, 0)`);
  return x;
}

/** A broadcasting logical operator. */
const connective = (type: string) =>
  defineOp(type, {
    arity: "2",
    infer: ([a, b]) => broadcast(type, requireBool(type, a), requireBool(type, b)),
    grad: "none",
    flops: each,
  });

/** A broadcasting integer or boolean operator without a gradient. */
const bitwise = (type: string) =>
  defineOp(type, {
    arity: "2",
    attributes: type === "BitShift" ? { direction: "string" } : {},
    infer: ([a, b]) => broadcast(type, a, b),
    grad: "none",
    flops: each,
  });

export const Neg: OpDef = defineOp("Neg", {
  arity: "1",
  simd: 0xe1,
  infer: ([x]) => x,
  grad: ({ g }) => [neg(g)],
  flops: each,
  fold: (x) => -x,
  simplify: ({ inputs: [x] }) => (x.producer?.op === Neg && x.producer.inputs[0] ? [x.producer.inputs[0]] : undefined),
});
export const Abs: OpDef = defineOp("Abs", {
  arity: "1",
  simd: 0xe0,
  infer: ([x]) => x,
  grad: ({ g, inputs: [x] }) => [mul(g, sign(x))],
  flops: each,
});
export const Exp: OpDef = unary("Exp", (_, y) => y, { fold: Math.exp });
export const Log: OpDef = unary("Log", (x) => reciprocal(x), { fold: Math.log });
export const Sqrt: OpDef = unary("Sqrt", (_, y) => div(0.5, y), { fold: Math.sqrt, simd: 0xe3 });
export const Reciprocal: OpDef = unary("Reciprocal", (_, y) => neg(mul(y, y)), { fold: (x) => 1 / x });
export const Sin: OpDef = unary("Sin", (x) => cos(x));
export const Cos: OpDef = unary("Cos", (x) => neg(sin(x)));
export const Tanh: OpDef = unary("Tanh", (_, y) => sub(1, mul(y, y)));
export const Sigmoid: OpDef = unary("Sigmoid", (_, y) => mul(y, sub(1, y)));
export const Softplus: OpDef = unary("Softplus", (x) => sigmoid(x), { composite: (x) => log1pExp(x) });
export const Erf: OpDef = unary("Erf", (x) => mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))));
/** y = max(x, 0); since y > 0 exactly where x > 0, y tells the derivative and x need not be kept. A comparison and a
 * cast take a third of the time of ONNX Runtime's Sign. */
export const Relu: OpDef = unary("Relu", (_, y) => cast(greater(y, 0), y.dtype));
/** y = x Φ(x) (Hendrycks and Gimpel 2016): dy/dx = Φ(x) + x φ(x). */
export const Gelu: OpDef = defineOp("Gelu", {
  arity: "1",
  attributes: { approximate: "string" },
  infer: ([x]) => requireFloat("Gelu", x),
  grad: ({ g, inputs: [x], attributes: { approximate } }) => {
    if (approximate === "tanh") {
      const t = tanh(mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, mul(x, x))))));
      const slope = mul(Math.sqrt(2 / Math.PI), add(1, mul(3 * 0.044715, mul(x, x))));
      return [mul(g, add(mul(0.5, add(1, t)), mul(mul(0.5, x), mul(sub(1, mul(t, t)), slope))))];
    }
    const cdf = mul(0.5, add(1, erf(mul(x, Math.SQRT1_2))));
    const pdf = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x))));
    return [mul(g, add(cdf, mul(x, pdf)))];
  },
  flops: ({ outputs: [y] }) => 8 * size(y.shape),
});
export const LeakyRelu: OpDef = defineOp("LeakyRelu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("LeakyRelu", x),
  grad: ({ g, inputs: [x], attributes: { alpha = 0.01 } }) => [where(greater(x, 0), g, mul(g, alpha))],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 0.01 } }) =>
    otherFloats(x, () => where(greater(x, 0), x, mul(x, alpha))),
});
export const Elu: OpDef = defineOp("Elu", {
  arity: "1",
  attributes: { alpha: "float" },
  infer: ([x]) => requireFloat("Elu", x),
  grad: ({ g, inputs: [x], outputs: [y], attributes: { alpha = 1 } }) => [
    where(greater(x, 0), g, mul(g, add(y, alpha))),
  ],
  flops: each,
  lower: ({ inputs: [x], attributes: { alpha = 1 } }) =>
    otherFloats(x, () => where(greater(x, 0), x, mul(alpha, sub(exp(minimum(x, 0)), 1)))),
});

export const Sign: OpDef = stepwise("Sign");
export const Floor: OpDef = stepwise("Floor");
export const Ceil: OpDef = stepwise("Ceil");
export const Round: OpDef = stepwise("Round");

export const Add: OpDef = defineOp("Add", {
  arity: "2",
  simd: 0xe4,
  fold: (a, b) => a + b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 0], [b, a, 0]) ?? broadcastLate(Add, a, b, y),
  infer: ([a, b]) => broadcast("Add", a, b),
  grad: ({ g, inputs: [a, b] }) => [sumTo(g, a.shape), sumTo(g, b.shape)],
  flops: each,
});
export const Sub: OpDef = defineOp("Sub", {
  arity: "2",
  simd: 0xe5,
  fold: (a, b) => a - b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 0]) ?? broadcastLate(Sub, a, b, y),
  infer: ([a, b]) => broadcast("Sub", a, b),
  grad: ({ g, inputs: [a, b], needs }) => [sumTo(g, a.shape), needs[1] ? neg(sumTo(g, b.shape)) : undefined],
  flops: each,
});
export const Mul: OpDef = defineOp("Mul", {
  arity: "2",
  simd: 0xe6,
  fold: (a, b) => a * b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 1], [b, a, 1]) ?? broadcastLate(Mul, a, b, y),
  infer: ([a, b]) => broadcast("Mul", a, b),
  // d(ab) = b da + a db
  grad: ({ g, inputs: [a, b], needs }) => [
    needs[0] ? sumTo(mul(g, b), a.shape) : undefined,
    needs[1] ? sumTo(mul(g, a), b.shape) : undefined,
  ],
  flops: each,
});
export const Div: OpDef = defineOp("Div", {
  arity: "2",
  simd: 0xe7,
  fold: (a, b) => a / b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 1]) ?? broadcastLate(Div, a, b, y),
  infer: ([a, b]) => broadcast("Div", a, b),
  // d(a/b) = da/b - y db/b
  grad: ({ g, inputs: [a, b], outputs: [y], needs }) => [
    needs[0] ? sumTo(div(g, b), a.shape) : undefined,
    needs[1] ? sumTo(neg(mul(g, div(y, b))), b.shape) : undefined,
  ],
  flops: each,
});
export const Pow: OpDef = defineOp("Pow", {
  arity: "2",
  infer: ([a, b]) => ({ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }),
  // d(a^b) = b a^(b-1) da + y ln(a) db, with 0^b taken as constant in b
  grad: ({ g, inputs: [a, b], outputs: [y], needs }) => [
    // A power of 0 is constant, also at 0, where a^-1 is not finite.
    needs[0] ? sumTo(mul(g, mul(cast(b, a.dtype), pow(a, where(equal(b, 0), 0, sub(b, 1))))), a.shape) : undefined,
    needs[1] ? sumTo(mul(g, mul(y, log(where(greater(a, 0), a, 1)))), b.shape) : undefined,
  ],
  flops: ({ outputs: [y] }) => 10 * size(y.shape),
});
export const Max: OpDef = extremum("Max", 0xe9, (a, b) => greater(a, b));
export const Min: OpDef = extremum("Min", 0xe8, (a, b) => less(a, b));
/** Elementwise extremum of two; where they are equal, each operand takes half of the gradient. */
function extremum(type: "Max" | "Min", simd: number, better: (a: Value, b: Value) => Value): OpDef {
  return defineOp(type, {
    arity: "2",
    simd,
    infer: ([a, b]) => broadcast(type, a, b),
    grad: ({ g, inputs: [a, b] }) => {
      const tie = mul(cast(equal(a, b), g.dtype), 0.5);
      const share = (x: Value, y: Value) => sumTo(mul(g, add(cast(better(x, y), g.dtype), tie)), x.shape);
      return [share(a, b), share(b, a)];
    },
    flops: each,
  });
}
/** Remainder with the sign of the divisor; with `fmod` 1, of the dividend (needed for floats). */
export const Mod: OpDef = defineOp("Mod", {
  arity: "2",
  attributes: { fmod: "int" },
  infer: ([a, b]) => broadcast("Mod", a, b),
  grad: "none",
  flops: each,
});

export const Equal: OpDef = predicate("Equal");
export const Greater: OpDef = predicate("Greater");
export const GreaterOrEqual: OpDef = predicate("GreaterOrEqual");
export const Less: OpDef = predicate("Less");
export const LessOrEqual: OpDef = predicate("LessOrEqual");
export const And: OpDef = connective("And");
export const Or: OpDef = connective("Or");
export const Xor: OpDef = connective("Xor");
export const Not: OpDef = defineOp("Not", {
  arity: "1",
  infer: ([x]) => requireBool("Not", x),
  grad: "none",
  flops: each,
});
export const IsNaN: OpDef = defineOp("IsNaN", {
  arity: "1",
  infer: ([x]) => ({ dtype: "bool", shape: x.shape }),
  grad: "none",
  flops: each,
});
export const BitwiseAnd: OpDef = bitwise("BitwiseAnd");
export const BitwiseXor: OpDef = bitwise("BitwiseXor");
export const BitShift: OpDef = bitwise("BitShift");

/** Clamps to [min, max]; the gradient passes where x was not clamped, and to the bound where it was. */
export const Clip: OpDef = defineOp("Clip", {
  arity: "1-3",
  settings: [1, 2],
  infer: ([x]) => x,
  grad: ({ g, inputs: [x, min, max], needs }) => {
    const inside = [min && greaterOrEqual(x, min), max && lessOrEqual(x, max)].filter((test) => test !== undefined);
    const [first, ...others] = inside;
    // A product: ONNX Runtime's Where takes two more tensors of the size of its result while it runs.
    const kept =
      first &&
      mul(
        g,
        cast(
          others.reduce((both, test) => and(both, test), first),
          g.dtype,
        ),
      );
    const above = max && greater(min ? maximum(x, min) : x, max);
    const below = min && where(less(x, min), g, 0);
    return [
      needs[0] ? (kept ?? g) : undefined,
      below && needs[1] ? sumTo(above ? where(above, 0, below) : below, min.shape) : undefined,
      above && needs[2] ? sumTo(where(above, g, 0), max.shape) : undefined,
    ];
  },
  flops: ({ outputs: [y] }) => 2 * size(y.shape),
});

export const Where: OpDef = defineOp("Where", {
  arity: "3",
  infer: ([condition, a, b]) => {
    requireBool("Where, of its condition,", condition);
    requireSameDType("Where", a, b);
    return { dtype: a.dtype, shape: broadcastShapes(condition.shape, a.shape, b.shape) };
  },
  grad: ({ g, inputs: [condition, a, b], needs }) => [
    undefined,
    needs[1] ? sumTo(where(condition, g, 0), a.shape) : undefined,
    needs[2] ? sumTo(where(condition, 0, g), b.shape) : undefined,
  ],
  flops: each,
});

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

export const Cast: OpDef = defineOp("Cast", {
  arity: "1",
  attributes: { to: "int", saturate: "int" },
  infer: ([x], { to }) => {
    const dtype = dtypes.find((name) => dtypeCodes[name] === to);
    if (!dtype) throw new DTypeError(`Cast: no dtype has ONNX number ${to}`);
    return { dtype, shape: x.shape };
  },
  grad: ({ g, inputs: [x] }) => [isFloat(x.dtype) ? cast(g, x.dtype) : undefined],
  flops: () => 0,
});
export const Identity: OpDef = defineOp("Identity", {
  arity: "1",
  infer: ([x]) => x,
  grad: ({ g }) => [g],
  flops: () => 0,
});

const two = (op: OpDef) => (a: Operand, b: Operand) => apply(op, asValues(a, b));
const one = (op: OpDef) => (x: Value) => apply(op, [x]);

export const neg = one(Neg);
export const abs = one(Abs);
export const sign = one(Sign);
export const exp = one(Exp);
export const log = one(Log);
export const sqrt = one(Sqrt);
export const reciprocal = one(Reciprocal);
export const sin = one(Sin);
export const cos = one(Cos);
export const tanh = one(Tanh);
export const sigmoid = one(Sigmoid);
export const softplus = one(Softplus);
export const erf = one(Erf);
export const relu = one(Relu);
export const floor = one(Floor);
export const ceil = one(Ceil);
/** Rounds halves to even. */
export const round = one(Round);
export const not = one(Not);
export const isNan = one(IsNaN);
export const gelu = (x: Value, approximate: "none" | "tanh" = "none") => apply(Gelu, [x], { approximate });
export const leakyRelu = (x: Value, alpha = 0.01) => apply(LeakyRelu, [x], { alpha });
export const elu = (x: Value, alpha = 1) => apply(Elu, [x], { alpha });
/** x · sigmoid(x) (Ramachandran et al. 2017). */
export const silu = (x: Value) => mul(x, sigmoid(x));
export const square = (x: Value) => mul(x, x);
/** max(x, 0) + log(1 + e^-|x|): log(1 + e^x) that does not overflow. */
export const log1pExp = (x: Value) => add(relu(x), log(add(1, exp(neg(abs(x))))));

export const add = two(Add);
export const sub = two(Sub);
export const mul = two(Mul);
export const div = two(Div);
export const pow = two(Pow);
export const maximum = two(Max);
export const minimum = two(Min);
export const mod = (a: Operand, b: Operand) => {
  const values = asValues(a, b);
  return apply(Mod, values, { fmod: values[0] && isFloat(values[0].dtype) ? 1 : 0 });
};
export const equal = two(Equal);
export const greater = two(Greater);
export const greaterOrEqual = two(GreaterOrEqual);
export const less = two(Less);
export const lessOrEqual = two(LessOrEqual);
export const and = two(And);
export const or = two(Or);
export const xor = two(Xor);
export const bitwiseAnd = two(BitwiseAnd);
export const bitwiseXor = two(BitwiseXor);
export const shiftLeft = (a: Operand, b: Operand) => apply(BitShift, asValues(a, b), { direction: "LEFT" });
export const shiftRight = (a: Operand, b: Operand) => apply(BitShift, asValues(a, b), { direction: "RIGHT" });
/** Elements of `a` where `condition`, of `b` elsewhere. */
export const where = (condition: Value, a: Operand, b: Operand) => apply(Where, [condition, ...asValues(a, b)]);
export const clip = (x: Value, min?: number, max?: number) =>
  apply(Clip, [
    x,
    min === undefined ? undefined : scalar(min, x.dtype),
    max === undefined ? undefined : scalar(max, x.dtype),
  ]);
export const cast = (x: Value, dtype: DType) => (x.dtype === dtype ? x : apply(Cast, [x], { to: dtypeCodes[dtype] }));
export const identity = one(Identity);
