/** Cases of the elementwise operators. */
import { apply, type OpDef } from "../graph/op.ts";
import { Cast, cast } from "./cast.ts";
import { type Operand, scalar } from "./constant.ts";
import { bools, distinct, given, integers, normal, opCase, positive, small } from "./define.cases.ts";
import * as e from "./elementwise.ts";

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
  opCase(e.Sum, "three of different shapes", {
    inputs: { a: normal([2, 3]), b: normal([3]), c: normal([2, 1]) },
    build: ({ a, b, c }) => apply(e.Sum, [a, b, c]),
    torch: "a + b + c",
    derivative: "none",
  }),
  opCase(e.Mean, "three of different shapes", {
    inputs: { a: normal([2, 3]), b: normal([3]), c: normal([2, 1]) },
    build: ({ a, b, c }) => apply(e.Mean, [a, b, c]),
    torch: "(a + b + c) / 3",
    derivative: "none",
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
  opCase(e.CastLike, "float32 to int64", {
    inputs: { x: distinct([6]), like: integers([1], 0, 9) },
    build: ({ x, like }) => apply(e.CastLike, [x, like]),
    torch: "x.long()",
    derivative: "none",
  }),
  opCase(e.StopGradient, "one factor of a square", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => e.mul(x, e.stopGradient(x)),
    torch: "x * x.detach()",
    derivative: "convention",
  }),
  opCase(e.Identity, "plain", { inputs: { x: normal([2, 5]) }, build: ({ x }) => e.identity(x), torch: "x * 1" }),
  opCase(Cast, "float32 to int64 cuts", {
    inputs: { x: distinct([6]) },
    build: ({ x }) => cast(x, "int64"),
    torch: "x.long()",
    derivative: "none",
  }),
  opCase(Cast, "float32 to bool", {
    inputs: { x: given([0, 0.25, -3], [3]) },
    build: ({ x }) => cast(x, "bool"),
    torch: "x.bool()",
    derivative: "none",
  }),
  opCase(Cast, "float32 to float64", {
    inputs: { x: normal([4]) },
    build: ({ x }) => cast(x, "float64"),
    torch: "x * 1",
  }),
  opCase(Cast, "through float16", {
    inputs: { x: normal([4]) },
    build: ({ x }) => cast(cast(x, "float16"), x.dtype),
    torch: "x.half().double()",
    derivative: "none",
  }),
  opCase(Cast, "int64 to float32", {
    inputs: { x: integers([4], -5, 5) },
    build: ({ x }) => cast(x, "float32"),
    torch: "x.double()",
  }),
  opCase(Cast, "bool to float32, as a mask", {
    inputs: { c: bools([4]), x: small([4]) },
    build: ({ c, x }) => e.mul(cast(c, x.dtype), x),
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

export const elementwiseCases = [...arithmeticCases, ...powerCases, ...oddCases, ...choiceCases, ...castCases];
