/** The embedding layer against PyTorch's nn.Embedding. */
import { expect, test } from "vitest";
import { DTypeError, OptionError } from "../core/errors.ts";
import { embedding } from "./embedding.ts";
import { checkLayer } from "./testing/check-layer.ts";
import { fixture } from "./testing/fixture.node.ts";

test("rows of a table; a repeated index adds up its gradients", () =>
  checkLayer(embedding(5, 3), {
    expected: {
      outputShape: [2, 3, 3],
      parameters: 15,
      formula: "5·3",
      recorded: fixture("embedding")("embedding"),
      refuses: [[{ dtype: "float32", shape: [2, 3] }, /embedding "": input is float32, expected indices; pass int32/]],
    },
  }));

test("indices may be int32", () => {
  const { y } = embedding(5, 3).trace({ dtype: "int32", shape: [4] });
  expect([y.dtype, y.shape]).toEqual(["float32", [4, 3]]);
  expect(() => embedding(5, 3).trace({ dtype: "uint8", shape: [4] })).toThrow(DTypeError);
});

test("count and width are whole numbers", () => {
  expect(() => embedding(0, 3)).toThrow(OptionError);
  expect(() => embedding(5, 0.5)).toThrow(OptionError);
});
