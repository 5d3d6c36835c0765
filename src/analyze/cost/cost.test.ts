/** Multiply-adds and FLOPs against hand counts for each kind of layer, and published totals for architectures. */
import { describe, expect, test } from "vitest";
import type { TensorType } from "../../graph/ir.ts";
import {
  type AnyModule,
  activation,
  averagePool2d,
  batchNorm,
  conv1d,
  conv2d,
  convTranspose2d,
  dense,
  embedding,
  flatten,
  globalAveragePool,
  gru,
  layerNorm,
  lstm,
  maxPool2d,
  multiHeadAttention,
  rmsNorm,
  rnn,
  sequential,
} from "../../nn/index.ts";
import { inspectionOf, networkOf, presetNetwork } from "../testing/networks.ts";
import { costOf } from "./cost.ts";

const floats = (...shape: number[]): TensorType => ({ dtype: "float32", shape });
const tokens = (...shape: number[]): TensorType => ({ dtype: "int64", shape });

const costOfLayer = (layer: AnyModule, type: TensorType) => {
  const forward = networkOf(layer, type).graphs?.forward;
  if (!forward) throw new Error("a module has a graph");
  const { macs, flops } = costOf(forward.nodes);
  return { macs, flops };
};

/** A multiply-add is one MAC and two FLOPs; biases are part of their product, as is usual. */
const cases: readonly (readonly [string, AnyModule, TensorType, number, number])[] = [
  // 2 samples · 3 inputs · 4 outputs.
  ["dense", dense(4), floats(2, 3), 2 * 3 * 4, 2 * 2 * 3 * 4],
  ["dense over a sequence", dense(4), floats(2, 5, 3), 2 * 5 * 3 * 4, 2 * 2 * 5 * 3 * 4],
  // Each of 2 · 8 · 6 · 6 outputs sums 3 · 3 · 3 products.
  ["conv2d", conv2d(8, 3), floats(2, 3, 8, 8), 2 * 8 * 36 * 27, 2 * 2 * 8 * 36 * 27],
  [
    "conv2d with stride and padding",
    conv2d(8, 3, { stride: 2, padding: 1 }),
    floats(1, 3, 8, 8),
    8 * 16 * 27,
    2 * 8 * 16 * 27,
  ],
  ["depthwise conv2d", conv2d(6, 3, { groups: 6 }), floats(1, 6, 8, 8), 6 * 36 * 9, 2 * 6 * 36 * 9],
  ["dilated conv1d", conv1d(4, 3, { dilation: 2 }), floats(1, 2, 10), 4 * 6 * 2 * 3, 2 * 4 * 6 * 2 * 3],
  // Each of 3 · 4 · 4 inputs is multiplied with a 5 · 2 · 2 kernel.
  ["convTranspose2d", convTranspose2d(5, 2, { stride: 2 }), floats(1, 3, 4, 4), 3 * 16 * 20, 2 * 3 * 16 * 20],
  // A table is read: nothing is computed.
  ["embedding", embedding(100, 8), tokens(2, 5), 0, 0],
  // 2 · 4 · 4 · 4 outputs of 2 · 2 elements.
  ["maxPool2d", maxPool2d(2), floats(2, 4, 8, 8), 0, 2 * 4 * 16 * 4],
  ["averagePool2d", averagePool2d(2), floats(2, 4, 8, 8), 0, 2 * 4 * 16 * 4],
  ["globalAveragePool", globalAveragePool(), floats(2, 4, 8, 8), 0, 2 * 4 * 64],
  // In prediction a factor and a summand for each element.
  ["batchNorm", batchNorm(), floats(2, 4, 8, 8), 0, 2 * 2 * 4 * 64],
  // Mean, centring, square, mean, root, factor, scale and shift: 8 an element.
  ["layerNorm", layerNorm(), floats(2, 5, 8), 0, 8 * 80],
  ["relu", activation("relu"), floats(2, 8), 0, 16],
  ["flatten", flatten(), floats(2, 4, 8), 0, 0],
  // Four projections of 5 tokens by 8·8, scores and their use: 2 heads · 5 · 5 · 4 each.
  ["attention", multiHeadAttention(8, 2), floats(1, 5, 8), 4 * 5 * 64 + 2 * 2 * 25 * 4, Number.NaN],
  // 7 steps · 2 samples · gates · 5 · (3 + 5), the state's part included; input and recurrent bias are one sum.
  ["rnn", rnn(5), floats(2, 7, 3), 7 * 2 * 1 * 5 * 8, Number.NaN],
  ["gru", gru(5), floats(2, 7, 3), 7 * 2 * 3 * 5 * 8, Number.NaN],
  ["lstm", lstm(5), floats(2, 7, 3), 7 * 2 * 4 * 5 * 8, Number.NaN],
  ["bidirectional lstm", lstm(5, { bidirectional: true }), floats(2, 7, 3), 2 * 7 * 2 * 4 * 5 * 8, Number.NaN],
];

