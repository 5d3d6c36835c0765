/** Occlusion and Kernel SHAP: by hand on linear models, Shapley values of small games by their orders, and what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { dense, embedding, flatten, lambda, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { kernelShap } from "./kernel-shap.ts";
import { occlusion } from "./occlusion.ts";

/** A linear model of one score. */
function linear(weights: readonly number[], bias: number) {
  const model = dense(1);
  model.trace({ dtype: "float32", shape: [1, weights.length] });
  for (const [name, parameter] of model.own) parameter.value = tensor(name === "bias" ? [bias] : [weights]);
  return model;
}

/** A game as a model: the score of a row of features, 1 where present. */
const game = (worth: (row: Value) => Value) => lambda((x: Value) => ops.reshape(worth(x), [x.shape[0] ?? 1, 1]));
const column = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("kernelShap", () => {
  test("has the terms of a linear model, w·(x - b), by enumeration and by drawing", async () => {
    const few = await kernelShap(linear([2, -1, 0.5], 3), tensor([[1, 4, -2]]), { baseline: tensor([[1, 1, 1]]) });
    expectClose(few.values, tensor([[0, -3, -1.5]]), "enumerated");
    expect(few.exact).toBe(true);
    const weights = Array.from({ length: 20 }, (_, i) => i - 9.5);
    const many = await kernelShap(linear(weights, 1), tensor([weights.map(() => 0.5)]), { samples: 200 });
    expectClose(many.values, tensor([weights.map((w) => w / 2)]), "drawn");
    expect(many.exact).toBe(false);
  });

  test("has the Shapley values of a game by all orders of its players", async () => {
    // Three gloves: 0 is a left one, 1 and 2 right ones; a pair is worth 1.
    const worth = (present: ReadonlySet<number>) => Number(present.has(0) && (present.has(1) || present.has(2)));
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    const shapley = [0, 0, 0];
    for (const order of orders) {
      const present = new Set<number>();
      for (const player of order) {
        const before = worth(present);
        present.add(player);
        shapley[player] = (shapley[player] ?? 0) + (worth(present) - before) / orders.length;
      }
    }
    expect(shapley.map((value) => Math.round(6 * value))).toEqual([4, 1, 1]);
    const gloves = game((x) => ops.mul(column(x, 0), ops.maximum(column(x, 1), column(x, 2))));
    const { features, completeness } = await kernelShap(gloves, tensor([[1, 1, 1]]));
    for (const [i, value] of features.entries()) expect(value).toBeCloseTo(shapley[i] ?? 0, 6);
    expect(completeness?.error).toBeCloseTo(0, 6);
  });

  test("drawn values come near those of enumeration, and sum exactly", async () => {
    // 14 features of which neighbours multiply: each product of two is shared by both.
    const pairs = game((x) =>
      ops.reduceSum(
        ops.mul(ops.slice(x, { axis: 1, start: 0, end: 7 }), ops.slice(x, { axis: 1, start: 7, end: 14 })),
        [1],
      ),
    );
    const row = Array.from({ length: 14 }, (_, i) => 1 + (i % 7) / 4);
    const { features, completeness, values } = await kernelShap(pairs, tensor([row]), { samples: 4000, key: keyOf(2) });
    for (const [i, value] of features.entries()) expect(Math.abs(value - (row[i] ?? 0) ** 2 / 2)).toBeLessThan(0.1);
    const sum = features.reduce((all, value) => all + value, 0);
    expect(sum).toBeCloseTo(completeness?.expected ?? 0, 9);
    expect(values.toNumbers().reduce((all, value) => all + value, 0)).toBeCloseTo(sum, 4);
    const again = await kernelShap(pairs, tensor([row]), { samples: 4000, key: keyOf(2) });
    expect(again.features).toEqual(features);
  });

  test("takes elements in groups, which share their value evenly, and integers", async () => {
    const groups = tensor([[0, 0, 1, 1]], { dtype: "int32" });
    const { features, values } = await kernelShap(linear([1, 2, 3, 4], 0), tensor([[1, 1, 1, 1]]), { groups });
    expect(features.map((value) => Math.round(1e4 * value) / 1e4)).toEqual([3, 7]);
    expectClose(values, tensor([[1.5, 1.5, 3.5, 3.5]]), "values");
    const words = sequential([embedding(5, 3), flatten(), dense(2)]);
    words.initialize(keyOf(1), { dtype: "int32", shape: [1, 3] });
    const { completeness } = await kernelShap(words, tensor([[1, 2, 3]], { dtype: "int32" }));
    expect(completeness?.expected).not.toBe(0);
    expect(completeness?.error).toBeCloseTo(0, 5);
  });

  test("refuses groups with gaps, of another shape, of floats, and samples that do not suffice", async () => {
    const [model, x] = [linear([1, 2, 3], 0), tensor([[1, 1, 1]])];
    const integers = (numbers: number[]) => tensor([numbers], { dtype: "int32" });
    const bad = (options: Parameters<typeof kernelShap>[2]) => messageOf(kernelShap(model, x, options as never));
    expect(await bad({ groups: integers([0, 2, 2]) })).toMatch(/have no element of feature 1; number features from 0/);
    expect(await bad({ groups: integers([-1, 0, 1]) })).toMatch(
      /name a feature -1; number features from 0 without gaps/,
    );
    expect(await bad({ groups: integers([0, 1]) })).toMatch(
      /^ShapeError: kernelShap: groups are \[1, 2\], the input \[1, 3\]/,
    );
    expect(await bad({ groups: tensor([[0, 1, 2]]) })).toMatch(
      /^DTypeError: kernelShap: groups are float32; pass integers/,
    );
    expect(await bad({ baseline: tensor([[0, 1]]) })).toMatch(/^ShapeError: the baseline is \[1, 2\]/);
    const image = tensor(new Array(5000).fill(1)).reshape([1, 5000]);
    expect(await messageOf(kernelShap(linear(new Array(5000).fill(1), 0), image))).toBe(
      "OptionError: kernelShap: the input has 5000 features, of which a linear model takes 4096 at most; pass groups of elements",
    );
    const wide = linear(new Array(20).fill(1), 0);
    expect(await messageOf(kernelShap(wide, tensor([new Array(20).fill(1)]), { samples: 10 }))).toBe(
      "OptionError: kernelShap: 10 coalitions do not decide the values of 20 features; pass more samples, or groups of elements",
    );
  });
});

