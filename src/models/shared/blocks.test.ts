/** Chains: names, order; and the rounding of scaled channels. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { activation, batchNorm, conv2d } from "../../nn/index.ts";
import { chain, heNormalFanOut, scaledChannels } from "./blocks.ts";

const input = { dtype: "float32", shape: [1, 3, 4, 4] } as const;

test("a chain runs its links in order, and they keep their names", () => {
  const links = chain({ conv: conv2d(2, 3), bn: batchNorm(), relu: activation("relu") });
  const model = chain([links, conv2d(5, 2)]);
  const { output, context } = model.trace(input);
  expect(output.shape).toEqual([1, 5, 1, 1]);
  expect(context.records.map(({ path }) => path)).toEqual(["0.conv", "0.bn", "0.relu", "0", "1", ""]);
  expect([...model.parameters().keys()].filter((path) => /weight|bias/.test(path))).toEqual([
    "0.conv.weight",
    "0.conv.bias",
    "0.bn.weight",
    "0.bn.bias",
    "1.weight",
    "1.bias",
  ]);
});

test("ten links and more run in the order of their numbers", () => {
  const model = chain(Array.from({ length: 12 }, (_, i) => conv2d(i + 1, 1)));
  expect(model.trace(input).output.shape).toEqual([1, 12, 4, 4]);
});

test("scaled channels are multiples of 8, at most a tenth too few", () => {
  // MobileNetV2 at width 0.35, 0.75 and 1.4, as in torchvision's `_make_divisible`.
  expect([32, 16, 24].map((channels) => scaledChannels(channels, 0.35))).toEqual([16, 8, 8]);
  expect([24, 96].map((channels) => scaledChannels(channels, 0.75))).toEqual([24, 72]);
  expect(scaledChannels(1280, 1.4)).toBe(1792);
});

test("initial weights by fan-out have variance 2 / fanOut", () => {
  const weights = heNormalFanOut([64, 8, 3, 3], new Random(keyOf(1)));
  const variance = weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length;
  // Of 4,608 draws the variance deviates by √(2/4608) = 2 %; five deviations are 10 %.
  expect(Math.abs(variance * ((64 * 9) / 2) - 1)).toBeLessThan(0.1);
});
