/** Cases of the reductions, of positions of extrema, of top-k and of running sums. */
import type { Value } from "../graph/ir.ts";
import { apply, makeNode, type OpDef } from "../graph/op.ts";
import { int64s, scalar } from "./constant.ts";
import { distinct, given, normal, opCase, positive } from "./define.cases.ts";
import * as r from "./reduce.ts";

const reduceLogSum = (x: Value, axes: number | readonly number[] = [0, 1, 2], { keepDims = false } = {}) =>
  apply(r.ReduceLogSum, [x, int64s([axes].flat())], { keepdims: keepDims ? 1 : 0 });

/** Operator, function, generator, PyTorch expression; `prod` is a helper of the recorder. */
const reductions: readonly (readonly [OpDef, typeof r.reduceSum, typeof normal, string])[] = [
  [r.ReduceSum, r.reduceSum, normal, "torch.sum(x, AXES, keepdim=KEEP)"],
  [r.ReduceMean, r.reduceMean, normal, "torch.mean(x, AXES, keepdim=KEEP)"],
  [r.ReduceMax, r.reduceMax, distinct, "torch.amax(x, AXES, keepdim=KEEP)"],
  [r.ReduceMin, r.reduceMin, distinct, "torch.amin(x, AXES, keepdim=KEEP)"],
  [r.ReduceProd, r.reduceProd, positive, "prod(x, AXES, keepdim=KEEP)"],
  [r.ReduceL1, r.reduceL1, distinct, "torch.sum(x.abs(), AXES, keepdim=KEEP)"],
  [r.ReduceL2, r.reduceL2, normal, "torch.sum(x * x, AXES, keepdim=KEEP).sqrt()"],
  [r.ReduceSumSquare, r.reduceSumSquare, normal, "torch.sum(x * x, AXES, keepdim=KEEP)"],
  [r.ReduceLogSumExp, r.reduceLogSumExp, normal, "torch.logsumexp(x, AXES, keepdim=KEEP)"],
  [r.ReduceLogSum, reduceLogSum, positive, "torch.sum(x, AXES, keepdim=KEEP).log()"],
];
const shape = [2, 3, 2];
const reductionCases = reductions.flatMap(([op, reduce, generate, torch]) => {
  const python = (axes: string, keep: string) => torch.replace("AXES", axes).replace("KEEP", keep);
  const inputs = { x: generate(shape) };
  return [
    opCase(op, "all axes", { inputs, build: ({ x }) => reduce(x), torch: python("(0, 1, 2)", "False") }),
    opCase(op, "middle axis, kept", {
      inputs,
      build: ({ x }) => reduce(x, 1, { keepDims: true }),
      torch: python("(1,)", "True"),
    }),
    opCase(op, "two axes, one from the end", {
      inputs,
      build: ({ x }) => reduce(x, [0, -1]),
      torch: python("(0, 2)", "False"),
    }),
    opCase(op, "axes left out", { inputs, build: ({ x }) => apply(op, [x]), torch: python("(0, 1, 2)", "True") }),
  ];
});

