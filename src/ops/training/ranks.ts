/** Sums over the processes that train together. */
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { identity } from "../elementwise.ts";

/**
 * The sum of x over all processes, the same on each; x itself in a process that is alone. A graph with it is compiled in stages (see
 * `compileStages`), between which the processes meet.
 */
export const SumOverRanks: OpDef = defineOp("SumOverRanks", {
  domain: "sardonyx",
  arity: "1",
  infer: ([x]) => requireFloat("SumOverRanks", x),
  // What one process gives changes the sum on all.
  grad: ({ g }) => [sumOverRanks(g)],
  flops: () => 0,
  lower: ({ inputs: [x] }) => [identity(x)],
});

/** The sum of x, of any shape, over the processes that train together. */
export const sumOverRanks = (x: Value): Value => apply(SumOverRanks, [x]);
