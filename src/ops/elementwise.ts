/** Elementwise operators: one output element from one element of each operand, under broadcasting. */
import { isFloat } from "../core/dtype.ts";
import { atPlace, ShapeError } from "../core/errors.ts";
import { broadcastShapes, normalizeAxis, sameShape, size, stridesOf } from "../core/shape.ts";
import { fullTensor, type Tensor } from "../core/tensor.ts";
import { numbersOf } from "../graph/attributes.ts";
import { broadcastPosition, evaluateElements, moveElements, offsetOf, type Position } from "../graph/elements.ts";
import { constantOf, type TensorType, type Value } from "../graph/ir.ts";
import {
  apply,
  defineOp,
  type OpDef,
  requireNumbers,
  requireSameDType,
  type SimdInstruction,
  type StoredNode,
} from "../graph/op.ts";
import { cast } from "./cast.ts";
import { asValues, type Operand, scalar } from "./constant.ts";
import { each } from "./float-function.ts";
import { log, neg } from "./functions.ts";
import { shortIntegers, smallIntegers, through } from "./kernels.ts";
import { equal, greater, less, requireBool } from "./logic.ts";
import { Expand, reshape } from "./movement.ts";
import { attributesToOperands, defineComposition, storedNode, without } from "./reading.ts";
import { sumTo } from "./reduce.ts";

/** Result of a broadcasting operator whose operands share a dtype. */
export function broadcast(op: string, ...values: readonly Value[]): TensorType {
  requireSameDType(op, ...values);
  try {
    return { dtype: values[0]?.dtype ?? "float32", shape: broadcastShapes(...values.map((value) => value.shape)) };
  } catch (error) {
    throw atPlace(op, error);
  }
}

/** The same, of numbers. */
export function arithmetic(op: string, a: Value, b: Value): TensorType {
  return broadcast(op, requireNumbers(op, a), requireNumbers(op, b));
}

/** Before operator set 7 the second operand's axes were those of the first from `axis` on, by default its last ones. */
function broadcastBefore7({ version, inputs, attributes }: StoredNode, op: OpDef): readonly Value[] | undefined {
  const [a, b] = inputs;
  if (version >= 7 || !a || !b) return undefined;
  const [axis = a.rank - b.rank] = numbersOf(op.type, attributes, "axis") ?? [];
  const behind = new Array<number>(Math.max(0, a.rank - normalizeAxis(axis, a.rank + 1) - b.rank)).fill(1);
  const kept = without(attributes, ["axis", "broadcast", "consumed_inputs"]);
  return storedNode(op, [a, reshape(b, [...b.shape, ...behind])], kept).outputs;
}

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

