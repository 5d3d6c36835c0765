/** Cases of constants and ranges. */
import { tensor } from "../core/tensor.ts";
import { apply } from "../graph/op.ts";
import { Constant, constant, scalar } from "./constant.ts";
import { given, opCase } from "./define.cases.ts";
import { add, mul } from "./elementwise.ts";
import { Range, range } from "./random.ts";

const int64 = (value: number) => scalar(value, "int64");

export const constantCases = [
  opCase(Constant, "float32 matrix", {
    inputs: { x: given([0, 1], [2]) },
    build: ({ x }) => add(x, constant(tensor([[1.5], [-2]], { dtype: x.dtype as "float32" }))),
    torch: "x + torch.tensor([[1.5], [-2]])",
  }),
  opCase(Constant, "int64 scalar", {
    inputs: { x: given([3, 4], [2], "int64") },
    build: ({ x }) => add(x, constant(tensor(-7, { dtype: "int64" }))),
    torch: "x - 7",
  }),
  opCase(Range, "int64, limit not reached", {
    inputs: { x: given([10], [1], "int64") },
    build: ({ x }) => add(x, apply(Range, [int64(1), int64(8), int64(3)])),
    torch: "x + torch.arange(1, 8, 3)",
  }),
  opCase(Range, "from zero", {
    inputs: { x: given([10], [1], "int64") },
    build: ({ x }) => add(x, range(4)),
    torch: "x + torch.arange(4)",
  }),
  opCase(Range, "float32, downwards", {
    inputs: { x: given([0.5], [1]) },
    build: ({ x }) =>
      mul(
        x,
        apply(
          Range,
          [2, 0, -0.75].map((value) => scalar(value, x.dtype)),
        ),
      ),
    torch: "x * torch.tensor([2, 1.25, 0.5])",
  }),
];
