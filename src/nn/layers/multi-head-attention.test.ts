/** The multi-head attention layer against PyTorch's nn.MultiheadAttention. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { multiHeadAttention } from "./multi-head-attention.ts";

const recorded = fixture("multi-head-attention");
const tokens = (...shape: number[]) => ({ dtype: "float32", shape }) as const;

test("tokens that attend to one another", () =>
  checkLayer(multiHeadAttention(6, 2), {
    expected: {
      outputShape: [2, 4, 6],
      parameters: 4 * 6 * 6 + 4 * 6,
      formula: "18·6 + 18",
      recorded: recorded("attention"),
      refuses: [
        [
          tokens(2, 4, 5),
          /multiHeadAttention "": input \[2, 4, 5\].* are not tokens of width 6; pass \[batch, time, 6\]/,
        ],
        [tokens(2, 6), /are not tokens of width 6/],
      ],
    },
  }));

test("tokens that attend to earlier ones", () =>
  checkLayer(multiHeadAttention(6, 2, { causal: true }), {
    expected: { outputShape: [2, 4, 6], parameters: 168, recorded: recorded("causal") },
  }));

test("a memory has a length of its own, and the same parameters", () => {
  const layer = multiHeadAttention(6, 2, { dropout: 0.1 });
  const mask = { dtype: "int64", shape: [2, 7] } as const;
  const { output } = layer.trace({ x: tokens(2, 4, 6), memory: tokens(2, 7, 6), mask });
  expect(output.shape).toEqual([2, 4, 6]);
  expect([...layer.parameters().keys()].sort()).toEqual([
    "in_proj_bias",
    "in_proj_weight",
    "out_proj.bias",
    "out_proj.weight",
  ]);
  expect(() => layer.trace({ x: tokens(2, 4, 6), memory: tokens(2, 7, 8) })).toThrow(
    /memory \[2, 7, 8\] are not tokens of width 6/,
  );
});

test("heads that do not divide the width, and unknown options", () => {
  expect(() => multiHeadAttention(6, 4)).toThrow(
    "multiHeadAttention: 4 heads do not divide the width 6; pass a divisor",
  );
  expect(() => multiHeadAttention(6, 0)).toThrow(OptionError);
  expect(() => multiHeadAttention(6, 2, { rate: 0.1 } as never)).toThrow(
    /unknown option of multiHeadAttention: "rate"/,
  );
});
