/** The choice of a branch: how it is built, printed, folded and refused. */
import { expect, test } from "vitest";
import { ShapeError } from "../../core/errors.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { shareCommon, simplify } from "../../graph/passes.ts";
import { printGraph } from "../../graph/print.ts";
import { verify } from "../../graph/verify.ts";
import { optimize } from "../../jit/compile.ts";
import { scalar } from "../constant.ts";
import { add, mul } from "../elementwise.ts";
import { exp, neg } from "../functions.ts";
import { cond } from "./if.ts";

const [x, c] = [input("float32", [2], "x"), input("bool", [], "c")];

test("printed with its graphs, whose nodes are optimized too", () => {
  const graph = graphOf(
    [x, c],
    [
      cond(
        c,
        (x) => neg(neg(exp(x))),
        (x) => add(x, 1),
        [x],
      ),
    ],
  );
  verify(graph);
  expect(printGraph(optimize(graph))).toBe(
    [
      "(%0: float32[2], %1: bool[]) -> %2",
      "  %2 = If(%1, %0, then_branch={",
      "    (%0: float32[2]) -> %1",
      "      %1 = Exp(%0) : float32[2]",
      "  }, else_branch={",
      "    (%0: float32[2]) -> %2",
      "      %1 = Constant(value=float32[] 1)",
      "      %2 = Add(%0, %1) : float32[2]",
      "  }) : float32[2]",
    ].join("\n"),
  );
});

test("by a known condition, one branch", () => {
  const y = cond(
    scalar(0, "bool"),
    (x) => exp(x),
    (x) => mul(x, 2),
    [x],
  );
  expect(printGraph(graphOf([x], simplify([y])))).toBe(printGraph(graphOf([x], [mul(x, 2)])));
});

test("two of them are not taken for one", () => {
  const once = () => cond(c, exp, neg, [x]);
  const [a, b] = shareCommon([once(), cond(c, neg, exp, [x])]);
  expect(a).not.toBe(b);
});

test("branches that differ, and what they may not read", () => {
  const [one, two] = [(x: Value) => [exp(x)], (x: Value) => [x, x]];
  expect(() => cond<[Value], readonly Value[]>(c, one, two, [x])).toThrow(ShapeError);
  expect(() => cond(c, exp, (x) => add(x, scalar(0)), [x])).not.toThrow();
  const outer = input("float32", [2], "outer");
  expect(() => cond(c, (x) => add(x, outer), neg, [x])).toThrow(
    "cond: a branch reads outer (float32[2]), which is none of its operands; pass it as one",
  );
  expect(() => cond(input("bool", [2]), exp, neg, [x])).toThrow("If: its condition is [2]; pass one element");
  expect(() => cond(x, exp, neg, [x])).toThrow("If: its condition is float32; pass a bool");
});
