/** Pooling layers against PyTorch's. */
import { describe, expect, test } from "vitest";
import type { Shape } from "../../core/shape.ts";
import type { Module } from "../module.ts";
import { checkLayer, expectSame, randomTensor } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import {
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
} from "./pool.ts";

const recorded = fixture("pool");
const overlapping: PoolOptions = { stride: 2, padding: 1 };

describe("as in PyTorch", () => {
  const cases: readonly (readonly [string, Module, Shape])[] = [
    ["maxPool1d", maxPool1d(3), [2, 2, 2]],
    ["maxPool2d", maxPool2d(2), [2, 2, 2, 2]],
    ["overlapping", maxPool2d(3, overlapping), [2, 2, 3, 3]],
    ["maxCeil", maxPool2d(2, { ceilMode: true }), [2, 2, 3, 2]],
    ["averagePool1d", averagePool1d(2), [2, 2, 3]],
    ["averagePool2d", averagePool2d(2), [2, 2, 2, 3]],
    ["averagePadded", averagePool2d(3, overlapping), [2, 2, 3, 3]],
    ["averageUncounted", averagePool2d(3, { ...overlapping, countIncludePad: false }), [2, 2, 3, 3]],
    ["averageCeil", averagePool2d(2, { ceilMode: true }), [2, 2, 3, 2]],
    ["averageCeilPadded", averagePool2d(3, { ...overlapping, ceilMode: true }), [2, 2, 4, 3]],
    ["globalAveragePool", globalAveragePool(), [2, 3]],
    ["globalMaxPool", globalMaxPool(), [2, 3]],
  ];
  test.each(cases)("%s", (name, layer, outputShape) =>
    checkLayer(layer, {
      expected: {
        outputShape,
        parameters: 0,
        formula: "",
        recorded: recorded(name),
        refuses: [
          [{ dtype: "float32", shape: [2, 3] }, /^\w+ "": input \[2, 3\] has (rank 2, expected|no spatial axis)/],
        ],
      },
    }),
  );
});

test('padding "same": inputs by the stride, rounded up, an odd element at the end', async () => {
  const padding = [
    [0, 1],
    [1, 1],
  ] as const;
  const x = randomTensor([1, 2, 4, 5], 4);
  for (const pool of [maxPool2d, averagePool2d] as const) {
    await checkLayer(pool(3, { stride: 2, padding: "same" }), {
      input: x,
      expected: { outputShape: [1, 2, 2, 3], parameters: 0 },
    });
    await expectSame(pool(3, { stride: 2, padding: "same" }), pool(3, { stride: 2, padding }), x);
  }
});

test("a window larger than the map is refused", () => {
  expect(() => maxPool2d(5).trace({ dtype: "float32", shape: [1, 1, 4, 4] })).toThrow(
    /maxPool2d "": pool: kernel \[5, 5\] reaches over 5 elements, input axis 2 has 4/,
  );
});
