/** Cases of what is picked out by elements that are known while tracing. */
import { tensor } from "../../core/tensor.ts";
import { apply, makeNode } from "../../graph/op.ts";
import { constant } from "../constant.ts";
import { given, normal, opCase } from "../define.cases.ts";
import { mul } from "../elementwise.ts";
import { Compress } from "./compress.ts";
import { Unique } from "./unique.ts";

const flags = (...bits: readonly number[]) => constant(tensor(bits, { dtype: "bool" }));
const none = { derivative: "none" } as const;

export const selectionCases = [
  opCase(Compress, "rows, of which the flags leave the last out", {
    inputs: { x: normal([3, 2]) },
    build: ({ x }) => apply(Compress, [x, flags(0, 1)], { axis: 0 }),
    torch: "x[1:2]",
    ...none,
  }),
  opCase(Compress, "elements of all axes", {
    inputs: { x: normal([3, 2]) },
    build: ({ x }) => apply(Compress, [x, flags(0, 1, 0, 0, 1)]),
    torch: "x.flatten()[[1, 4]]",
    ...none,
  }),
  opCase(Unique, "elements, sorted", {
    inputs: { x: given([1, 2, 3, 4], [4]) },
    build: ({ x }) => {
      const [y, , inverse, counts] = makeNode(Unique, [constant(tensor([2, 1, 1, 3, 4, 3]))]).outputs;
      return [mul(x, y), inverse, counts].flatMap((value) => value ?? []);
    },
    torch: "x * torch.tensor([1, 2, 3, 4]), torch.tensor([1, 0, 0, 2, 3, 2]), torch.tensor([2, 1, 2, 1])",
    ...none,
  }),
  opCase(Unique, "columns in their order", {
    inputs: { x: normal([2, 2]) },
    build: ({ x }) => {
      const [y, first, inverse] = makeNode(
        Unique,
        [
          constant(
            tensor([
              [3, 1, 3],
              [0, 2, 0],
            ]),
          ),
        ],
        { axis: 1, sorted: 0 },
      ).outputs;
      return [mul(x, y), first, inverse].flatMap((value) => value ?? []);
    },
    torch: "x * torch.tensor([[3, 1], [0, 2]]), torch.tensor([0, 1]), torch.tensor([0, 1, 0])",
    ...none,
  }),
];
