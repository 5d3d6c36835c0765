/** Cases of the elementwise operators. */
import { apply, type OpDef } from "../graph/op.ts";
import { type Operand, scalar } from "./constant.ts";
import { bools, distinct, given, type InputSpec, integers, normal, opCase, positive, small } from "./define.cases.ts";
import * as e from "./elementwise.ts";

/** Operator, function, generator of its input, PyTorch expression, why not float64. */
type UnaryRow = readonly [OpDef, (x: ReturnType<typeof e.neg>) => ReturnType<typeof e.neg>, InputSpec, string, string?];
const shape = [2, 5];
const unaryRows: readonly UnaryRow[] = [
  [e.Neg, e.neg, normal(shape), "-x"],
  [e.Abs, e.abs, distinct(shape), "x.abs()"],
  [e.Exp, e.exp, normal(shape), "x.exp()"],
  [e.Log, e.log, positive(shape), "x.log()"],
  [e.Sqrt, e.sqrt, positive(shape), "x.sqrt()"],
  [e.Reciprocal, e.reciprocal, positive(shape), "1 / x"],
  [e.Sin, e.sin, normal(shape), "x.sin()"],
  [e.Cos, e.cos, normal(shape), "x.cos()"],
  [e.Tanh, e.tanh, normal(shape), "x.tanh()"],
  [e.Sigmoid, e.sigmoid, normal(shape), "x.sigmoid()"],
  [e.Softplus, e.softplus, normal(shape), "F.softplus(x, threshold=100)"],
  [e.Erf, e.erf, normal(shape), "x.erf()", "Erf runs in float32 only"],
  [e.Relu, e.relu, distinct(shape), "x.relu()"],
  [e.Gelu, (x) => e.gelu(x), normal(shape), "F.gelu(x)", "Erf runs in float32 only"],
  [e.Gelu, (x) => e.gelu(x, "tanh"), normal(shape), "F.gelu(x, approximate='tanh')"],
  [e.LeakyRelu, (x) => e.leakyRelu(x), distinct(shape), "F.leaky_relu(x)"],
  [e.LeakyRelu, (x) => e.leakyRelu(x, 0.3), distinct(shape), "F.leaky_relu(x, 0.3)"],
  [e.Elu, (x) => e.elu(x), distinct(shape), "F.elu(x)"],
  [e.Elu, (x) => e.elu(x, 0.5), distinct(shape), "F.elu(x, 0.5)"],
  [e.Sign, e.sign, distinct(shape), "x.sign()"],
  [e.Floor, e.floor, distinct(shape), "x.floor()"],
  [e.Ceil, e.ceil, distinct(shape), "x.ceil()"],
  [e.Round, e.round, distinct(shape), "x.round()"],
  [e.Identity, e.identity, normal(shape), "x * 1"],
  [e.Mul, e.silu, normal(shape), "F.silu(x)"],
  [e.Log, e.log1pExp, distinct(shape), "F.softplus(x, threshold=100)"],
];
const unaryCases = unaryRows.map(([op, build, x, torch, noFloat64]) =>
  opCase(op, torch, {
    inputs: { x },
    build: ({ x }) => build(x),
    torch,
    ...(noFloat64 !== undefined && { noFloat64 }),
  }),
);

type Two = (a: Operand, b: Operand) => ReturnType<typeof e.add>;
const arithmetic: readonly (readonly [OpDef, Two, typeof normal, string])[] = [
  [e.Add, e.add, normal, "a + b"],
  [e.Sub, e.sub, normal, "a - b"],
  [e.Mul, e.mul, normal, "a * b"],
  [e.Div, e.div, positive, "a / b"],
  [e.Pow, e.pow, positive, "a ** b"],
  [e.Max, e.maximum, normal, "torch.maximum(a, b)"],
  [e.Min, e.minimum, normal, "torch.minimum(a, b)"],
];
const pairs = [
  ["equal shapes", [2, 3], [2, 3]],
  ["both repeat", [2, 1, 3], [4, 1]],
  ["vector to the left", [3], [2, 3]],
  ["scalar to the right", [2, 3], []],
  ["two scalars", [], []],
] as const;
const arithmeticCases = arithmetic.flatMap(([op, build, generate, torch]) =>
  pairs.map(([name, a, b]) =>
    opCase(op, name, { inputs: { a: generate(a), b: generate(b) }, build: ({ a, b }) => build(a, b), torch }),
  ),
);

