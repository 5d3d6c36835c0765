/** Penalties and their gradients, by hand. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../autodiff/transform.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import { conv2d } from "./layers/conv.ts";
import { dense } from "./layers/dense.ts";
import { batchNorm } from "./layers/normalization.ts";
import { lstm } from "./layers/recurrent.ts";
import { flatten } from "./layers/reshape.ts";
import { sequential } from "./layers/sequential.ts";
import type { Regularizer } from "./parameter.ts";
import { l1, l1l2, l2, regularized } from "./regularizers.ts";

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

test("every weight of two axes or more has a penalty; biases, scales and what is frozen have none", () => {
  const model = sequential([
    regularized(sequential([conv2d(2, 3), batchNorm()]), l2(0.1)),
    flatten(),
    regularized(dense(3), l1(0.1)),
    dense(2),
  ]);
  const penalties = () => model.trace({ dtype: "float32", shape: [2, 1, 4, 4] }).context.penalties.length;
  expect(penalties()).toBe(2);
  model.freeze("layers.0");
  expect(penalties()).toBe(1);
  model.unfreeze();
  expect(penalties()).toBe(2);
});

test("a recurrent layer's weights of inputs and of states each have one", () => {
  const { context } = regularized(lstm(2), l2(0.1)).trace({ dtype: "float32", shape: [1, 3, 4] });
  expect(context.penalties).toHaveLength(2);
});
