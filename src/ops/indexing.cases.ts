/** Cases of gathering, scattering and one-hot. Indices repeat wherever the operator allows it. */
import { tensor } from "../core/tensor.ts";
import { apply } from "../graph/op.ts";
import { constant, scalar } from "./constant.ts";
import { given, indices, normal, opCase } from "./define.cases.ts";
import * as i from "./indexing.ts";

const gatherCases = [
  opCase(i.Gather, "rows, repeated", {
    inputs: { x: normal([4, 3]), at: given([1, 3, 1, 1], [4], "int64") },
    build: ({ x, at }) => i.gather(x, at),
    torch: "x[at]",
  }),
  opCase(i.Gather, "middle axis by a matrix", {
    inputs: { x: normal([2, 3, 2]), at: indices([2, 2], 3) },
    build: ({ x, at }) => i.gather(x, at, 1),
    torch: "x[:, at]",
  }),
  opCase(i.Gather, "last axis, negative indices", {
    inputs: { x: normal([2, 4]), at: given([-1, 0, -4], [3], "int64") },
    build: ({ x, at }) => i.gather(x, at, -1),
    torch: "x[:, at]",
  }),
  opCase(i.Gather, "scalar index", {
    inputs: { x: normal([3, 2]), at: given([2], [], "int64") },
    build: ({ x, at }) => i.gather(x, at),
    torch: "x[2]",
  }),
  opCase(i.Gather, "int32 indices", {
    inputs: { x: normal([3, 2]), at: given([2, 2, 0], [3], "int32") },
    build: ({ x, at }) => i.gather(x, at),
    torch: "x[at.long()]",
  }),
  opCase(i.GatherElements, "last axis, repeated", {
    inputs: { x: normal([2, 4]), at: given([0, 0, 3, 1, 1, 1], [2, 3], "int64") },
    build: ({ x, at }) => i.gatherElements(x, at, -1),
    torch: "x.gather(1, at)",
  }),
  opCase(i.GatherElements, "first axis, fewer columns", {
    inputs: { x: normal([3, 3]), at: indices([4, 2], 3) },
    build: ({ x, at }) => i.gatherElements(x, at),
    torch: "x.gather(0, at)",
  }),
  opCase(i.GatherElements, "int32 indices", {
    inputs: { x: normal([3, 2]), at: indices([3, 2], 3, "int32") },
    build: ({ x, at }) => i.gatherElements(x, at),
    torch: "x.gather(0, at.long())",
  }),
  opCase(i.GatherND, "elements, repeated", {
    inputs: { x: normal([2, 3]), at: given([0, 1, 1, 2, 0, 1], [3, 2], "int64") },
    build: ({ x, at }) => apply(i.GatherND, [x, at]),
    torch: "x[at[:, 0], at[:, 1]]",
  }),
  opCase(i.GatherND, "rows", {
    inputs: { x: normal([3, 2]), at: given([2, 0, 2, 1], [2, 2, 1], "int64") },
    build: ({ x, at }) => apply(i.GatherND, [x, at]),
    torch: "x[at[..., 0]]",
  }),
  opCase(i.GatherND, "within a batch axis", {
    inputs: { x: normal([2, 3]), at: given([1, 0], [2, 1], "int64") },
    build: ({ x, at }) => apply(i.GatherND, [x, at], { batch_dims: 1 }),
    torch: "x[[0, 1], [1, 0]]",
  }),
  opCase(i.GatherND, "rows within a batch axis, repeated", {
    inputs: { x: normal([2, 3, 2]), at: given([1, 1, 0, 2], [2, 2, 1], "int64") },
    build: ({ x, at }) => apply(i.GatherND, [x, at], { batch_dims: 1 }),
    torch: "torch.stack([x[0, [1, 1]], x[1, [0, 2]]])",
  }),
];

