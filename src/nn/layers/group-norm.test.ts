/** Group normalization against PyTorch. */
import { expect, test } from "vitest";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { groupNorm } from "./group-norm.ts";

const recorded = fixture("group-norm");

test("two groups of images", () =>
  checkLayer(groupNorm(2), {
    expected: {
      outputShape: [2, 4, 3, 2],
      parameters: 8,
      formula: "4 + 4",
      recorded: recorded("groupNorm"),
      refuses: [
        [{ dtype: "float32", shape: [2, 5, 3] }, /groupNorm "": input \[2, 5, 3\] needs channels that 2 groups divide/],
        [{ dtype: "float32", shape: [2, 4] }, /and axes behind them/],
      ],
    },
  }));

test("another epsilon, without factors and biases", () =>
  checkLayer(groupNorm(3, { epsilon: 0.1, scale: false, center: false }), {
    expected: { outputShape: [2, 3, 5], parameters: 0, recorded: recorded("plain") },
  }));

test("groups are a whole number from 1", () => {
  expect(() => groupNorm(0)).toThrow(/groups/);
});