const scalarInput = { x: given([-1.5], []) };
const specialCases = [
  opCase(r.ReduceL1, "scalar", { inputs: scalarInput, build: ({ x }) => r.reduceL1(x), torch: "x.abs()" }),
  opCase(r.ReduceL2, "scalar", { inputs: scalarInput, build: ({ x }) => r.reduceL2(x), torch: "x.abs()" }),
  opCase(r.ReduceSumSquare, "scalar", { inputs: scalarInput, build: ({ x }) => r.reduceSumSquare(x), torch: "x * x" }),
  opCase(r.ReduceSum, "no axis, by attribute", {
    inputs: { x: normal([2, 2]) },
    build: ({ x }) => apply(r.ReduceSum, [x], { noop_with_empty_axes: 1 }),
    torch: "x * 1",
  }),
  opCase(r.ReduceProd, "one zero in a row, two in another", {
    inputs: { x: given([2, 0, 3, 0, 4, 0, 1, 2, 5], [3, 3]) },
    build: ({ x }) => r.reduceProd(x, 1),
    torch: "x.prod(1)",
    // The rule for zeros does not depend on the zeros themselves, so it has no derivative of its own there.
    derivative: "once",
  }),
  opCase(r.ReduceMax, "ties share", {
    inputs: { x: given([1, 3, 3, 2, 2, 2], [2, 3]) },
    build: ({ x }) => r.reduceMax(x, 1),
    torch: "x.amax(1)",
    derivative: "convention",
  }),
  opCase(r.ReduceMin, "ties share", {
    inputs: { x: given([1, 1, 3, 2, 2, 2], [2, 3]) },
    build: ({ x }) => r.reduceMin(x, 1),
    torch: "x.amin(1)",
    derivative: "convention",
  }),
  opCase(r.ReduceMean, "variance", {
    inputs: { x: normal(shape) },
    build: ({ x }) => r.variance(x, [0, 2]),
    torch: "x.var((0, 2), unbiased=False)",
  }),
];

const positionCases = [
  opCase(r.ArgMax, "last axis", {
    inputs: { x: distinct(shape) },
    build: ({ x }) => r.argMax(x),
    torch: "x.argmax(-1)",
  }),
  opCase(r.ArgMax, "first axis, kept", {
    inputs: { x: distinct(shape) },
    build: ({ x }) => apply(r.ArgMax, [x]),
    torch: "x.argmax(0, keepdim=True)",
  }),
  opCase(r.ArgMax, "ties, the last of them", {
    inputs: { x: given([1, 3, 3, 2], [1, 4]) },
    build: ({ x }) => apply(r.ArgMax, [x], { axis: 1, keepdims: 0, select_last_index: 1 }),
    torch: "3 - x.flip(1).argmax(1)",
  }),
  opCase(r.ArgMin, "middle axis", {
    inputs: { x: distinct(shape) },
    build: ({ x }) => r.argMin(x, 1),
    torch: "x.argmin(1)",
  }),
];

const sortingCases = [
  opCase(r.TopK, "two largest of the last axis", {
    inputs: { x: distinct([2, 5]) },
    build: ({ x }) => {
      const { values, indices } = r.topK(x, 2);
      return [values, indices];
    },
    torch: "torch.topk(x, 2)",
  }),
  opCase(r.TopK, "values alone, first axis", {
    inputs: { x: distinct([4, 2]) },
    build: ({ x }) => r.topK(x, 3, 0).values,
    torch: "torch.topk(x, 3, dim=0).values",
  }),
  opCase(r.TopK, "smallest", {
    inputs: { x: distinct([2, 4]) },
    build: ({ x }) => makeNode(r.TopK, [x, int64s([2])], { axis: 1, largest: 0, sorted: 1 }).outputs,
    torch: "torch.topk(x, 2, largest=False)",
  }),
];

const runningSums = [
  [{}, "torch.cumsum(x, 1)"],
  [{ exclusive: 1 }, "torch.cumsum(x, 1) - x"],
  [{ reverse: 1 }, "x.flip(1).cumsum(1).flip(1)"],
  [{ exclusive: 1, reverse: 1 }, "x.flip(1).cumsum(1).flip(1) - x"],
] as const;
const cumulativeCases = [
  ...runningSums.map(([attributes, torch]) =>
    opCase(r.CumSum, torch, {
      inputs: { x: normal([2, 4]) },
      build: ({ x }) => apply(r.CumSum, [x, scalar(1, "int64")], attributes),
      torch,
    }),
  ),
  opCase(r.CumSum, "last axis by -1", {
    inputs: { x: normal([2, 2, 3]) },
    build: ({ x }) => r.cumulativeSum(x, -1),
    torch: "x.cumsum(-1)",
  }),
];

export const reduceCases = [...reductionCases, ...specialCases, ...positionCases, ...sortingCases, ...cumulativeCases];
