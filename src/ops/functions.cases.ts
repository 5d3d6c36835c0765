/** Cases of the elementwise functions of one operand. */
import {
  distinct,
  given,
  integers,
  normal,
  opCase,
  positive,
  small,
  type UnaryRow,
  unaryCase,
} from "./define.cases.ts";
import { add } from "./elementwise.ts";
import * as f from "./functions.ts";

const shape = [2, 5];
const rows: readonly UnaryRow[] = [
  [f.Neg, f.neg, normal(shape), "-x"],
  [f.Abs, f.abs, distinct(shape), "x.abs()"],
  [f.Exp, f.exp, normal(shape), "x.exp()"],
  [f.Log, f.log, positive(shape), "x.log()"],
  [f.Sqrt, f.sqrt, positive(shape), "x.sqrt()"],
  [f.Reciprocal, f.reciprocal, positive(shape), "1 / x"],
  [f.Sin, f.sin, normal(shape), "x.sin()"],
  [f.Cos, f.cos, normal(shape), "x.cos()"],
  [f.Tan, f.tan, small(shape), "x.tan()"],
  [f.Asin, f.asin, small(shape), "x.asin()", "Asin runs in float32 only"],
  [f.Acos, f.acos, small(shape), "x.acos()", "Acos runs in float32 only"],
  [f.Atan, f.atan, normal(shape), "x.atan()", "Atan runs in float32 only"],
  [f.Sinh, f.sinh, normal(shape), "x.sinh()"],
  [f.Cosh, f.cosh, normal(shape), "x.cosh()"],
  [f.Asinh, f.asinh, normal(shape), "x.asinh()"],
  [f.Acosh, (x) => f.acosh(add(x, 1)), positive(shape), "(x + 1).acosh()"],
  [f.Atanh, f.atanh, small(shape), "x.atanh()"],
  [f.Tanh, f.tanh, normal(shape), "x.tanh()"],
  [f.Erf, f.erf, normal(shape), "x.erf()", "Erf runs in float32 only"],
  [f.Sign, f.sign, distinct(shape), "x.sign()"],
  [f.Floor, f.floor, distinct(shape), "x.floor()"],
  [f.Ceil, f.ceil, distinct(shape), "x.ceil()"],
  [f.Round, f.round, distinct(shape), "x.round()"],
];

const special = [
  opCase(f.Abs, "int64", { inputs: { x: integers([5], -9, 9) }, build: ({ x }) => f.abs(x), torch: "x.abs()" }),
  opCase(f.Round, "halves go to even", {
    inputs: { x: given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], [6]) },
    build: ({ x }) => f.round(x),
    torch: "x.round()",
    derivative: "convention",
  }),
  opCase(f.Neg, "int32", { inputs: { x: integers([4], -9, 9, "int32") }, build: ({ x }) => f.neg(x), torch: "-x" }),
];

export const functionCases = [...rows.map(unaryCase), ...special];
