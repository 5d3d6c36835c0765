/** Cases of blocks and triangles. */
import { apply } from "../graph/op.ts";
import { integers, normal, opCase } from "./define.cases.ts";
import * as r from "./rearrange.ts";

const blockCases = [
  opCase(r.DepthToSpace, "block outside the channel", {
    inputs: { x: normal([2, 8, 1, 2]) },
    build: ({ x }) => apply(r.DepthToSpace, [x], { blocksize: 2 }),
    torch: "x.reshape(2, 2, 2, 2, 1, 2).permute(0, 3, 4, 1, 5, 2).reshape(2, 2, 2, 4)",
  }),
  opCase(r.DepthToSpace, "block inside the channel", {
    inputs: { x: normal([1, 8, 2, 3]) },
    build: ({ x }) => apply(r.DepthToSpace, [x], { blocksize: 2, mode: "CRD" }),
    torch: "F.pixel_shuffle(x, 2)",
  }),
  opCase(r.SpaceToDepth, "blocks of 3 by 3", {
    inputs: { x: normal([1, 2, 3, 6]) },
    build: ({ x }) => apply(r.SpaceToDepth, [x], { blocksize: 3 }),
    torch: "x.reshape(1, 2, 1, 3, 2, 3).permute(0, 3, 5, 1, 2, 4).reshape(1, 18, 1, 2)",
  }),
];

const triangleCases = [
  opCase(r.Trilu, "upper, of a batch", {
    inputs: { x: normal([2, 3, 4]) },
    build: ({ x }) => apply(r.Trilu, [x]),
    torch: "x.triu()",
  }),
  opCase(r.Trilu, "upper, above the diagonal", {
    inputs: { x: normal([3, 4]) },
    build: ({ x }) => r.upperTriangle(x, 1),
    torch: "x.triu(1)",
  }),
  opCase(r.Trilu, "lower, below the diagonal, integers", {
    inputs: { x: integers([4, 3], 1, 9) },
    build: ({ x }) => r.lowerTriangle(x, -1),
    torch: "x.tril(-1)",
  }),
];

export const rearrangeCases = [...blockCases, ...triangleCases];
