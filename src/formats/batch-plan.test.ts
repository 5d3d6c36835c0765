/** Which axes of inputs are the batch, where they have another than the file. */
import { expect, test } from "vitest";
import type { Shape } from "../core/shape.ts";
import type { Declared } from "../import/declared.ts";
import { planBatch, planOpenBatch } from "./batch-plan.ts";

type Extents = NonNullable<Declared["extents"]>;
const declared = (...all: readonly Extents[]): readonly Declared[] =>
  all.map((extents, i) => ({ name: `input ${i}`, type: undefined, extents }));
const shapes = (...all: readonly Shape[]) => all.map((shape) => ({ shape }));

test.each<[string, readonly Extents[], readonly Shape[], ReturnType<typeof planBatch>]>([
  ["as the file has it", [[1, 4]], [[1, 4]], undefined],
  ["an open batch", [["batch", 4]], [[3, 4]], undefined],
  ["a written one", [[1, 4]], [[3, 4]], { axes: [0], sizes: { from: 1, to: 3 } }],
  ["fewer samples", [[8, 4]], [[3, 4]], { axes: [0], sizes: { from: 8, to: 3 } }],
  [
    "states whose batch is another axis, and what is the same for all",
    [[1, 4], [2, 1, 5], []],
    [[3, 4], [2, 3, 5], []],
    { axes: [0, 1, undefined], sizes: { from: 1, to: 3 } },
  ],
  [
    "one input for all samples",
    [
      [1, 4],
      [1, 4],
    ],
    [
      [3, 4],
      [1, 4],
    ],
    { axes: [0, undefined], sizes: { from: 1, to: 3 } },
  ],
  [
    "an open batch beside a written one",
    [
      [1, 4],
      ["n", 4],
    ],
    [
      [3, 4],
      [3, 4],
    ],
    { axes: [0, 0], sizes: { from: 1, to: 3 } },
  ],
  ["another extent", [[1, 4]], [[1, 5]], undefined],
  ["a batch and another extent", [[1, 4]], [[3, 5]], undefined],
  [
    "two batches",
    [
      [1, 4],
      [1, 4],
    ],
    [
      [3, 4],
      [2, 4],
    ],
    undefined,
  ],
  ["another number of axes", [[1, 4]], [[3]], undefined],
])("%s", (_, extents, given, plan) => {
  expect(planBatch(declared(...extents), shapes(...given))).toEqual(plan);
});

test("of an open batch, from one sample", () => {
  expect(planOpenBatch(declared(["n", 4], [5]), shapes([3, 4], [5]))).toEqual({
    axes: [0, undefined],
    sizes: { from: 1, to: 3 },
  });
  expect(planOpenBatch(declared(["n", 4]), shapes([1, 4]))).toBeUndefined();
  expect(planOpenBatch(declared([2, 4]), shapes([2, 4]))).toBeUndefined();
});