export const Add: OpDef = defineOp("Add", {
  arity: "2",
  simd: "add",
  fold: (a, b) => a + b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 0], [b, a, 0]) ?? broadcastLate(Add, a, b, y),
  infer: ([a, b]) => arithmetic("Add", a, b),
  read: broadcastBefore7,
  grad: ({ g, inputs: [a, b] }) => [sumTo(g, a.shape), sumTo(g, b.shape)],
  flops: each,
});
export const Sub: OpDef = defineOp("Sub", {
  arity: "2",
  // What is learned is added or multiplied; means and deviations of data are subtracted and divided by.
  settings: [1],
  simd: "sub",
  fold: (a, b) => a - b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 0]) ?? broadcastLate(Sub, a, b, y),
  infer: ([a, b]) => arithmetic("Sub", a, b),
  read: broadcastBefore7,
  grad: ({ g, inputs: [a, b], needs }) => [sumTo(g, a.shape), needs[1] ? neg(sumTo(g, b.shape)) : undefined],
  flops: each,
});
export const Mul: OpDef = defineOp("Mul", {
  arity: "2",
  simd: "mul",
  fold: (a, b) => a * b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 1], [b, a, 1]) ?? broadcastLate(Mul, a, b, y),
  infer: ([a, b]) => arithmetic("Mul", a, b),
  read: broadcastBefore7,
  // d(ab) = b da + a db
  grad: ({ g, inputs: [a, b], needs }) => [
    needs[0] ? sumTo(mul(g, b), a.shape) : undefined,
    needs[1] ? sumTo(mul(g, a), b.shape) : undefined,
  ],
  flops: each,
});
export const Div: OpDef = defineOp("Div", {
  arity: "2",
  settings: [1],
  simd: "div",
  fold: (a, b) => a / b,
  simplify: ({ inputs: [a, b], outputs: [y] }) => neutral(y, [a, b, 1]) ?? broadcastLate(Div, a, b, y),
  infer: ([a, b]) => arithmetic("Div", a, b),
  read: broadcastBefore7,
  // d(a/b) = da/b - y db/b
  grad: ({ g, inputs: [a, b], outputs: [y], needs }) => [
    needs[0] ? sumTo(div(g, b), a.shape) : undefined,
    needs[1] ? sumTo(neg(mul(g, div(y, b))), b.shape) : undefined,
  ],
  flops: each,
});
export const Pow: OpDef = defineOp("Pow", {
  arity: "2",
  infer: ([a, b]) => ({
    dtype: requireNumbers("Pow", a).dtype,
    shape: broadcastShapes(a.shape, requireNumbers("Pow", b).shape),
  }),
  read: broadcastBefore7,
  fold: (a, b) => a ** b,
  // d(a^b) = b a^(b-1) da + y ln(a) db, with 0^b taken as constant in b
  grad: ({ g, inputs: [a, b], outputs: [y], needs }) => [
    // A power of 0 is constant, also at 0, where a^-1 is not finite.
    needs[0] ? sumTo(mul(g, mul(cast(b, a.dtype), pow(a, where(equal(b, 0), 0, sub(b, 1))))), a.shape) : undefined,
    needs[1] ? sumTo(mul(g, mul(y, log(where(greater(a, 0), a, 1)))), b.shape) : undefined,
  ],
  flops: ({ outputs: [y] }) => 10 * size(y.shape),
  lower: through({ ...smallIntegers, uint64: "int64" }, [0, 1]),
});
export const Max: OpDef = extremum("Max", "max", (a, b) => greater(a, b), Math.max);
export const Min: OpDef = extremum("Min", "min", (a, b) => less(a, b), Math.min);
/** Elementwise extremum of two; where they are equal, each operand takes half of the gradient. */
function extremum(
  type: "Max" | "Min",
  simd: SimdInstruction,
  better: (a: Value, b: Value) => Value,
  fold: (a: number, b: number) => number,
): OpDef {
  const op: OpDef = defineOp(type, {
    arity: "2",
    simd,
    fold,
    infer: ([a, b]) => arithmetic(type, a, b),
    grad: ({ g, inputs: [a, b] }) => {
      const tie = mul(cast(equal(a, b), g.dtype), 0.5);
      const share = (x: Value, y: Value) => sumTo(mul(g, add(cast(better(x, y), g.dtype), tie)), x.shape);
      return [share(a, b), share(b, a)];
    },
    flops: each,
    lower: through(shortIntegers, [0, 1]),
    read: ({ inputs }) => (inputs.length === 2 ? undefined : [joined(inputs, (a, b) => apply(op, [a, b]))]),
  });
  return op;
}

/** An operator of two applied to any number of operands, from the left. */
function joined(inputs: readonly (Value | undefined)[], join: (a: Value, b: Value) => Value): Value {
  const [first, ...others] = inputs.filter((value) => value !== undefined);
  if (!first) throw new ShapeError("an operator of any number of operands has none; give it one at least");
  return others.reduce(join, first);
}

/** The sum of any number of operands. */
export const Sum: OpDef = defineComposition("Sum", {
  arity: "1-",
  build: ({ inputs }) => [joined(inputs, add)],
});
/** The mean of any number of operands. */
export const Mean: OpDef = defineComposition("Mean", {
  arity: "1-",
  build: ({ inputs }) => [div(joined(inputs, add), inputs.length)],
});

/** Remainder with the sign of the divisor; with `fmod` 1, of the dividend (needed for floats). */
export const Mod: OpDef = defineOp("Mod", {
  arity: "2",
  attributes: { fmod: "int" },
  infer: ([a, b]) => arithmetic("Mod", a, b),
  grad: "none",
  flops: each,
  evaluate: ([a, b], { outputs: [y], attributes: { fmod = 0 } }) =>
    evaluateElements(y, [a, b], (dividend, divisor) => {
      const rest = dividend % divisor;
      return fmod !== 1 && rest * divisor < 0 ? rest + divisor : rest;
    }),
});

