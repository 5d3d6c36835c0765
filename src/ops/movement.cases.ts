/** Cases of the operators that move elements. */
import { apply, makeNode } from "../graph/op.ts";
import { given, integers, normal, opCase } from "./define.cases.ts";
import * as m from "./movement.ts";

const cube = { x: normal([2, 3, 4]) };

const shapeCases = [
  opCase(m.Reshape, "plain", { inputs: cube, build: ({ x }) => m.reshape(x, [4, 6]), torch: "x.reshape(4, 6)" }),
  opCase(m.Reshape, "kept and inferred extents", {
    inputs: cube,
    build: ({ x }) => m.reshape(x, [0, -1]),
    torch: "x.reshape(2, 12)",
  }),
  opCase(m.Reshape, "to a scalar", {
    inputs: { x: normal([1, 1]) },
    build: ({ x }) => m.reshape(x, []),
    torch: "x[0, 0]",
  }),
  opCase(m.Flatten, "from the second axis", {
    inputs: cube,
    build: ({ x }) => apply(m.Flatten, [x]),
    torch: "x.reshape(2, 12)",
  }),
  opCase(m.Flatten, "from the last axis", {
    inputs: cube,
    build: ({ x }) => apply(m.Flatten, [x], { axis: -1 }),
    torch: "x.reshape(6, 4)",
  }),
  opCase(m.Flatten, "from the first axis", {
    inputs: cube,
    build: ({ x }) => apply(m.Flatten, [x], { axis: 0 }),
    torch: "x.reshape(1, 24)",
  }),
  opCase(m.Squeeze, "named axes", {
    inputs: { x: normal([1, 3, 1, 2]) },
    build: ({ x }) => m.squeeze(x, [0, -2]),
    torch: "x.squeeze(2).squeeze(0)",
  }),
  opCase(m.Squeeze, "every axis of extent 1", {
    inputs: { x: normal([1, 3, 1]) },
    build: ({ x }) => apply(m.Squeeze, [x]),
    torch: "x.squeeze()",
  }),
  opCase(m.Unsqueeze, "first and last", {
    inputs: { x: normal([3, 2]) },
    build: ({ x }) => m.unsqueeze(x, [0, -1]),
    torch: "x[None, ..., None]",
  }),
  opCase(m.Transpose, "cyclic", {
    inputs: cube,
    build: ({ x }) => m.transpose(x, [2, 0, 1]),
    torch: "x.permute(2, 0, 1)",
  }),
  opCase(m.Transpose, "reversed without a permutation", {
    inputs: cube,
    build: ({ x }) => apply(m.Transpose, [x]),
    torch: "x.permute(2, 1, 0)",
  }),
  opCase(m.Transpose, "two axes exchanged, integers", {
    inputs: { x: integers([2, 3, 2], -9, 9) },
    build: ({ x }) => m.swapAxes(x, 0, -1),
    torch: "x.transpose(0, 2)",
  }),
  opCase(m.Expand, "new and repeated axes", {
    inputs: { x: normal([3, 1]) },
    build: ({ x }) => m.expand(x, [2, 3, 4]),
    torch: "x.expand(2, 3, 4)",
  }),
  opCase(m.Expand, "a scalar", {
    inputs: { x: normal([]) },
    build: ({ x }) => m.expand(x, [2, 2]),
    torch: "x.expand(2, 2)",
  }),
  opCase(m.Expand, "the target's ones keep the extent", {
    inputs: { x: normal([2, 1]) },
    build: ({ x }) => m.expand(x, [1, 3]),
    torch: "x.expand(2, 3)",
  }),
];

const joinCases = [
  opCase(m.Concat, "first axis", {
    inputs: { a: normal([1, 3]), b: normal([2, 3]) },
    build: ({ a, b }) => m.concat([a, b]),
    torch: "torch.cat([a, b])",
  }),
  opCase(m.Concat, "last axis, three parts, one twice", {
    inputs: { a: normal([2, 1]), b: normal([2, 3]) },
    build: ({ a, b }) => m.concat([a, b, a], -1),
    torch: "torch.cat([a, b, a], -1)",
  }),
  opCase(m.Concat, "stacked on a new axis", {
    inputs: { a: normal([2, 2]), b: normal([2, 2]) },
    build: ({ a, b }) => m.stack([a, b], 1),
    torch: "torch.stack([a, b], 1)",
  }),
  opCase(m.Split, "lengths", {
    inputs: { x: normal([2, 6]) },
    build: ({ x }) => m.split(x, [1, 3, 2], 1),
    torch: "torch.split(x, [1, 3, 2], 1)",
  }),
  opCase(m.Split, "one part used", {
    inputs: { x: normal([5, 2]) },
    build: ({ x }) => m.split(x, [2, 3]).slice(1),
    torch: "x[2:]",
  }),
  opCase(m.Split, "number of parts, a short last one", {
    inputs: { x: normal([2, 5]) },
    build: ({ x }) => makeNode(m.Split, [x], { axis: -1, num_outputs: 3 }).outputs,
    torch: "torch.split(x, 2, -1)",
  }),
  opCase(m.Tile, "both axes", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => m.tile(x, [2, 3]),
    torch: "x.repeat(2, 3)",
  }),
  opCase(m.Tile, "once and integers", {
    inputs: { x: given([1, 2, 3], [3], "int64") },
    build: ({ x }) => m.tile(x, [2]),
    torch: "x.repeat(2)",
  }),
];

export const movementCases = [...shapeCases, ...joinCases];
