/** Metrics of labels, by hand, over two batches. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { jit } from "../../jit/jit.ts";
import { exactLabels, labelF1 } from "./labels.ts";

const batches = [
  {
    output: tensor([
      [2, -1],
      [0.5, 3],
    ]),
    y: tensor([
      [1, 0],
      [0, 1],
    ]),
  },
  { output: tensor([[-1, -1]]), y: tensor([[0, 1]]) },
] as const;

test.each([
  // 2 hits, 3 predicted, 3 actual.
  [labelF1(), 4 / 6],
  // The first sample alone.
  [exactLabels(), 1 / 3],
] as const)("$name adds up over batches", async (metric, wanted) => {
  const totals = new Float64Array(metric.size);
  for (const { output, y } of batches) {
    const own = await jit(metric.update)(output, y);
    for (const [i, value] of own.toNumbers().entries()) totals[i] = (totals[i] ?? 0) + value;
  }
  expect(metric.result(totals)).toBeCloseTo(wanted, 6);
});

test("nothing to find and nothing found is right", () => {
  expect(labelF1().result(new Float64Array(3))).toBe(1);
});