describe("occlusion", () => {
  test("of single elements of a linear model is w·(x - fill)", async () => {
    const model = linear([2, -1, 0.5], 3);
    const x = tensor([[1, 4, -2]]);
    expectClose((await occlusion(model, x)).values, tensor([[2, -4, -1]]), "by 0");
    expectClose((await occlusion(model, x, { fill: 1 })).values, tensor([[0, -3, -1.5]]), "by 1");
  });

  test("covers all channels of an image's window, and takes the mean over windows", async () => {
    // The score is the sum of 2 channels of 1 x 3 pixels; windows of 2 pixels: one at 0, one at 1.
    const model = sequential([flatten(), linear([1, 2, 3, 10, 20, 30], 0)]);
    const x = tensor([[[[1, 1, 1]], [[1, 1, 1]]]]);
    // Falls: 33 at pixels 0 and 1, 55 at pixels 1 and 2
    const { values } = await occlusion(model, x, { window: [1, 2], stride: [1, 1] });
    expectClose(values, tensor([[[[33, 44, 55]], [[33, 44, 55]]]]), "values");
    // By steps of 2 the last window is put at the end.
    expectClose((await occlusion(model, x, { window: [1, 2], stride: [1, 2] })).values, values, "at the end");
    expectClose((await occlusion(model, x)).values, tensor([[[[11, 22, 33]], [[11, 22, 33]]]]), "by default");
  });

  test("refuses windows that do not fit and steps that leave elements out", async () => {
    const [model, x] = [linear([1, 2, 3], 0), tensor([[1, 1, 1]])];
    expect(await messageOf(occlusion(model, x, { window: [4] }))).toBe(
      "OptionError: occlusion: the window [4] does not fit into the input [1, 3]; pass at most [3], of its last axes",
    );
    expect(await messageOf(occlusion(model, x, { window: [1, 1] }))).toMatch(/the window \[1, 1\] does not fit/);
    expect(await messageOf(occlusion(model, x, { window: [1], stride: [2] }))).toBe(
      "OptionError: occlusion: the stride [2] leaves elements out between windows [1]; pass at most the window",
    );
    expect(await messageOf(occlusion(model, x, { window: [0] }))).toMatch(
      /^OptionError: occlusion: window\[0\] is 0; pass/,
    );
  });
});
