/** Cases of choices of which one runs. */
import { given, normal, opCase } from "../define.cases.ts";
import { add, mul, sub } from "../elementwise.ts";
import { exp } from "../functions.ts";
import { greater } from "../logic.ts";
import { reduceSum } from "../reduce.ts";
import { cond, If } from "./if.ts";

const inputs = { x: normal([2, 3]), w: normal([3]), c: given([1], [], "bool") };

export const controlCases = [
  opCase(If, "the first of two", {
    inputs,
    build: ({ x, w, c }) =>
      cond(
        c,
        (x, w) => mul(exp(x), w),
        (x, w) => sub(x, w),
        [x, w],
      ),
    torch: "x.exp() * w",
    flops: 12, // six exponentials, six products; the other branch has six differences
  }),
  opCase(If, "the second of two, of several outputs and constants", {
    inputs: { ...inputs, c: given([0], [1], "bool") },
    build: ({ x, w, c }) =>
      cond(
        c,
        (x, w) => [x, w],
        (x, w) => [add(mul(x, x), 1), mul(w, 2)],
        [x, w],
      ),
    torch: "x * x + 1, w * 2",
  }),
  opCase(If, "by a computed condition, within another", {
    inputs: { x: normal([4]), c: given([1], [], "bool") },
    build: ({ x, c }) =>
      cond(
        c,
        (x) =>
          cond(
            greater(reduceSum(x), -100),
            (x) => mul(x, mul(x, x)),
            (x) => x,
            [x],
          ),
        (x) => x,
        [x],
      ),
    torch: "x ** 3",
  }),
];