const comparisons: readonly (readonly [OpDef, Two, string])[] = [
  [e.Equal, e.equal, "a == b"],
  [e.Greater, e.greater, "a > b"],
  [e.GreaterOrEqual, e.greaterOrEqual, "a >= b"],
  [e.Less, e.less, "a < b"],
  [e.LessOrEqual, e.lessOrEqual, "a <= b"],
];
const comparisonCases = comparisons.flatMap(([op, build, torch]) => [
  opCase(op, "floats, with equal ones", {
    inputs: { a: given([1, 2, 3, -1], [4]), b: given([1, 3, 2, -1], [4]) },
    build: ({ a, b }) => build(a, b),
    torch,
  }),
  opCase(op, "int64, both repeat", {
    inputs: { a: integers([3, 1], 0, 3), b: integers([4], 0, 3) },
    build: ({ a, b }) => build(a, b),
    torch,
  }),
]);

const logical: readonly (readonly [OpDef, Two, string])[] = [
  [e.And, e.and, "a & b"],
  [e.Or, e.or, "a | b"],
  [e.Xor, e.xor, "a ^ b"],
];
const logicalCases = logical.map(([op, build, torch]) =>
  opCase(op, "both repeat", {
    inputs: { a: bools([3, 1]), b: given([0, 1], [2], "bool") },
    build: ({ a, b }) => build(a, b),
    torch,
  }),
);

const bits = integers([2, 3], 0, 2 ** 32, "uint32");
const bitwise: readonly (readonly [OpDef, Two, InputSpec, string])[] = [
  [e.BitwiseAnd, e.bitwiseAnd, bits, "a & b"],
  [e.BitwiseXor, e.bitwiseXor, bits, "a ^ b"],
  [e.BitShift, e.shiftLeft, integers([3], 0, 9, "uint32"), "(a << b) & 0xFFFFFFFF"],
  [e.BitShift, e.shiftRight, integers([3], 0, 32, "uint32"), "a >> b"],
];
const bitwiseCases = bitwise.map(([op, build, b, torch]) =>
  opCase(op, torch, { inputs: { a: bits, b }, build: ({ a, b }) => build(a, b), torch }),
);

const powerCases = [
  opCase(e.Pow, "square, also of zero and negatives", {
    inputs: { x: given([-2, 0, 3], [3]) },
    build: ({ x }) => e.pow(x, 2),
    torch: "x ** 2",
  }),
  opCase(e.Pow, "cube of negatives", {
    inputs: { x: normal([4]) },
    build: ({ x }) => e.pow(x, 3),
    torch: "x ** 3",
  }),
  opCase(e.Pow, "number to a tensor", {
    inputs: { x: normal([4]) },
    build: ({ x }) => e.pow(2, x),
    torch: "2 ** x",
  }),
  opCase(e.Pow, "int64 exponents", {
    inputs: { x: positive([2, 2]), n: given([2, 3], [2], "int64") },
    build: ({ x, n }) => apply(e.Pow, [x, n]),
    torch: "x ** n",
  }),
];

const ties = { a: given([1, 2, 3], [3]), b: given([1, 3, 2], [3]) };
const oddCases = [
  opCase(e.Max, "ties share", {
    inputs: ties,
    build: ({ a, b }) => e.maximum(a, b),
    torch: "torch.maximum(a, b)",
    derivative: "convention",
  }),
  opCase(e.Min, "ties share", {
    inputs: ties,
    build: ({ a, b }) => e.minimum(a, b),
    torch: "torch.minimum(a, b)",
    derivative: "convention",
  }),
  opCase(e.Abs, "int64", { inputs: { x: integers([5], -9, 9) }, build: ({ x }) => e.abs(x), torch: "x.abs()" }),
  opCase(e.Relu, "at zero", {
    inputs: { x: given([0, 1, -1], [3]) },
    build: ({ x }) => e.relu(x),
    torch: "x.relu()",
    derivative: "convention",
  }),
  opCase(e.Round, "halves go to even", {
    inputs: { x: given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], [6]) },
    build: ({ x }) => e.round(x),
    torch: "x.round()",
    derivative: "convention",
  }),
  opCase(e.Mod, "int64, sign of the divisor", {
    inputs: { a: given([7, -7, 7, -7], [4], "int64"), b: given([3, 3, -3, -3], [4], "int64") },
    build: ({ a, b }) => e.mod(a, b),
    torch: "torch.remainder(a, b)",
  }),
  opCase(e.Mod, "floats, sign of the dividend", {
    inputs: { a: given([7.5, -7.5, 7.5, -7.5], [4]), b: given([2, 2, -2, -2], [4]) },
    build: ({ a, b }) => e.mod(a, b),
    torch: "torch.fmod(a, b)",
  }),
  opCase(e.Not, "vector", { inputs: { x: given([0, 1], [2], "bool") }, build: ({ x }) => e.not(x), torch: "~x" }),
  opCase(e.IsNaN, "0/0 among numbers", {
    inputs: { x: given([0, 1, 2], [3]) },
    build: ({ x }) => e.isNan(e.div(x, x)),
    torch: "(x / x).isnan()",
  }),
  opCase(e.Neg, "int32", { inputs: { x: integers([4], -9, 9, "int32") }, build: ({ x }) => e.neg(x), torch: "-x" }),
];

