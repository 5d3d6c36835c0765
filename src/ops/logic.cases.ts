/** Cases of comparisons, logic and bits. */
import { apply, type OpDef } from "../graph/op.ts";
import type { Operand } from "./constant.ts";
import { bools, given, type InputSpec, integers, opCase } from "./define.cases.ts";
import { div } from "./elementwise.ts";
import * as l from "./logic.ts";

type Two = (a: Operand, b: Operand) => ReturnType<typeof l.equal>;
const comparisons: readonly (readonly [OpDef, Two, string])[] = [
  [l.Equal, l.equal, "a == b"],
  [l.Greater, l.greater, "a > b"],
  [l.GreaterOrEqual, l.greaterOrEqual, "a >= b"],
  [l.Less, l.less, "a < b"],
  [l.LessOrEqual, l.lessOrEqual, "a <= b"],
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
  [l.And, l.and, "a & b"],
  [l.Or, l.or, "a | b"],
  [l.Xor, l.xor, "a ^ b"],
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
  [l.BitwiseAnd, l.bitwiseAnd, bits, "a & b"],
  [l.BitwiseXor, l.bitwiseXor, bits, "a ^ b"],
  [l.BitShift, l.shiftLeft, integers([3], 0, 9, "uint32"), "(a << b) & 0xFFFFFFFF"],
  [l.BitShift, l.shiftRight, integers([3], 0, 32, "uint32"), "a >> b"],
];
const bitwiseCases = bitwise.map(([op, build, b, torch]) =>
  opCase(op, torch, { inputs: { a: bits, b }, build: ({ a, b }) => build(a, b), torch }),
);

const testCases = [
  opCase(l.IsInf, "both signs", {
    inputs: { x: given([1, -1, 2], [3]), zero: given([0, 0, 1], [3]) },
    build: ({ x, zero }) => l.isInf(div(x, zero)),
    torch: "(x / zero).isinf()",
  }),
  opCase(l.IsInf, "negative alone", {
    inputs: { x: given([1, -1, 2], [3]), zero: given([0, 0, 1], [3]) },
    build: ({ x, zero }) => apply(l.IsInf, [div(x, zero)], { detect_positive: 0 }),
    torch: "(x / zero).isneginf()",
  }),
  opCase(l.Not, "vector", { inputs: { x: given([0, 1], [2], "bool") }, build: ({ x }) => l.not(x), torch: "~x" }),
  opCase(l.IsNaN, "0/0 among numbers", {
    inputs: { x: given([0, 1, 2], [3]) },
    build: ({ x }) => l.isNan(div(x, x)),
    torch: "(x / x).isnan()",
  }),
];

export const logicCases = [...comparisonCases, ...logicalCases, ...bitwiseCases, ...testCases];
