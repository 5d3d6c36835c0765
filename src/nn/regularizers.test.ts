/** Penalties and their gradients, by hand. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../autodiff/transform.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import type { Regularizer } from "./parameter.ts";
import { l1, l1l2, l2 } from "./regularizers.ts";

describe("of w = [1, -2]", () => {
  const cases: readonly (readonly [string, Regularizer, number, readonly number[]])[] = [
    ["l1: s Σ|w|, s sign w", l1(0.5), 1.5, [0.5, -0.5]],
    ["l2: s Σw², 2 s w", l2(0.5), 2.5, [1, -2]],
    ["both", l1l2(0.5, 0.25), 1.5 + 1.25, [0.5 + 0.5, -0.5 - 1]],
  ];
  test.each(cases)("%s", async (_, regularizer, value, gradient) => {
    const step = jit((w: Value) => valueAndGrad(regularizer)(w));
    const [penalty, slope] = await step(tensor([1, -2]));
    expect(penalty.item()).toBe(value);
    expect(slope.toArray()).toEqual(gradient);
  });
});
