/** Attention with one head, against its equations in PyTorch. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { constant } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";
import { checkLayer, checkRecorded } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { type AdditiveAttention, additiveAttention, type DotAttention, dotAttention } from "./sequence-attention.ts";

const recorded = fixture("sequence-attention");

/** Attention to oneself but for the last of four tokens. */
class Masked extends Module {
  readonly layer: AdditiveAttention | DotAttention;
  constructor(layer: AdditiveAttention | DotAttention) {
    super();
    this.layer = layer;
  }
  protected call(x: Value, context: Context): Value {
    const row = [1, 1, 1, 0];
    return this.layer.apply({ x, mask: constant(tensor([row, row], { dtype: "int32" })) }, context);
  }
}

test.each([
  ["additive", additiveAttention(5)],
  ["dot", dotAttention()],
])("%s, a token masked", async (name, layer) => {
  await checkRecorded(new Masked(layer), recorded(name));
});

test("additive attention as a layer", () =>
  checkLayer(additiveAttention(5), {
    input: { dtype: "float32", shape: [2, 4, 3] },
    expected: {
      outputShape: [2, 4, 3],
      parameters: 3 * 5 + 5 + 3 * 5 + 5,
      refuses: [[{ dtype: "float32", shape: [2, 3] }, /queries \[2, 3\] and memory \[2, 3\] do not fit/]],
    },
  }));

test("products need queries like the memory", () => {
  const tokens = (features: number) => ({ dtype: "float32", shape: [1, 2, features] }) as const;
  expect(() => dotAttention().trace({ x: tokens(3), memory: tokens(4) })).toThrow(
    /dotAttention "": queries \[1, 2, 3\] have other features than the memory \[1, 2, 4\]/,
  );
  expect(() => additiveAttention(0)).toThrow(OptionError);
});
