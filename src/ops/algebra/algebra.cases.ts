/** Cases of linear algebra. */
import { normal, opCase } from "../define.cases.ts";
import { Det, determinant } from "./determinant.ts";

export const algebraCases = [
  opCase(Det, "a matrix", {
    inputs: { x: normal([4, 4]) },
    build: ({ x }) => determinant(x),
    torch: "torch.linalg.det(x)",
  }),
  opCase(Det, "a batch of matrices", {
    inputs: { x: normal([2, 3, 3, 3]) },
    build: ({ x }) => determinant(x),
    torch: "torch.linalg.det(x)",
  }),
];
