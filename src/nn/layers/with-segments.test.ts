/** Samples of one row are read as if each stood alone. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { apart, smallGpt2, smallLlama } from "../../finetune/testing/models.ts";
import { predict } from "../../train/index.ts";
import { withSegments } from "./with-segments.ts";

test.each([
  ["positions that are learned", smallGpt2],
  ["positions by rotation", smallLlama],
])("%s", async (_, build) => {
  const model = build();
  const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });
  const first = (await predict(model, ids([3, 7, 1]))).toNumbers();
  const second = (await predict(model, ids([5, 2, 9, 4]))).toNumbers();
  const packed = await predict(withSegments(model), {
    x: ids([3, 7, 1, 5, 2, 9, 4, 0]),
    segments: ids([1, 1, 1, 2, 2, 2, 2, 0]),
  });
  const numbers = packed.toNumbers();
  expect(apart(numbers.slice(0, 60), first)).toBeLessThan(1e-5);
  expect(apart(numbers.slice(60, 140), second)).toBeLessThan(1e-5);
  const whole = (await predict(model, ids([3, 7, 1, 5, 2, 9, 4, 0]))).toNumbers();
  expect(apart(whole.slice(60, 140), second)).toBeGreaterThan(1e-3);
});