describe("by hand", () => {
  test.each(cases)("%s", (_, layer, type, macs, flops) => {
    const cost = costOfLayer(layer, type);
    expect(cost.macs).toBe(macs);
    // Of layers with functions within, at least their products, and not much more.
    if (Number.isNaN(flops)) {
      expect(cost.flops).toBeGreaterThanOrEqual(2 * macs);
      expect(cost.flops).toBeLessThan(2.8 * macs);
    } else expect(cost.flops).toBe(flops);
  });

  test("a normalization by the root mean square costs less than one by moments", () => {
    const [rms, layer] = [rmsNorm(), layerNorm()].map((own) => costOfLayer(own, floats(2, 5, 8)).flops);
    expect(rms).toBeGreaterThan(2 * 80);
    expect(rms).toBeLessThan(layer ?? 0);
  });

  test("the backward pass of products is twice the forward one, less the first layer's input", () => {
    const network = networkOf(sequential([dense(4, { bias: false }), dense(2, { bias: false })]), floats(3, 5));
    const { cost } = inspectionOf(network);
    // Weights: 3·5·4 and 3·4·2; states: 3·4·2 for the second layer only.
    expect(cost.macs).toBe(3 * 5 * 4 + 3 * 4 * 2);
    expect(cost.backwardFlops).toBe(2 * (3 * 5 * 4 + 3 * 4 * 2 + 3 * 4 * 2));
  });
});

/**
 * Multiply-adds in thousands of millions: torchvision's `_ops`; BERT of 512 tokens: 12 layers of 512 · 12 · 768² for products with
 * weights and 2 · 512² · 768 for attention, and the pooler.
 */
const published: readonly (readonly [string, number])[] = [
  ["alexnet", 0.714],
  ["vgg16", 15.47],
  ["resnet50", 4.089],
  ["mobilenet_v2", 0.301],
  ["efficientnet_b0", 0.386],
  ["vit_b_16", 17.564],
  ["bert_base_uncased", (12 * (512 * 12 * 768 ** 2 + 2 * 512 ** 2 * 768) + 768 ** 2) / 1e9],
  ["gpt2", (12 * (512 * 12 * 768 ** 2 + 2 * 512 ** 2 * 768) + 512 * 768 * 50257) / 1e9],
];

test.each(published)("%s costs what is published", (name, macs) => {
  const { cost } = inspectionOf(presetNetwork(name));
  expect(Math.abs((cost.macs ?? 0) / 1e9 - macs)).toBeLessThanOrEqual(0.0006);
  // The well-known factor of two for the backward pass.
  const ratio = (cost.backwardFlops ?? 0) / (cost.forwardFlops ?? 1);
  expect(ratio).toBeGreaterThan(1.85);
  expect(ratio).toBeLessThan(2.05);
});
