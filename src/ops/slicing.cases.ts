/** Cases of slices and padding. */
import { apply } from "../graph/op.ts";
import { int64s, scalar } from "./constant.ts";
import { normal, opCase } from "./define.cases.ts";
import * as s from "./slicing.ts";

const cube = { x: normal([2, 3, 4]) };

const sliceCases = [
  opCase(s.Slice, "inside", {
    inputs: cube,
    build: ({ x }) => s.slice(x, { axis: 2, start: 1, end: 3 }),
    torch: "x[:, :, 1:3]",
  }),
  opCase(s.Slice, "two axes, stride, negative end", {
    inputs: { x: normal([3, 7]) },
    build: ({ x }) => s.slice(x, { axis: -1, start: 1, end: -1, step: 2 }, { axis: 0, start: 1 }),
    torch: "x[1:, 1:-1:2]",
  }),
  opCase(s.Slice, "reversed", { inputs: cube, build: ({ x }) => s.flip(x, 1), torch: "x.flip(1)" }),
  opCase(s.Slice, "backwards with a stride", {
    inputs: { x: normal([2, 7]) },
    build: ({ x }) => s.slice(x, { axis: 1, start: 5, end: 0, step: -2 }),
    torch: "x[:, [5, 3, 1]]",
  }),
  opCase(s.Slice, "backwards from the end with a stride that leaves a rest", {
    inputs: { x: normal([6]) },
    build: ({ x }) => s.slice(x, { axis: 0, step: -4 }),
    torch: "x[[5, 1]]",
  }),
  opCase(s.Slice, "bounds beyond the extent", {
    inputs: { x: normal([4]) },
    build: ({ x }) => s.slice(x, { axis: 0, start: -9, end: 99 }),
    torch: "x[-9:99]",
  }),
  opCase(s.Slice, "axes and steps left out", {
    inputs: { x: normal([3, 4]) },
    build: ({ x }) => apply(s.Slice, [x, int64s([1, 0]), int64s([3, -2])]),
    torch: "x[1:3, 0:-2]",
  }),
];

const padCases = [
  opCase(s.Pad, "zeros", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) =>
      s.pad(x, [
        [1, 0],
        [0, 2],
      ]),
    torch: "F.pad(x, (0, 2, 1, 0))",
  }),
  opCase(s.Pad, "negative widths cut", {
    inputs: { x: normal([3, 4]) },
    build: ({ x }) =>
      s.pad(x, [
        [-1, 1],
        [2, -2],
      ]),
    torch: "F.pad(x, (2, -2, -1, 1))",
  }),
  opCase(s.Pad, "another number", {
    inputs: { x: normal([3]) },
    build: ({ x }) => s.pad(x, [[1, 2]], -1.5),
    torch: "F.pad(x, (1, 2), value=-1.5)",
  }),
  opCase(s.Pad, "a computed number", {
    inputs: { x: normal([2, 2]), v: normal([]) },
    build: ({ x, v }) =>
      s.pad(
        x,
        [
          [1, 0],
          [-1, 2],
        ],
        v,
      ),
    torch: "torch.cat([v.expand(1, 3), torch.cat([x[:, 1:], v.expand(2, 2)], 1)])",
  }),
  opCase(s.Pad, "named axes", {
    inputs: cube,
    build: ({ x }) => apply(s.Pad, [x, int64s([1, 0, 0, 2]), scalar(0, x.dtype), int64s([-1, 0])]),
    torch: "F.pad(x, (1, 0, 0, 0, 0, 2))",
  }),
  opCase(s.Pad, "reflected", {
    inputs: { x: normal([2, 4]) },
    build: ({ x }) => apply(s.Pad, [x, int64s([0, 2, 0, 1])], { mode: "reflect" }),
    torch: "F.pad(x, (2, 1), mode='reflect')",
  }),
  opCase(s.Pad, "its ends, along two axes, one cut", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(s.Pad, [x, int64s([1, -1, 2, 2])], { mode: "edge" }),
    torch: "x[[0, 0, 1, 1, 1]][:, [1, 2, 2, 2]]",
  }),
  opCase(s.Pad, "wrapped", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => apply(s.Pad, [x, int64s([0, 2, 0, 1])], { mode: "wrap" }),
    torch: "x[:, [1, 2, 0, 1, 2, 0]]",
  }),
];

export const slicingCases = [...sliceCases, ...padCases];
