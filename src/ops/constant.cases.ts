/** Cases of constants. */
import { tensor } from "../core/tensor.ts";
import { Constant, constant } from "./constant.ts";
import { given, opCase } from "./define.cases.ts";
import { add } from "./elementwise.ts";

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
];