const choiceCases = [
  opCase(e.Clip, "both bounds", {
    inputs: { x: distinct([2, 5]) },
    build: ({ x }) => e.clip(x, -0.7, 1.1),
    torch: "x.clamp(-0.7, 1.1)",
  }),
  opCase(e.Clip, "lower bound", {
    inputs: { x: distinct([6]) },
    build: ({ x }) => e.clip(x, 0.25),
    torch: "x.clamp(min=0.25)",
  }),
  opCase(e.Clip, "upper bound", {
    inputs: { x: distinct([6]) },
    build: ({ x }) => e.clip(x, undefined, 0.25),
    torch: "x.clamp(max=0.25)",
  }),
  opCase(e.Clip, "at its bounds", {
    inputs: { x: given([-1, 0, 1], [3]) },
    build: ({ x }) => e.clip(x, -1, 1),
    torch: "x.clamp(-1, 1)",
    derivative: "convention",
  }),
  opCase(e.Clip, "bounds that are computed", {
    inputs: { x: distinct([6]), low: given([-0.8], []), high: given([0.9], []) },
    build: ({ x, low, high }) => apply(e.Clip, [x, low, high]),
    torch: "x.clamp(low, high)",
  }),
  opCase(e.Where, "equal shapes", {
    inputs: { c: bools([2, 3]), a: normal([2, 3]), b: normal([2, 3]) },
    build: ({ c, a, b }) => e.where(c, a, b),
    torch: "torch.where(c, a, b)",
  }),
  opCase(e.Where, "all three repeat", {
    inputs: { c: given([1, 0], [2, 1, 1], "bool"), a: normal([3, 1]), b: normal([4]) },
    build: ({ c, a, b }) => e.where(c, a, b),
    torch: "torch.where(c, a, b)",
  }),
  opCase(e.Where, "a number", {
    inputs: { c: bools([5]), a: normal([5]) },
    build: ({ c, a }) => e.where(c, a, 0.5),
    torch: "torch.where(c, a, 0.5)",
  }),
];

const castCases = [
  opCase(e.Cast, "float32 to int64 cuts", {
    inputs: { x: distinct([6]) },
    build: ({ x }) => e.cast(x, "int64"),
    torch: "x.long()",
    derivative: "none",
  }),
  opCase(e.Cast, "float32 to bool", {
    inputs: { x: given([0, 0.25, -3], [3]) },
    build: ({ x }) => e.cast(x, "bool"),
    torch: "x.bool()",
    derivative: "none",
  }),
  opCase(e.Cast, "float32 to float64", {
    inputs: { x: normal([4]) },
    build: ({ x }) => e.cast(x, "float64"),
    torch: "x * 1",
  }),
  opCase(e.Cast, "through float16", {
    inputs: { x: normal([4]) },
    build: ({ x }) => e.cast(e.cast(x, "float16"), x.dtype),
    torch: "x.half().double()",
    derivative: "none",
  }),
  opCase(e.Cast, "int64 to float32", {
    inputs: { x: integers([4], -5, 5) },
    build: ({ x }) => e.cast(x, "float32"),
    torch: "x.double()",
  }),
  opCase(e.Cast, "bool to float32, as a mask", {
    inputs: { c: bools([4]), x: small([4]) },
    build: ({ c, x }) => e.mul(e.cast(c, x.dtype), x),
    torch: "c * x",
  }),
  opCase(e.Add, "number beside int64", {
    inputs: { x: integers([4], 0, 9) },
    build: ({ x }) => e.add(x, 3),
    torch: "x + 3",
  }),
  opCase(e.Sub, "scalar constant to the left", {
    inputs: { x: normal([4]) },
    build: ({ x }) => e.sub(scalar(1, x.dtype), x),
    torch: "1 - x",
  }),
];

export const elementwiseCases = [
  ...unaryCases,
  ...arithmeticCases,
  ...powerCases,
  ...comparisonCases,
  ...logicalCases,
  ...bitwiseCases,
  ...oddCases,
  ...choiceCases,
  ...castCases,
];