/** Clamps to [min, max]; the gradient passes where x was not clamped, and to the bound where it was. */
export const Clip: OpDef = defineOp("Clip", {
  arity: "1-3",
  settings: [1, 2],
  read: attributesToOperands({ min: 1, max: 2 }),
  infer: ([x]) => requireNumbers("Clip", x),
  grad: ({ g, inputs: [x, min, max], outputs: [y], needs }) => {
    // What is not changed lies inside. A product: ONNX Runtime's Where takes two more tensors of the size of its result while it runs.
    const kept = min || max ? mul(g, cast(equal(x, y), g.dtype)) : g;
    const above = max && greater(min ? maximum(x, min) : x, max);
    const below = min && where(less(x, min), g, 0);
    return [
      needs[0] ? kept : undefined,
      below && needs[1] ? sumTo(above ? where(above, 0, below) : below, min.shape) : undefined,
      above && needs[2] ? sumTo(where(above, g, 0), max.shape) : undefined,
    ];
  },
  flops: ({ outputs: [y] }) => 2 * size(y.shape),
  lower: through(shortIntegers, [0, 1, 2]),
  evaluate: ([x, min, max], { outputs: [y] }) =>
    evaluateElements(y, [x, min ?? unbounded(-1), max ?? unbounded(1)], (element, low, high) =>
      Math.min(Math.max(element, low), high),
    ),
});

const unbounded = (sign: number): Tensor => fullTensor("float64", [], sign * Number.POSITIVE_INFINITY);

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
  lower: through({ ...shortIntegers, int8: "int32", uint32: "int64", uint64: "int64", bool: "uint8" }, [1, 2]),
  evaluate: ([condition, a, b], { outputs: [y] }) => {
    if (!condition || !a || !b) return undefined;
    const holds = (position: Position) =>
      condition.data[offsetOf(broadcastPosition(position, condition.shape), stridesOf(condition.shape))] !== 0;
    return [
      moveElements(y, (position) => {
        const source = holds(position) ? a : b;
        return [source, broadcastPosition(position, source.shape)];
      }),
    ];
  },
});

/** x with the dtype of another tensor. */
export const CastLike: OpDef = defineComposition("CastLike", {
  arity: "2",
  attributes: { saturate: "int" },
  build: ({ inputs: [x, like] }) => [x.dtype === like.dtype ? identity(x) : cast(x, like.dtype)],
});
/** Our own operator, since ONNX has no gradients to stop. */
export const StopGradient: OpDef = defineOp("StopGradient", {
  domain: "sardonyx",
  arity: "1",
  infer: ([x]) => x,
  grad: () => [undefined],
  flops: () => 0,
  lower: ({ inputs: [x] }) => [x],
  evaluate: ([x]) => x && [x],
});
export const Identity: OpDef = defineOp("Identity", {
  arity: "1",
  infer: ([x]) => x,
  grad: ({ g }) => [g],
  flops: () => 0,
  simplify: ({ inputs: [x] }) => [x],
  evaluate: ([x]) => x && [x],
});

const two = (op: OpDef) => (a: Operand, b: Operand) => apply(op, asValues(a, b));

/** x², each element. */
export const square = (x: Value) => mul(x, x);
/**
 * a + b, element by element. Shapes broadcast as NumPy's; a number takes the dtype of the other operand. Throws
 * ShapeError for shapes that do not broadcast, DTypeError for operands of two dtypes.
 */
export const add = two(Add);
/** a - b, element by element; operands as those of `add`. */
export const sub = two(Sub);
/** a · b, element by element; operands as those of `add`. For products of matrices see `matmul`. */
export const mul = two(Mul);
/** a / b, element by element; operands as those of `add`. Of integers the quotient is cut off towards 0. */
export const div = two(Div);
/** a to the power b, element by element; shapes broadcast. */
export const pow = two(Pow);
/** The larger of a and b, element by element; operands as those of `add`. */
export const maximum = two(Max);
/** The smaller of a and b, element by element; operands as those of `add`. */
export const minimum = two(Min);
/**
 * The remainder of a / b, element by element; operands as those of `add`. It has the sign of a where they are floats,
 * that of b where they are integers.
 */
export const mod = (a: Operand, b: Operand) => {
  const values = asValues(a, b);
  return apply(Mod, values, { fmod: values[0] && isFloat(values[0].dtype) ? 1 : 0 });
};
/** Elements of `a` where `condition`, of `b` elsewhere. */
export const where = (condition: Value, a: Operand, b: Operand) => apply(Where, [condition, ...asValues(a, b)]);
/**
 * Each element, but no less than `min` and no more than `max`; a bound that is left out does not hold. Elements outside
 * get no gradient.
 */
export const clip = (x: Value, min?: number, max?: number) =>
  apply(Clip, [
    x,
    min === undefined ? undefined : scalar(min, x.dtype),
    max === undefined ? undefined : scalar(max, x.dtype),
  ]);
/** x itself, as a value of its own. */
export const identity = (x: Value) => apply(Identity, [x]);
/** x, through which no gradient passes. */
export const stopGradient = (x: Value) => apply(StopGradient, [x]);
