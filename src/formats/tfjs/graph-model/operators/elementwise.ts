/** TensorFlow's elementwise operators. */
import type { Value } from "../../../../graph/ir.ts";
import * as ops from "../../../../ops/index.ts";
import { elementwise } from "../../channels.ts";
import { type Operator, type Operators, unary } from "../operator.ts";

/** A function of one operand. */
const one = (f: (x: Value) => Value): Operator => unary((x) => elementwise(f, x), ops.Identity);

/** A function of two operands, broadcast. */
const two = (f: (a: Value, b: Value) => Value): Operator => ({
  op: ops.Add,
  build: (node) => elementwise(f, node.operand(0), node.operand(1)),
});

/** ⌊a / b⌋: ONNX cuts quotients of whole numbers towards zero. */
const floorDiv = (a: Value, b: Value): Value => {
  if (a.dtype !== "int32") return ops.floor(ops.div(a, b));
  const exact = ops.div(ops.cast(a, "float64"), ops.cast(b, "float64"));
  return ops.cast(ops.floor(exact), a.dtype);
};

/** a - b ⌊a / b⌋. */
const floorMod = (a: Value, b: Value): Value => ops.sub(a, ops.mul(b, floorDiv(a, b)));

const select: Operator = {
  op: ops.Where,
  build: (node) =>
    elementwise((condition, a, b) => ops.where(condition, a, b), node.operand(0), node.operand(1), node.operand(2)),
};

/** The operand itself. */
const same = unary((x) => x, ops.Identity);

/** Operators that give their first operand as it is. */
export const passedOn: ReadonlySet<string> = new Set([
  "CheckNumerics",
  "EnsureShape",
  "Identity",
  "PlaceholderWithDefault",
  "PreventGradient",
  "ReadVariableOp",
  "Snapshot",
  "StopGradient",
]);

export const elementwiseOperators: Operators = {
  Abs: one(ops.abs),
  Acos: one(ops.acos),
  Acosh: one(ops.acosh),
  Asin: one(ops.asin),
  Asinh: one(ops.asinh),
  Atan: one(ops.atan),
  Atanh: one(ops.atanh),
  Ceil: one(ops.ceil),
  Cos: one(ops.cos),
  Cosh: one(ops.cosh),
  Elu: one((x) => ops.elu(x)),
  Erf: one(ops.erf),
  Exp: one(ops.exp),
  Expm1: one((x) => ops.sub(ops.exp(x), 1)),
  Floor: one(ops.floor),
  Inv: one(ops.reciprocal),
  IsNan: one(ops.isNan),
  LeakyRelu: {
    op: ops.LeakyRelu,
    build: (node) => elementwise((x) => ops.leakyRelu(x, node.attributes.float("alpha", 0.2)), node.operand(0)),
  },
  Log: one(ops.log),
  Log1p: one((x) => ops.log(ops.add(x, 1))),
  LogicalNot: one(ops.not),
  Neg: one(ops.neg),
  Reciprocal: one(ops.reciprocal),
  Relu: one(ops.relu),
  Relu6: one((x) => ops.clip(x, 0, 6)),
  Round: one(ops.round),
  Rsqrt: one((x) => ops.reciprocal(ops.sqrt(x))),
  Selu: one(ops.selu),
  Sigmoid: one(ops.sigmoid),
  Sign: one(ops.sign),
  Sin: one(ops.sin),
  Sinh: one(ops.sinh),
  Softplus: one(ops.softplus),
  Softsign: one(ops.softsign),
  Sqrt: one(ops.sqrt),
  Square: one(ops.square),
  Tan: one(ops.tan),
  Tanh: one(ops.tanh),

  Add: two(ops.add),
  AddV2: two(ops.add),
  Div: two(ops.div),
  DivNoNan: two((a, b) => ops.where(ops.equal(b, 0), 0, ops.div(a, b))),
  Equal: two(ops.equal),
  FloorDiv: two(floorDiv),
  FloorMod: two(floorMod),
  Greater: two(ops.greater),
  GreaterEqual: two(ops.greaterOrEqual),
  Less: two(ops.less),
  LessEqual: two(ops.lessOrEqual),
  LogicalAnd: two(ops.and),
  LogicalOr: two(ops.or),
  Maximum: two(ops.maximum),
  Minimum: two(ops.minimum),
  Mul: two(ops.mul),
  NotEqual: two((a, b) => ops.not(ops.equal(a, b))),
  Pow: two(ops.pow),
  Prelu: two(ops.prelu),
  RealDiv: two(ops.div),
  SquaredDifference: two((a, b) => ops.square(ops.sub(a, b))),
  Sub: two(ops.sub),

  AddN: {
    op: ops.Add,
    build: (node) => {
      const [, ...others] = node.inputs;
      return elementwise((...values) => values.reduce((sum, x) => ops.add(sum, x)), node.operand(0), ...others);
    },
  },
  Cast: {
    op: ops.Cast,
    build: (node) => {
      const dtype = node.attributes.dtype("DstT");
      return elementwise((x) => ops.cast(x, dtype), node.operand(0));
    },
  },
  ClipByValue: {
    op: ops.Clip,
    build: (node) =>
      elementwise((x, min, max) => ops.minimum(ops.maximum(x, min), max), ...[0, 1, 2].map((i) => node.operand(i))),
  },
  OnesLike: one((x) => ops.expand(ops.ones([], x.dtype), x.shape)),
  ZerosLike: one((x) => ops.expand(ops.zeros([], x.dtype), x.shape)),
  Select: select,
  SelectV2: select,

  ...Object.fromEntries(Array.from(passedOn, (type) => [type, same])),
  IdentityN: { op: ops.Identity, build: ({ inputs }) => inputs },
};
