/** A vector at every step. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { checkLayer, runLayer } from "../testing/check-layer.ts";
import { repeatVector } from "./repeat-vector.ts";

test("[N, F] → [N, steps, F]", () =>
  checkLayer(repeatVector(3), {
    input: { dtype: "float32", shape: [2, 4] },
    expected: {
      outputShape: [2, 3, 4],
      parameters: 0,
      refuses: [[{ dtype: "float32", shape: [2, 4, 1] }, /is no batch of vectors/]],
    },
  }));

test("every step is the vector", async () => {
  const { output } = await runLayer(repeatVector(2), tensor([[1, 2]]));
  expect(output.toArray()).toEqual([
    [
      [1, 2],
      [1, 2],
    ],
  ]);
});

test("refuses no steps", () => expect(() => repeatVector(0)).toThrow("repeatVector: steps is 0"));
