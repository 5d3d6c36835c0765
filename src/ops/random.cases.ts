/** Cases of dropout as files have it, outside training. */
import { apply, makeNode } from "../graph/op.ts";
import { scalar } from "./constant.ts";
import { normal, opCase } from "./define.cases.ts";
import { Dropout } from "./random.ts";

export const randomCases = [
  opCase(Dropout, "alone", { inputs: { x: normal([2, 3]) }, build: ({ x }) => apply(Dropout, [x]), torch: "x * 1" }),
  opCase(Dropout, "with its rate and its mask", {
    inputs: { x: normal([2, 3]) },
    build: ({ x }) => makeNode(Dropout, [x, scalar(0.5), scalar(0, "bool")], { seed: 1 }).outputs,
    torch: "(x * 1, torch.ones(2, 3).bool())",
  }),
];
