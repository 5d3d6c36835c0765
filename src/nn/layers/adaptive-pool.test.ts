/** Adaptive pooling against PyTorch's. */
import { describe, expect, test } from "vitest";
import type { Shape } from "../../core/shape.ts";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { adaptiveAveragePool2d } from "./adaptive-pool.ts";
import type { PerAxis } from "./convolution.ts";

const recorded = fixture("adaptive-pool");

describe("as in PyTorch", () => {
  const cases: readonly (readonly [string, PerAxis, Shape])[] = [
    ["divides", 2, [2, 2, 2, 2]],
    ["overlaps", [3, 2], [2, 2, 3, 2]],
    ["repeats", 3, [2, 2, 3, 3]],
    ["same", [3, 2], [2, 2, 3, 2]],
    ["whole", 1, [2, 3, 1, 1]],
  ];
  test.each(cases)("%s", (name, output, outputShape) =>
    checkLayer(adaptiveAveragePool2d(output), {
      expected: {
        outputShape,
        parameters: 0,
        formula: "",
        recorded: recorded(name),
        refuses: [[{ dtype: "float32", shape: [2, 3, 4] }, /adaptiveAveragePool2d "": input \[2, 3, 4\] has rank 3/]],
      },
    }),
  );
});

test("an output that is no count is refused", () => {
  expect(() => adaptiveAveragePool2d(0)).toThrow("adaptiveAveragePool2d: output is [0, 0]; pass whole numbers from 1");
});
