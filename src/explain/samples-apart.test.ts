/** Which models are shown to compute samples by themselves: published ones do, those that mix a batch do not. */
import { describe, expect, test } from "vitest";
import type { Shape } from "../core/shape.ts";
import { input, type Value } from "../graph/ir.ts";
import { presetOf } from "../models/index.ts";
import * as ops from "../ops/index.ts";
import { samplesApart } from "./samples-apart.ts";

describe("published architectures are", () => {
  test.each<[string, Shape]>([
    ["resnet18", [7, 3, 64, 64]],
    ["mobilenet_v2", [7, 3, 64, 64]],
    ["densenet121", [7, 3, 64, 64]],
    ["vit_b_16", [7, 3, 224, 224]],
  ])("%s", (name, shape) => {
    const { inputs, output } = presetOf(name).build({}).trace({ dtype: "float32", shape });
    expect(samplesApart(inputs[0] as Value, output as Value)).toBe(true);
  });
});

test.each<[string, (x: Value) => Value, boolean]>([
  ["the mean over the batch", (x) => ops.mul(x, ops.reduceMean(x, [0], { keepDims: true })), false],
  ["the batch in reverse", (x) => ops.flip(x, 0), false],
  ["a sum of two orders", (x) => ops.add(x, ops.flip(x, 0)), false],
  [
    "another number for each place in the batch",
    (x) => ops.add(x, ops.cast(ops.reshape(ops.range(7), [7, 1]), "float32")),
    false,
  ],
  ["scores of features", (x) => ops.softmax(ops.mul(x, 2)), true],
])("%s", (_, compute, isApart) => {
  const x = input("float32", [7, 3]);
  expect(samplesApart(x, compute(ops.cast(x, "float32")))).toBe(isApart);
});
