/** Cases of sums over processes, in one that is alone. */
import { normal, opCase } from "../define.cases.ts";
import { SumOverRanks, sumOverRanks } from "./ranks.ts";

export const ranksCases = [
  opCase(SumOverRanks, "alone", {
    inputs: { x: normal([2, 5]) },
    build: ({ x }) => sumOverRanks(x),
    torch: "x * 1",
  }),
];
