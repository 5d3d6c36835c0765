/** Cases of operators whose result is known while tracing. */
import { tensor } from "../core/tensor.ts";
import { apply } from "../graph/op.ts";
import { constant, int64s, scalar } from "./constant.ts";
import { given, normal, opCase } from "./define.cases.ts";
import { add, mul } from "./elementwise.ts";
import * as k from "./static-values.ts";

const int64 = (value: number) => scalar(value, "int64");

const shapeCases = [
  opCase(k.Shape, "all axes", {
    inputs: { x: normal([2, 1, 3]) },
    build: ({ x }) => apply(k.Shape, [x]),
    torch: "torch.tensor([2, 1, 3])",
  }),
  opCase(k.Shape, "axes between, counted from the end", {
    inputs: { x: normal([2, 1, 3]) },
    build: ({ x }) => apply(k.Shape, [x], { start: -2, end: -1 }),
    torch: "torch.tensor([1])",
  }),
  opCase(k.Shape, "a start beyond the end", {
    inputs: { x: normal([2, 1, 3]) },
    build: ({ x }) => apply(k.Shape, [x], { start: 2, end: 1 }),
    torch: "torch.tensor([])",
  }),
  opCase(k.Size, "matrix", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(k.Size, [x]),
    torch: "torch.tensor(6)",
  }),
];

const fillCases = [
  opCase(k.ConstantOfShape, "zeros by default", {
    inputs: { x: normal([2, 1]) },
    build: ({ x }) => add(apply(k.ConstantOfShape, [int64s([2, 3])]), x),
    torch: "x + torch.zeros(2, 3)",
    derivative: "none",
    noFloat64: "the zeros are float32",
  }),
  opCase(k.ConstantOfShape, "int64 of a value", {
    inputs: { x: given([1, 2], [2], "int64") },
    build: ({ x }) => add(apply(k.ConstantOfShape, [int64s([3, 1])], { value: tensor([7n]) }), x),
    torch: "x + 7 + torch.zeros(3, 1).long()",
  }),
  opCase(k.EyeLike, "float32 as its operand", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(k.EyeLike, [x]),
    torch: "torch.eye(2, 3)",
    derivative: "none",
  }),
  opCase(k.EyeLike, "int64, below the diagonal", {
    inputs: { x: normal([3, 3]) },
    build: ({ x }) => apply(k.EyeLike, [x], { dtype: 7, k: -1 }),
    torch: "torch.diag(torch.ones(2).long(), -1)",
  }),
];

const rangeCases = [
  opCase(k.Range, "int64, limit not reached", {
    inputs: { x: given([10], [1], "int64") },
    build: ({ x }) => add(x, apply(k.Range, [int64(1), int64(8), int64(3)])),
    torch: "x + torch.arange(1, 8, 3)",
  }),
  opCase(k.Range, "from zero", {
    inputs: { x: given([10], [1], "int64") },
    build: ({ x }) => add(x, k.range(4)),
    torch: "x + torch.arange(4)",
  }),
  opCase(k.Range, "float32, downwards", {
    inputs: { x: given([0.5], [1]) },
    build: ({ x }) =>
      mul(
        x,
        apply(
          k.Range,
          [2, 0, -0.75].map((value) => scalar(value, x.dtype)),
        ),
      ),
    torch: "x * torch.tensor([2, 1.25, 0.5])",
  }),
];

const nonZeroCases = [
  opCase(k.NonZero, "positions in a matrix, row-major", {
    inputs: { x: given([100], [1], "int64") },
    build: ({ x }) =>
      add(
        x,
        apply(k.NonZero, [
          constant(
            tensor([
              [0, 2],
              [-1, 0.5],
            ]),
          ),
        ]),
      ),
    torch: "x + torch.tensor([[0, 2], [-1, 0.5]]).nonzero().T",
  }),
  opCase(k.NonZero, "bools", {
    inputs: { x: given([100], [1], "int64") },
    build: ({ x }) => add(x, apply(k.NonZero, [constant(tensor([true, false, true]))])),
    torch: "x + torch.tensor([[0, 2]])",
  }),
];

export const staticValueCases = [...shapeCases, ...fillCases, ...rangeCases, ...nonZeroCases];
