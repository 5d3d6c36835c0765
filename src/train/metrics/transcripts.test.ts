/** Transcripts right or wrong, by hand. */
import { expect, it } from "vitest";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { oneHot } from "../../ops/index.ts";
import { transcriptAccuracy } from "./transcripts.ts";

it("a transcript counts when every label is right, none is missing and none too many", async () => {
  const metric = transcriptAccuracy();
  const paths = [
    [1, 0, 2, 2], // 1 2
    [1, 2, 0, 2], // 1 2 2
    [1, 1, 1, 0], // 1
    [3, 0, 0, 0], // 3
  ];
  const targets = [
    [1, 2],
    [1, 2],
    [1, 2],
    [3, -1],
  ];
  const update = jit((labels: Value, target: Value) => metric.update(oneHot(labels, 4), target));
  const counts = await update(tensor(paths, { dtype: "int64" }), tensor(targets, { dtype: "int32" }));
  expect(counts.toNumbers()).toEqual([2, 4]);
  expect(metric.result(Float64Array.of(2, 4))).toBe(0.5);
});