const scatterCases = [
  opCase(i.ScatterElements, "added to zeros, repeated", {
    inputs: { u: normal([2, 3]), at: given([1, 1, 3, 0, 0, 0], [2, 3], "int64") },
    build: ({ u, at }) => i.scatterElements([2, 4], at, u, 1),
    torch: "torch.zeros(2, 4).double().scatter_add(1, at, u)",
  }),
  opCase(i.ScatterElements, "added, first axis", {
    inputs: { x: normal([3, 2]), at: indices([2, 2], 3), u: normal([2, 2]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { reduction: "add" }),
    torch: "x.scatter_add(0, at, u)",
  }),
  opCase(i.ScatterElements, "put, last axis", {
    inputs: { x: normal([2, 4]), at: given([3, 1, 0, 2], [2, 2], "int64"), u: normal([2, 2]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { axis: -1 }),
    torch: "x.scatter(1, at, u)",
  }),
  opCase(i.Scatter, "as ScatterElements", {
    inputs: { x: normal([2, 4]), at: given([3, 1, 0, 2], [2, 2], "int64"), u: normal([2, 2]) },
    build: ({ x, at, u }) => apply(i.Scatter, [x, at, u], { axis: 1 }),
    torch: "x.scatter(1, at, u)",
    derivative: "none",
  }),
  opCase(i.ScatterElements, "multiplied, repeated", {
    inputs: { x: normal([2, 4]), at: given([3, 1, 3, 0, 2, 0], [2, 3], "int64"), u: normal([2, 3]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { axis: 1, reduction: "mul" }),
    torch: "x.scatter_reduce(1, at, u, 'prod')",
  }),
  opCase(i.ScatterElements, "multiplied by zeros", {
    inputs: { x: normal([4]), at: given([0, 0, 1, 1, 2, 2], [6], "int64"), u: given([0, 2, 0, 0, 3, 5], [6]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { reduction: "mul" }),
    torch: "torch.stack([x[0] * u[0] * u[1], x[1] * u[2] * u[3], x[2] * u[4] * u[5], x[3]])",
    derivative: "once", // the second one at 0 is left out
  }),
  opCase(i.ScatterElements, "the largest, repeated", {
    inputs: { x: normal([2, 4]), at: given([3, 1, 3, 0, 2, 0], [2, 3], "int64"), u: normal([2, 3]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { axis: 1, reduction: "max" }),
    torch: "x.scatter_reduce(1, at, u, 'amax')",
  }),
  opCase(i.ScatterElements, "the least, which ties share", {
    inputs: { x: given([1, 2], [2]), at: given([0, 0, 1], [3], "int64"), u: given([1, 3, 5], [3]) },
    build: ({ x, at, u }) => apply(i.ScatterElements, [x, at, u], { reduction: "min" }),
    torch: "x.scatter_reduce(0, at, u, 'amin')",
    derivative: "convention",
  }),
  opCase(i.ScatterND, "elements multiplied", {
    inputs: { x: normal([2, 3]), at: given([0, 1, 1, 2, 0, 1], [3, 2], "int64"), u: normal([3]) },
    build: ({ x, at, u }) => apply(i.ScatterND, [x, at, u], { reduction: "mul" }),
    torch:
      "torch.stack([torch.stack([x[0, 0], x[0, 1] * u[0] * u[2], x[0, 2]]), torch.stack([x[1, 0], x[1, 1], x[1, 2] * u[1]])])",
  }),
  opCase(i.ScatterND, "the larger of rows", {
    inputs: { x: normal([3, 2]), at: given([2, 0], [2, 1], "int64"), u: normal([2, 2]) },
    build: ({ x, at, u }) => apply(i.ScatterND, [x, at, u], { reduction: "max" }),
    torch: "torch.stack([torch.maximum(x[0], u[1]), x[1], torch.maximum(x[2], u[0])])",
  }),
  opCase(i.ScatterND, "rows added to zeros, repeated", {
    inputs: { u: normal([3, 2]), at: given([1, 3, 1], [3], "int64") },
    build: ({ u, at }) => i.scatterRows([4, 2], at, u),
    torch: "torch.zeros(4, 2).double().index_add(0, at, u)",
  }),
  opCase(i.ScatterND, "elements added", {
    inputs: { x: normal([2, 3]), at: given([0, 1, 1, 2, 0, 1], [3, 2], "int64"), u: normal([3]) },
    build: ({ x, at, u }) => apply(i.ScatterND, [x, at, u], { reduction: "add" }),
    torch: "x.index_put((at[:, 0], at[:, 1]), u, accumulate=True)",
  }),
  opCase(i.ScatterND, "rows put", {
    inputs: { x: normal([4, 2]), at: given([3, 0], [2, 1], "int64"), u: normal([2, 2]) },
    build: ({ x, at, u }) => apply(i.ScatterND, [x, at, u]),
    torch: "x.index_put((at[:, 0],), u)",
  }),
];

const reversingCases = [
  opCase(i.ReverseSequence, "steps first", {
    inputs: { x: normal([3, 2, 2]), n: given([3, 2], [2], "int64") },
    build: ({ x, n }) => apply(i.ReverseSequence, [x, n], { time_axis: 0, batch_axis: 1 }),
    torch: "torch.stack([x[[2, 1, 0], 0], x[[1, 0, 2], 1]], 1)",
  }),
  opCase(i.ReverseSequence, "batch first", {
    inputs: { x: normal([2, 3]), n: given([1, 3], [2], "int64") },
    build: ({ x, n }) => apply(i.ReverseSequence, [x, n], { time_axis: 1, batch_axis: 0 }),
    torch: "torch.stack([x[0], x[1].flip(0)])",
  }),
];

const oneHotCases = [
  opCase(i.OneHot, "last axis", {
    inputs: { at: indices([2, 3], 4) },
    build: ({ at }) => i.oneHot(at, 4),
    torch: "F.one_hot(at, 4)",
  }),
  opCase(i.OneHot, "first axis, other values", {
    inputs: { at: indices([3], 4) },
    build: ({ at }) => apply(i.OneHot, [at, scalar(4, "int64"), constant(tensor([-1, 2]))], { axis: 0 }),
    torch: "F.one_hot(at, 4).T * 3 - 1",
  }),
  opCase(i.OneHot, "int64", {
    inputs: { at: indices([3], 2) },
    build: ({ at }) => i.oneHot(at, 2, "int64"),
    torch: "F.one_hot(at, 2)",
  }),
];

export const indexingCases = [...gatherCases, ...scatterCases, ...reversingCases, ...oneHotCases];
