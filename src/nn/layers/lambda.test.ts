/** Functions as layers. */
import { expect, test } from "vitest";
import type { Value } from "../../graph/ir.ts";
import { add, mul } from "../../ops/index.ts";
import { checkLayer } from "../testing/check-layer.ts";
import { lambda } from "./lambda.ts";

test("computes what its function does", () =>
  checkLayer(
    lambda((x: Value) => mul(x, 2)),
    { input: { dtype: "float32", shape: [3, 4] }, expected: { outputShape: [3, 4], parameters: 0 } },
  ));

test("takes and gives any pytree", () => {
  const layer = lambda(({ a, b }: { a: Value; b: Value }) => ({ sum: add(a, b), both: [a, b] }));
  const type = { dtype: "float32", shape: [2] } as const;
  const { output } = layer.trace({ a: type, b: type });
  expect([output.sum.shape, output.both.length]).toEqual([[2], 2]);
});
